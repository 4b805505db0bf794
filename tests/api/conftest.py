"""The API, row by row: every test here has the real JavaScript client, or bytes over a real socket,
on the other side. The README's table names them."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pytest

import trio_sio
from tests.support.held_loop import counter as counter

MakeServer: TypeAlias = Callable[..., trio_sio.Server]


@pytest.fixture(params=["websockets"])
def ws_engine(request: pytest.FixtureRequest) -> str:
    """One engine is enough where the WebSocket library makes no difference; where it does,
    a test is parametrized with both."""
    name: str = request.param
    return name


@pytest.fixture
def make_server(ws_engine: str) -> MakeServer:
    """Makes servers; what a handler of theirs raises, a failed assertion too, fails the test."""
    return partial(trio_sio.Server, ws_engine=ws_engine, raise_errors=True)
