"""What makes the servers of tests that need many different ones."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pytest

import trio_sio
from trio_sio.options import WSEngine

MakeServer: TypeAlias = Callable[..., trio_sio.Server]


@pytest.fixture
def make_server(ws_engine: WSEngine) -> MakeServer:
    """Makes servers; what a handler of theirs raises, a failed assertion too, fails the test."""
    return partial(trio_sio.Server, ws_engine=ws_engine, raise_errors=True)
