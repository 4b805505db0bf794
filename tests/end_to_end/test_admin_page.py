"""The view "Under the hood" in a real browser: what it shows, and who can use it."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

import trio_sio
from tests.end_to_end import png
from tests.end_to_end.browser import Browser, Page
from tests.support.peers import served
from trio_sio.admin import Admin
from trio_sio.options import TransportName
from trio_sio.testing import MemoryClient, connect

pytestmark = pytest.mark.chromium

HOSTILE = "<img src=x onerror=document.title='taken'>"
WIDTH, HEIGHT = 1360, 1500

WANTED = "TRIO_SIO_SCREENSHOT_ADMIN"
"""`TRIO_SIO_SCREENSHOT_ADMIN=docs/images/under_the_hood.png` writes the guide's picture."""


OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
OUTLINE = """(() => {
  let one = document.activeElement;
  while (one.shadowRoot && one.shadowRoot.activeElement) one = one.shadowRoot.activeElement;
  const { outlineWidth, outlineStyle } = getComputedStyle(one);
  return [one.textContent, outlineStyle, parseFloat(outlineWidth)];
})()"""
"""Of the element that has the focus: its text, and the style and width of its outline."""


async def serious(page: Page) -> list[str]:
    """Return what axe-core finds that is serious or critical."""
    return [one for one in await page.do("axe") if one.startswith(("serious ", "critical "))]


def is_operator(socket: trio_sio.Socket) -> bool:
    return socket.handshake.auth.get("token") == "right"


class Scene:
    """A server with a view, a client in memory, and a browser."""

    def __init__(self, url: str, client: MemoryClient, browser: Browser) -> None:
        self.url = url
        self.client = client
        self._browser = browser

    async def visit(self, width: int = WIDTH) -> Page:
        """Open the page, and sign in."""
        viewport = {"width": width, "height": HEIGHT}
        page = await self._browser.open(f"{self.url}/admin/", viewport=viewport)
        await page.wait("[data-state=refused]")
        await page.enter("input[name=token]", "right")
        await page.wait("[data-state=connected]")
        await page.wait("section[aria-label=Sessions] tbody tr >> nth=1")
        return page


@asynccontextmanager
async def scene(
    browser: Browser,
    *,
    read_only: bool = False,
    transports: Sequence[TransportName] = ("polling", "websocket"),
) -> AsyncIterator[Scene]:
    io = trio_sio.Server(max_rooms=50, transports=transports)
    view = Admin(io, check=is_operator, read_only=read_only)

    async def message(socket: trio_sio.Socket, *args: object) -> None:
        await socket.join(HOSTILE)
        await socket.emit(HOSTILE, *args)

    @io.on("chat message")
    async def chat(socket: trio_sio.Socket, text: str) -> None:
        await socket.join("garden")
        await io.emit("chat message", text)

    io.on("message", message)
    io.on(HOSTILE, message)

    @view.action("Greet", description="Says hello.", arguments={"name": "Anna", "times": 2})
    async def greet(socket: trio_sio.Socket, name: str, times: int) -> str:
        return " ".join([f"Hello {name}!"] * times)

    @view.action("Break", description="Fails.", danger=True)
    async def break_down(socket: trio_sio.Socket) -> None:
        raise OSError("secret")

    async with served(io) as url, connect(io, raise_errors=False) as client:
        yield Scene(url, client, browser)


async def test_an_operator_watches_and_acts(browser: Browser) -> None:
    async with scene(browser) as here:
        page = await here.visit()
        await page.do("click", ".watch")
        await page.wait(".watch[aria-pressed=true]")
        await here.client.emit(HOSTILE, HOSTILE)
        await page.wait(f'.packets td:has-text("{HOSTILE}") >> nth=1')
        await page.wait(f'section[aria-label^=Namespaces] td:has-text("{HOSTILE} (1)")')
        assert await page.do("count", ".inside img") == 0
        assert await page.text("h1") == "Under the hood"
        assert await page.do("evaluate", "document.title") == "Under the hood"

        greet, broken = "form[data-action=Greet]", "form[data-action=Break]"
        await page.do("fill", f"{greet} input[type=text]", HOSTILE)
        await page.do("click", f"{greet} button")
        await page.wait(f'{greet} output:has-text("Hello {HOSTILE}! Hello {HOSTILE}!")')
        await page.do("click", f"{broken} button")
        await page.do("click", 'dialog button:has-text("Cancel")')
        assert await page.text(f"{broken} output") == ""
        await page.do("click", f"{broken} button")
        await page.do("click", "dialog button.danger")
        await page.wait(f'{broken} output.failed:has-text("OSError")')

        await page.do("click", 'section[aria-label=Sessions] button:has-text("memory")')
        await page.wait('dialog.details dd:has-text("127.0.0.1")')
        await page.do("click", "dialog.details button.end")
        await page.do("click", "dialog:not(.details) button.danger")
        await here.client.session.wait_closed()
        await page.do("click", "dialog.details button.close")
        ended = 'section[aria-label="Ends of sessions"] td'
        await page.wait(f'{ended}:has-text("server namespace disconnect")')
        assert await page.complaints() == []


async def test_everybody_can_use_it(browser: Browser) -> None:
    async with scene(browser) as here:
        wide, narrow = await here.visit(), await here.visit(320)
        for page in (wide, narrow):
            await page.do("click", ".watch")
            await here.client.emit("message", "to have something to see")
            await page.wait(".packets td >> nth=1")
            for theme in ("light", "dark"):
                await page.do("setTheme", theme)
                assert await serious(page) == []
            assert await page.do("evaluate", OVERFLOW) <= 0
        await wide.do("click", 'section[aria-label=Sessions] button:has-text("memory")')
        await wide.wait("dialog.details")
        assert await serious(wide) == []
        assert (await wide.do("evaluate", OUTLINE))[0] == "Close"
        await wide.do("key", "Escape")
        await wide.do("waitHidden", "dialog.details")
        for _ in range(3):
            await wide.do("key", "Tab")
            _, style, width = await wide.do("evaluate", OUTLINE)
            assert (style, width >= 2) == ("solid", True)


async def test_read_only(browser: Browser) -> None:
    async with scene(browser, read_only=True, transports=["websocket"]) as here:
        page = await here.visit()
        await page.wait('.state:has-text("Nothing can be changed from here.")')
        assert await page.do("count", "form.action") == 0
        await page.do("click", 'section[aria-label=Sessions] button:has-text("memory")')
        await page.wait("dialog.details")
        assert await page.do("count", "dialog.details button.danger") == 0
        assert not here.client.session.closed


@pytest.fixture
def screenshot(tmp_path: Path) -> Path:
    """Where the guide's picture goes: elsewhere, unless somebody wants a new one."""
    return Path(os.environ.get(WANTED) or tmp_path / "view.png").resolve()


async def test_screenshot(browser: Browser, screenshot: Path) -> None:
    async with scene(browser) as here:
        page = await here.visit()
        if WANTED in os.environ:  # lines in the charts
            for number in range(40):
                for _ in range(number * 7 % 11):
                    await here.client.emit("chat message", "hello")
                await trio.sleep(1)
        await page.do("click", ".watch")
        for number in range(6):
            await here.client.emit("chat message", f"hello, number {number}")
            await trio.sleep(0.2)
        await page.wait(".packets td:has-text('hello, number 5')")
        await page.do("screenshot", str(screenshot))
    assert_drawn(screenshot)


def assert_drawn(screenshot: Path) -> None:
    drawn = png.shrink(screenshot)
    assert (drawn.width, drawn.height) == (WIDTH, HEIGHT)
    assert len(drawn.colours()) > 100
