"""The demo in this process, and pages of it that are connected."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import trio

from tests.end_to_end.browser import Browser, Page
from trio_sio.demo.hall import Hall
from trio_sio.demo.hood.access import Access
from trio_sio.demo.hood.premises import Premises
from trio_sio.demo.limits import Limits
from trio_sio.demo.succession import Succession

WIDE: dict[str, Any] = {"viewport": {"width": 1360, "height": 850}}
NARROW: dict[str, Any] = {
    "viewport": {"width": 320, "height": 640},
    "hasTouch": True,
    "isMobile": True,
}
SIZES = {"wide": WIDE, "narrow": NARROW}
TOKEN = "a token of the tests"


class Running(NamedTuple):
    """A demo that serves."""

    url: str
    succession: Succession


@asynccontextmanager
async def running(port: int = 0, *, is_local: bool = True) -> AsyncIterator[Running]:
    """Serve the demo on this machine, as `trio-sio` does.

    Args:
        port: the port, 0 for any.
        is_local: whether it believes that no other machine reaches it.
    """
    premises = Premises(Hall(Limits()), Access(TOKEN, is_local=is_local))
    succession = Succession(premises)
    listeners = await trio.open_tcp_listeners(port, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(succession.serve, listeners)
        port = listeners[0].socket.getsockname()[1]
        yield Running(f"http://127.0.0.1:{port}", succession)
        succession.close()


async def visit(browser: Browser, address: str, **options: object) -> Page:
    """A page that is connected and in its room."""
    page = await browser.open(address, **(options or WIDE))
    await page.do("waitUntil", "document.querySelector('#people li') !== null")  # in a drawer
    await wait_until_up(page)
    return page


async def wait_until_up(page: Page) -> None:
    """Wait until the chat is connected, whichever view is shown."""
    await page.do(
        "waitUntil",
        "['websocket', 'polling'].includes(document.querySelector('#state').dataset.state)",
    )


async def people(page: Page) -> list[str]:
    """Who is in the room, on somebody's page."""
    names = await page.do(
        "evaluate", "[...document.querySelectorAll('#people li')].map((li) => li.dataset.nick)"
    )
    return sorted(str(name) for name in names)


async def wait_for_people(page: Page, *names: str) -> None:
    """Wait until these are in the room."""
    await page.do(
        "waitUntil",
        "[...document.querySelectorAll('#people li')].map((li) => li.dataset.nick).sort().join()"
        f" === {','.join(sorted(names))!r}",
    )


async def assert_fits(page: Page) -> None:
    """Nothing is wider than the window."""
    assert await page.do("evaluate", "document.documentElement.scrollWidth <= innerWidth")
