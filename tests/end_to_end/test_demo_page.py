"""The demo's page in a real browser: what people met who used it, on wide and narrow screens."""

from pathlib import Path

import pytest

from tests.end_to_end.browser import Browser, Page
from tests.end_to_end.demo_pages import (
    NARROW,
    SIZES,
    assert_fits,
    people,
    running,
    visit,
    wait_for_people,
)

pytestmark = pytest.mark.chromium

LEAVING = [("websocket", "polling"), ("polling", "jsonp"), ("jsonp", "websocket")]


@pytest.mark.parametrize(("before", "after"), LEAVING)
async def test_whoever_leaves_the_page_leaves_the_room(
    browser: Browser, before: str, after: str
) -> None:
    async with running() as here:
        ben = await visit(browser, f"{here.url}/?nick=Ben")
        anna = await visit(browser, f"{here.url}/?nick=Anna&transport={before}")
        await wait_for_people(ben, "Anna", "Ben")
        await anna.do("evaluate", "window.isTheSamePage = true; 0")
        await anna.do("select", "#choose-transport", after)
        await wait_for_both(anna, ben, after)
        await anna.do("back")
        await wait_for_both(anna, ben, before)
        assert (
            await anna.do("evaluate", "document.querySelector('#choose-transport').value") == before
        )
        if before == "websocket":  # out of the cache, with all that was on it
            assert await anna.do("evaluate", "window.isTheSamePage") is True
        await anna.do("evaluate", "location.assign('about:blank')")
        await wait_for_people(ben, "Ben")


async def wait_for_both(anna: Page, ben: Page, transport: str) -> None:
    """Wait until Anna is there by this transport, and both pages name both."""
    state = "websocket" if transport == "websocket" else "polling"
    jsonp = str(transport == "jsonp").lower()
    await anna.wait(f"#state[data-state={state}]")
    await anna.do("waitUntil", f"document.querySelector('#transport').dataset.jsonp === '{jsonp}'")
    for page in (anna, ben):
        await wait_for_people(page, "Anna", "Ben")


async def test_names_stay_with_their_owners_over_a_restart(browser: Browser) -> None:
    async with running() as here:
        port = int(here.url.rpartition(":")[2])
        pages = [await visit(browser, f"{here.url}/?nick=Anna&room=r{n}") for n in range(3)]
        guest = await visit(browser, f"{here.url}/?room=r3")
        pages.append(guest)
        await pages[2].wait('#people li[data-nick="Anna 3"]')
        names = [await people(page) for page in pages]
        assert names[:3] == [["Anna"], ["Anna 2"], ["Anna 3"]]
    for page in pages:
        await page.wait("#state[data-state=reconnecting]")
    async with running(port):
        for page, name in zip(pages, names, strict=True):
            await page.wait("#state[data-state=websocket]")
            await page.wait('#messages li:has-text("You are back.")')
            await wait_for_people(page, *name)


async def test_leaving_a_room_can_be_undone(browser: Browser) -> None:
    async with running() as here:
        page = await visit(browser, f"{here.url}/?nick=Anna&room=garden")
        await page.enter("#message", "still here")
        await page.wait("#messages li[data-delivery=delivered]")
        await page.do("click", "#leave")
        await page.wait('#notice:has-text("You left #garden.")')
        await page.do("waitHidden", '#rooms li[data-room="garden"]')
        await page.do("click", "#notice button")
        await page.wait('#rooms li[data-room="garden"]')
        await page.wait('#messages .text:text-is("still here")')
        assert await page.do("count", "#messages .text") == 1
        await page.do("waitHidden", "#notice")
        # It does not stand beside what it could be taken to close.
        assert (
            await page.do("evaluate", "document.querySelector('#state').nextElementSibling.id")
            != "leave"
        )


async def test_joining_a_room_by_keyboard_goes_on_to_its_message_field(browser: Browser) -> None:
    async with running() as here:
        page = await visit(browser, f"{here.url}/?nick=Anna")
        for options_page in (page, await visit(browser, f"{here.url}/?nick=Ben", **NARROW)):
            await options_page.do("key", "Control+k")
            await options_page.do("waitUntil", "document.activeElement.id === 'join-room'")
            await options_page.do("fill", "#join-room", "kitchen")
            await options_page.do("key", "Enter")
            await options_page.wait('#title:text-is("kitchen")')
            await options_page.do("waitUntil", "document.activeElement.id === 'message'")


