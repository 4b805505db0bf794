"""The demo in a real browser: two pages chat, one of them by JSONP polling."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.end_to_end import png
from tests.end_to_end.browser import Browser, Page
from tests.end_to_end.scenery import sunset
from tests.support.peers import DEADLINE, served
from trio_sio.demo.application import Demo
from trio_sio.options import WSEngine

pytestmark = pytest.mark.chromium

# In which state a page settles, by what `?transport=` says.
SETTLED = {"": "websocket", "polling": "polling", "websocket": "websocket", "jsonp": "polling"}
ENGINES: dict[str, tuple[WSEngine, ...]] = {
    "websocket": ("trio-websocket", "websockets"),
    "polling": ("auto",),
}
"""By the state that is settled in: a page that only polls meets no WebSocket engine."""

each_way = pytest.mark.parametrize(
    ("transport", "ws_engine"),
    [(way, engine) for way, state in SETTLED.items() for engine in ENGINES[state]],
)
WIDTH, HEIGHT = 1360, 850

WANTED = "TRIO_SIO_SCREENSHOT"
"""`TRIO_SIO_SCREENSHOT=docs/images/demo.png` in the environment writes the README's picture."""


@asynccontextmanager
async def demo(ws_engine: WSEngine, port: int = 0) -> AsyncIterator[str]:
    application = Demo(ws_engine=ws_engine)
    async with served(application.io, port) as url, trio.open_nursery() as nursery:
        nursery.start_soon(application.push_figures)
        yield url
        nursery.cancel_scope.cancel()


async def visit(
    browser: Browser, url: str, nick: str, transport: str = "", room: str = "garden"
) -> Page:
    """A page that has settled: connected, upgraded if it will, and in its room."""
    query = f"?nick={nick}&room={room}&transport={transport}"
    page = await browser.open(f"{url}/{query}", viewport={"width": WIDTH, "height": HEIGHT})
    await page.wait(f"#state[data-state={SETTLED[transport]}]")
    await page.wait(f'#people li[data-nick="{nick}"]')
    return page


async def say(author: Page, reader: Page, text: str) -> None:
    await author.enter("#message", text)
    await author.wait(f'#messages li.mine[data-delivery=delivered] .text:text-is("{text}")')
    await reader.wait(f'#messages li:not(.mine) .text:text-is("{text}")')


async def share(author: Page, reader: Page, picture: Path) -> None:
    """Share a picture, and compare what the reader has got."""
    await author.do("choose", "#image", str(picture))
    await author.wait("#messages li.mine[data-kind=image][data-delivery=delivered]")
    assert await reader.do("image", "#messages li:not(.mine) img") == size_and_middle(picture)


