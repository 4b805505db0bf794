"""What the peers were once attacked by, one test for each; the table is in test_record.py."""

from functools import partial

import pytest

import trio_sio
from tests.support.servers import MakeServer


@pytest.fixture
def make_server() -> MakeServer:
    """Makes servers; an error that anybody sets off in one of them fails the test."""
    return partial(trio_sio.Server, raise_errors=True)


@pytest.fixture(params=(3, 4), ids=("of_2.x", "of_4.x"))
def eio(request: pytest.FixtureRequest) -> int:
    """The revision of Engine.IO that attackers speak; whoever asks for it is run for both."""
    revision: int = request.param
    return revision