async def test_what_is_too_long_or_no_image_is_told(browser: Browser, tmp_path: Path) -> None:
    async with running() as here:
        page = await visit(browser, f"{here.url}/?nick=Anna")
        await page.do("fill", "#nick", "n" * 30)
        await page.wait('#notice:has-text("A name may have 24 characters; this one has 30.")')
        await page.do("press", "#nick", "Enter")
        await page.wait('#notice:has-text("24 characters; this one has 30")')
        await page.do("fill", "#join-room", "r" * 40)
        await page.wait('#notice:has-text("may have 32 characters; this one has 40.")')
        await page.do("fill", "#message", "m" * 2001)
        await page.wait('#letters:has-text("2,001 of 2,000 characters")')
        await page.wait("#send:disabled")
        await page.do("fill", "#message", "m" * 2000)
        await page.wait("#send:not(:disabled)")
        path = tmp_path / "notes.txt"
        path.write_text("no picture")
        await page.do("choose", "#image", str(path))
        await page.wait('#notice:has-text("PNG, JPEG, GIF and WebP images can, up to 2 MB.")')
        middle = (
            "((box) => box.x + box.width / 2)(document.querySelector('{}').getBoundingClientRect())"
        )
        notice = await page.do("evaluate", middle.format("#notice"))
        conversation = await page.do("evaluate", middle.format("main"))
        assert abs(notice - conversation) < 1


async def test_the_chart_is_drawn_from_the_start(browser: Browser) -> None:
    async with running() as here:
        page = await visit(browser, f"{here.url}/?nick=Anna")
        await page.wait("#sparkline[data-drawn]")
        line = str(await page.do("attribute", "#spark-line", "d"))
        assert line.startswith("M0.0 ")
        assert "L200.0 " in line


async def unread(page: Page, other: Page) -> None:
    """Have a message that has not been read, in another room than the one that is open."""
    await page.do("evaluate", "document.querySelector('#join-room').value = 'kitchen'; 0")
    await page.do("evaluate", "document.querySelector('#join-form').requestSubmit()")
    await page.wait('#title:text-is("kitchen")')
    await other.enter("#message", "Is somebody there?")
    await page.do("waitUntil", "document.querySelector('#menu-badge').textContent === '1'")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_each_theme_and_size(browser: Browser, theme: str) -> None:
    async with running() as here:
        ben = await visit(browser, f"{here.url}/?nick=Ben&room=harbour")
        for size, options in SIZES.items():
            page = await visit(
                browser,
                f"{here.url}/?nick=Anna&room=harbour",
                colorScheme=theme,
                reducedMotion="reduce",
                **options,
            )
            await ben.enter("#message", "Did anybody see the sunset from the pier?")
            await page.enter("#message", "Beautiful, wasn't it? Same time tomorrow!")
            await page.wait("#messages li.mine[data-delivery=delivered]")
            await unread(page, ben)
            assert "\n".join(await page.do("axe")) == ""
            await assert_fits(page)
            if size == "narrow":
                await assert_readable_bar(page)
                for drawer in ("sidebar", "details"):
                    await page.do("click", f"#open-{drawer}")
                    await page.do(
                        "waitUntil",
                        f"document.querySelector('#{drawer}').contains(document.activeElement)",
                    )
                    assert "\n".join(await page.do("axe")) == ""
                    await page.do("key", "Escape")
                    await page.do("waitUntil", f"document.activeElement.id === 'open-{drawer}'")


async def assert_readable_bar(page: Page) -> None:
    """The room's name is whole, the menu's icon is not covered, no keys are told to fingers."""
    assert await page.do(
        "evaluate",
        "((title) => title.scrollWidth <= title.clientWidth + 1)(document.querySelector('#title'))",
    )
    lowest = await page.do(
        "evaluate",
        "document.querySelector('#menu-badge').getBoundingClientRect().bottom"
        " - document.querySelector('#open-sidebar .icon').getBoundingClientRect().top",
    )
    assert lowest <= 20 * 7 / 24  # where the first line of the icon is
    assert (
        await page.do("evaluate", "getComputedStyle(document.querySelector('.keys')).display")
        == "none"
    )