def size_and_middle(picture: Path) -> list[object]:
    """What `browser.js` tells of an image."""
    decoded = png.decode(picture.read_bytes())
    at = decoded.width // 2 * decoded.channels
    return [decoded.width, decoded.height, [*decoded.rows[decoded.height // 2][at : at + 3]]]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """An image to share."""
    path = tmp_path / "sunset.png"
    path.write_bytes(sunset(480, 270))
    return path


@pytest.fixture
def screenshot(tmp_path: Path) -> Path:
    """Where the README's picture goes: elsewhere, unless somebody wants a new one."""
    return Path(os.environ.get(WANTED) or tmp_path / "demo.png").resolve()


async def type_until_seen(author: Page, reader: Page, name: str) -> None:
    """Type until the reader sees it: `typing` is volatile, and a poller is away now and then."""
    with trio.fail_after(DEADLINE):
        while not await reader.do("count", f'#typing:has-text("{name} is typing")'):
            await author.do("type", "#message", "so ")
            await trio.sleep(0.3)


async def test_two_people_chat(browser: Browser, ws_engine: WSEngine, picture: Path) -> None:
    async with demo(ws_engine) as url:
        anna = await visit(browser, url, "Anna")
        ben = await visit(browser, url, "Ben", "jsonp")
        await anna.wait("#transport[data-upgraded=true][data-jsonp=false]")
        await ben.wait("#transport[data-upgraded=false][data-jsonp=true]")
        assert await ben.text("#state") == "JSONP polling"
        await anna.wait('#people li[data-nick="Ben"]')
        await ben.wait('#people li[data-nick="Anna"]')

        for author, reader, name in ((anna, ben, "Anna"), (ben, anna, "Ben")):
            await type_until_seen(author, reader, name)
            await say(author, reader, f"I am {name}, größer \U0001f600 \U0001d54a")
            await reader.do("waitHidden", "#typing:has-text('is typing')")
            await share(author, reader, picture)

        await anna.wait('#figure-clients:text-is("2")')
        for page in (anna, ben):
            assert await page.complaints() == []


async def test_private_messages(browser: Browser, ws_engine: WSEngine) -> None:
    async with demo(ws_engine) as url:
        anna = await visit(browser, url, "Anna")
        ben = await visit(browser, url, "Ben", "jsonp")
        carl = await visit(browser, url, "Carl", "websocket")
        await anna.do("click", '#people li[data-nick="Ben"] button')
        assert await anna.text("#title") == "Ben"
        await anna.enter("#message", "only for you")
        await ben.wait('#privates li[data-nick="Anna"] .badge')
        await ben.do("click", '#privates li[data-nick="Anna"] button')
        await ben.wait('#messages .text:text-is("only for you")')
        await say(ben, anna, "and for you")
        await carl.enter("#message", "said by Carl")
        await carl.wait("#messages li.mine[data-delivery=delivered]")
        assert await carl.do("count", "#messages .text") == 1
        assert await carl.do("count", "#privates li") == 0
        for page in (anna, ben, carl):
            assert await page.complaints() == []


@each_way
async def test_rooms_and_measurements(
    browser: Browser, ws_engine: WSEngine, transport: str
) -> None:
    async with demo(ws_engine) as url:
        page = await visit(browser, url, "Anna", transport)
        await page.enter("#join-room", "Kitchen")
        await page.wait('#title:text-is("kitchen")')
        await page.wait('#rooms li[data-room="garden"]')
        await page.enter("#nick", "Anna Lena")
        await page.wait('#people li[data-nick="Anna Lena"]')
        await page.do("click", "#leave")
        await page.wait('#title:text-is("garden")')
        await page.do("waitHidden", '#rooms li[data-room="kitchen"]')
        await page.do("click", "#measure")
        await page.wait('#measurement:has-text("50 trips")')
        await page.do("click", "#connect")
        await page.wait("#state[data-state=disconnected]")
        await page.do("click", "#connect")
        await page.wait(f"#state[data-state={SETTLED[transport]}]")
        await page.wait('#messages li[data-kind=note]:has-text("You are back.")')
        assert await page.complaints() == []


@each_way
async def test_the_page_comes_back(browser: Browser, ws_engine: WSEngine, transport: str) -> None:
    async with demo(ws_engine) as url:
        page = await visit(browser, url, "Anna", transport)
        port = int(url.rpartition(":")[2])
    await page.wait("#state[data-state=reconnecting]")
    async with demo(ws_engine, port) as url:
        await page.wait(f"#state[data-state={SETTLED[transport]}]")
        await page.wait('#messages li[data-kind=note]:has-text("You are back.")')
        ben = await visit(browser, url, "Ben")
        await say(page, ben, "here I am again")


async def test_screenshot(browser: Browser, picture: Path, screenshot: Path) -> None:
    async with demo("auto") as url:
        anna = await visit(browser, url, "Anna", room="harbour")
        ben = await visit(browser, url, "Ben", "jsonp", "harbour")
        chiara = await visit(browser, url, "Chiara", room="harbour")
        for nick, room in (("Dmitri", "lobby"), ("Emeka", "garden"), ("Fumiko", "garden")):
            await visit(browser, url, nick, room=room)
        await converse(anna, ben, chiara, picture)
        await anna.do("screenshot", str(screenshot))
    assert_drawn(screenshot)


def assert_drawn(screenshot: Path) -> None:
    drawn = png.shrink(screenshot)
    assert (drawn.width, drawn.height) == (WIDTH, HEIGHT)
    assert len(drawn.colours()) > 1000


async def converse(anna: Page, ben: Page, chiara: Page, picture: Path) -> None:
    """Have something to see on Anna's page."""
    await say(ben, anna, "Did anybody see the sunset?")
    await say(anna, ben, "From the pier! Wait, I have a picture \U0001f60e")
    await share(anna, ben, picture)
    await chiara.do("click", '#people li[data-nick="Anna"] button')
    await chiara.enter("#message", "Same time tomorrow?")
    await anna.wait('#privates li[data-nick="Chiara"] .badge')
    await chiara.do("click", '#rooms li[data-room="harbour"] button')
    await anna.do("click", "#measure")
    await anna.wait('#measurement:has-text("50 trips")')
    if WANTED in os.environ:
        await trio.sleep(30)  # a line of round trips on a machine that has calmed down
    await say(ben, anna, "Beautiful. And that came in over JSONP polling.")
    await say(anna, ben, "Mine left by WebSocket, one binary event \U0001f604")
    await say(chiara, anna, "Tomorrow I will bring my camera, too.")
    await ben.do("type", "#message", "I")
    await anna.wait('#figure-messages:not(:text-is("0"))')
    await anna.wait('#typing:has-text("Ben is typing")')
