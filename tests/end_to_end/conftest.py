"""Each test runs once with each WebSocket engine; all pages are in one Chromium."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.end_to_end.browser import Browser, chromium, shared_chromium
from tests.support.servers import make_server as make_server
from trio_sio.options import WSEngine


@pytest.fixture(params=["trio-websocket", "websockets"])
def ws_engine(request: pytest.FixtureRequest) -> WSEngine:
    name: WSEngine = request.param
    return name


@pytest.fixture(scope="session")
def chromium_address() -> Iterator[str]:
    with shared_chromium() as address:
        yield address


@pytest.fixture
async def browser(chromium_address: str) -> AsyncIterator[Browser]:
    """The Chromium of this process's tests; each page has a profile of its own."""
    async with chromium(chromium_address) as browser:
        yield browser
