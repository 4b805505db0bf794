"""The demo's second view in a real browser: its address, its buttons, who may see it, its looks."""

import os
from pathlib import Path

import pytest
import trio

from tests.end_to_end import png
from tests.end_to_end.browser import Browser, Page
from tests.end_to_end.demo_pages import (
    NARROW,
    SIZES,
    TOKEN,
    Running,
    assert_fits,
    running,
    visit,
    wait_until_up,
)

pytestmark = pytest.mark.chromium

FOLDER = os.environ.get("TRIO_SIO_SCREENSHOTS")
"""`TRIO_SIO_SCREENSHOTS=/tmp/pictures` in the environment writes the pictures there."""

UNDER = "/under-the-hood"
LARGEST = 150_000
"""Bytes of a picture, at most."""

FOCUS = """(() => {
  let one = document.activeElement;
  while (one.shadowRoot && one.shadowRoot.activeElement) one = one.shadowRoot.activeElement;
  const { outlineWidth, outlineStyle } = getComputedStyle(one);
  return [one.id || one.textContent, outlineStyle, parseFloat(outlineWidth)];
})()"""


async def look(browser: Browser, here: Running, query: str = "", **options: object) -> Page:
    """A page that shows the view."""
    page = await visit(browser, f"{here.url}{UNDER}{query}", **options)
    await page.wait("[data-state=connected]")
    return page


async def path(page: Page) -> str:
    return str(await page.do("evaluate", "location.pathname + location.search"))


async def press(page: Page, label: str) -> None:
    await page.do("click", f'form[data-action="{label}"] button')


async def result(page: Page, label: str, text: str) -> None:
    """Wait for what a button says."""
    await page.wait(f'form[data-action="{label}"] output:has-text("{text}")')


async def test_the_view_has_an_address_of_its_own(browser: Browser) -> None:
    async with running() as here:
        anna = await visit(browser, f"{here.url}/?nick=Anna")
        ben = await visit(browser, f"{here.url}/?nick=Ben")
        await anna.do("click", "#open-hood")
        await anna.wait("[data-state=connected]")
        assert await path(anna) == f"{UNDER}?nick=Anna"
        assert await anna.do("evaluate", "document.title") == "Under the hood · trio_sio demo"
        assert await anna.do("evaluate", "document.activeElement.id") == "hood-title"
        assert not await anna.do("evaluate", "document.querySelector('#app').checkVisibility()")

        await ben.enter("#message", "Where are you, Anna?")  # the chat goes on meanwhile
        await anna.wait('#hood-badge:text-is("1")')
        await anna.do("back")
        await anna.wait('#messages .text:text-is("Where are you, Anna?")')
        await anna.do("waitUntil", "document.querySelector('#hood-badge').hidden")
        assert await path(anna) == "/?nick=Anna"
        assert await anna.do("evaluate", "document.activeElement.id") == "open-hood"
        assert await anna.do("count", ".trio-sio-admin") == 0

        shared = await look(browser, here, "?nick=Carl", **NARROW)
        await shared.do("evaluate", "location.reload()")
        await shared.wait("[data-state=connected]")
        await shared.do("click", "#close-hood")
        await shared.wait("#title")
        assert await path(shared) == "/?nick=Carl"
        for page in (anna, shared):
            assert await page.complaints() == []


async def test_what_the_buttons_show(browser: Browser) -> None:
    async with running() as here:
        page = await look(browser, here)
        await press(page, "Hold the event loop")
        await result(page, "Hold the event loop", "Nobody was served for 300 ms.")
        await page.wait('section[aria-label^=Limits] td:has-text("0.3"), td:has-text("0.4")')
        await page.wait('th:has-text("trio_sio.demo.hood.exhibits.Exhibits.hold")')

        await trio.sleep(1)  # the rest behind each
        await press(page, "Slow client")
        row = 'section[aria-label=Sessions] tr:has-text("slow client")'
        await page.wait(f'{row}:has-text("behind")')
        await result(page, "Slow client", "It is over.")
        await page.wait('.notes td:has-text("3 of the 3 clients beside it have received all")')
        ended = 'section[aria-label="Ends of sessions"] tr:has-text("slow client")'
        await page.wait(f'{ended}:has-text("max_outbox: 513 of 512")')
        assert await page.do("count", row) == 0

        await trio.sleep(1)
        await press(page, "Flood")
        await result(page, "Flood", "It is over.")
        await page.wait('.notes td:has-text("(max_events_per_second)")')
        limits = "section[aria-label^=Limits]"
        await page.wait(f'{limits} tr:has-text("max_events_per_second"):has-text("3")')
        assert float(await page.text("#hood-latency")) < float(await page.text("#hood-peak"))
        assert await page.complaints() == []


