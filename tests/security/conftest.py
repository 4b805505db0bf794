"""What the peers were once attacked by, one test for each; the table is in test_record.py."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pytest

import trio_sio

MakeServer: TypeAlias = Callable[..., trio_sio.Server]


@pytest.fixture
def make_server() -> MakeServer:
    """Makes servers; an error that anybody sets off in one of them fails the test."""
    return partial(trio_sio.Server, raise_errors=True)
