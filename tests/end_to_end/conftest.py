"""Each test runs once with each WebSocket engine."""

import pytest

from tests.support.servers import make_server as make_server
from trio_sio.options import WSEngine


@pytest.fixture(params=["trio-websocket", "websockets"])
def ws_engine(request: pytest.FixtureRequest) -> WSEngine:
    name: WSEngine = request.param
    return name