async def test_a_drain_takes_the_page_along(browser: Browser) -> None:
    async with running() as here:
        page = await look(browser, here, "?nick=Anna")
        await press(page, "Drain")
        await result(page, "Drain", "Server 2 takes over. The notes tell what happens.")
        await page.wait('#hood-title:text-is("Under the hood: server 2")')
        await page.wait('.notes td:has-text("3 of them moved, and each has all of them.")')
        await result(page, "Drain", "Server 2 takes over.")  # it is still there
        await wait_until_up(page)
        await page.do("click", "#close-hood")
        await page.wait('#messages li:has-text("You are back.")')
        assert await page.do("evaluate", "document.querySelector('#nick').value") == "Anna"
        await page.enter("#message", "hello, server 2")
        await page.wait("#messages li[data-delivery=delivered]")


async def test_elsewhere_it_takes_the_token(browser: Browser) -> None:
    async with running(is_local=False) as here:
        page = await visit(browser, f"{here.url}{UNDER}")
        await page.wait('.state:has-text("The server can be reached from other machines.")')
        await page.wait('.state:has-text("needs the token")')
        assert "\n".join(await page.do("axe")) == ""
        await page.enter("input[name=token]", "guessed")
        await page.wait('.state:has-text("This is not the token")')
        await page.enter("input[name=token]", TOKEN)
        await page.wait("[data-state=connected]")
        await page.do("click", "#close-hood")
        await page.do("click", "#open-hood")
        await page.wait("[data-state=connected]")  # it is not asked again


async def test_by_keyboard(browser: Browser) -> None:
    async with running() as here:
        page = await visit(browser, f"{here.url}/?nick=Anna")
        await page.do("evaluate", "document.querySelector('#open-hood').focus()")
        await page.do("key", "Enter")
        await page.wait("[data-state=connected]")
        await page.do("waitUntil", "document.activeElement.id === 'hood-title'")
        seen = []
        while "Slow client" not in seen:
            await page.do("key", "Tab")
            name, style, width = await page.do("evaluate", FOCUS)
            assert style == "solid" or name == "", name
            assert width >= 2, name
            seen.append(name)
            assert len(seen) < 20, seen
        await page.do("key", "Enter")
        await result(page, "Slow client", "It runs")
        await page.do("key", "Control+k")  # a key of the chat, which is not seen
        assert (await page.do("evaluate", FOCUS))[0] != "join-room"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_each_view_in_each_theme_and_size(
    browser: Browser, size: str, theme: str, tmp_path: Path
) -> None:
    folder = Path(FOLDER) if FOLDER else tmp_path
    viewport = SIZES[size]["viewport"]
    async with running() as here:
        ben = await visit(browser, f"{here.url}/?nick=Ben&room=harbour")
        looks = {"colorScheme": theme, "reducedMotion": "reduce", **SIZES[size]}
        page = await visit(browser, f"{here.url}/?nick=Anna&room=harbour", **looks)
        await ben.enter("#message", "Did anybody see the sunset from the pier?")
        await page.wait("#messages li:not(.mine)")
        await page.enter("#message", "Beautiful, wasn't it? Same time tomorrow!")
        await page.wait("#messages li.mine[data-delivery=delivered]")
        await page.do("waitUntil", "document.querySelector('#sparkline[data-drawn]') !== null")
        await take(page, folder / f"chat-{size}-{theme}.png", **viewport)
        await page.do("evaluate", "document.querySelector('#open-hood').click()")
        await page.wait("[data-state=connected]")
        if FOLDER:
            await have_a_past(page)
        await press(page, "Slow client")
        await page.wait('section[aria-label=Sessions] tr:has-text("behind")')
        await page.do("evaluate", "document.querySelector('#hood').scrollTo(0, 0)")
        await take(page, folder / f"hood-{size}-{theme}.png", **viewport)


async def have_a_past(page: Page) -> None:
    """Have lines in the charts, and notes below them."""
    await press(page, "Flood")
    await result(page, "Flood", "It is over.")
    await trio.sleep(20)
    await press(page, "Hold the event loop")
    await result(page, "Hold the event loop", "Nobody was served")
    await trio.sleep(5)


async def take(page: Page, picture: Path, width: int, height: int) -> None:
    """Draw a page, and have axe look at it."""
    await assert_fits(page)
    await page.do("screenshot", str(picture))
    assert "\n".join(await page.do("axe")) == ""
    if FOLDER:
        await trio.to_thread.run_sync(png.shrink, picture)
    data = await trio.Path(picture).read_bytes()
    drawn = png.decode(data)
    assert (drawn.width, drawn.height) == (width, height)
    assert len(drawn.colours()) > 100
    assert len(data) < LARGEST
