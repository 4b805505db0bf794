"""Each test runs once with each WebSocket engine."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pytest

import trio_sio
from trio_sio.options import WSEngine

MakeServer: TypeAlias = Callable[..., trio_sio.Server]


@pytest.fixture(params=["trio-websocket", "websockets"])
def ws_engine(request: pytest.FixtureRequest) -> WSEngine:
    name: WSEngine = request.param
    return name


@pytest.fixture
def make_server(ws_engine: WSEngine) -> MakeServer:
    """Makes servers; what a handler of theirs raises, a failed assertion too, fails the test."""
    return partial(trio_sio.Server, ws_engine=ws_engine, raise_errors=True)
