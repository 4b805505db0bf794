"""The API, row by row: every test here has the real JavaScript client, or bytes over a real socket,
on the other side. docs/javascript-api.md names them."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pytest

import trio_sio
from tests.support.held_loop import counter as counter
from trio_sio.options import WSEngine

MakeServer: TypeAlias = Callable[..., trio_sio.Server]


@pytest.fixture(params=["websockets"])
def ws_engine(request: pytest.FixtureRequest) -> WSEngine:
    """One engine is enough where the WebSocket library makes no difference; where it does,
    a test is parametrized with both."""
    name: WSEngine = request.param
    return name


@pytest.fixture
def make_server(ws_engine: WSEngine) -> MakeServer:
    """Makes servers; what a handler of theirs raises, a failed assertion too, fails the test."""
    return partial(trio_sio.Server, ws_engine=ws_engine, raise_errors=True)
