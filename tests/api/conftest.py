"""The API, row by row: every test here has the real JavaScript client, or bytes over a real socket,
on the other side. docs/javascript-api.md names them."""

import pytest

from tests.support.held_loop import counter as counter
from tests.support.servers import make_server as make_server
from trio_sio.options import WSEngine


@pytest.fixture(params=["websockets"])
def ws_engine(request: pytest.FixtureRequest) -> WSEngine:
    """One engine is enough where the WebSocket library makes no difference; where it does,
    a test is parametrized with both."""
    name: WSEngine = request.param
    return name
