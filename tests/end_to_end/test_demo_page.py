"""What visitors of the demo's page met: ghosts, swapped names, rooms that were left by mistake."""

from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.browser import Browser, Page, chromium
from tests.support.peers import served
from trio_sio.demo.application import Demo

pytestmark = pytest.mark.chromium


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def visit(browser: Browser, url: str, nick: str, **options: object) -> Page:
    page = await browser.open(f"{url}/?nick={nick}&room=garden", **options)
    await page.wait("#state[data-state=websocket]")
    await page.wait(f'#people li[data-nick="{nick}"]')
    return page


def event(name: str, *, persisted: bool) -> str:
    """JavaScript for what a browser tells a page that it puts away, or takes out again."""
    kept = str(persisted).lower()
    return f'void dispatchEvent(new PageTransitionEvent("{name}", {{ persisted: {kept} }}))'


async def test_a_page_that_is_put_away_is_no_ghost(browser: Browser) -> None:
    async with served(Demo().io) as url:
        anna, ben = [await visit(browser, url, nick) for nick in ("Anna", "Ben")]
        await anna.do("evaluate", event("pagehide", persisted=True))
        await ben.do("waitHidden", '#people li[data-nick="Anna"]')
        await anna.do("evaluate", event("pageshow", persisted=True))
        await ben.wait('#people li[data-nick="Anna"]')
        await anna.wait('#messages li[data-kind=note]:has-text("You are back.")')


async def test_a_page_that_was_disconnected_stays_so(browser: Browser) -> None:
    async with served(Demo().io) as url:
        anna = await visit(browser, url, "Anna")
        await anna.do("click", "#connect")
        await anna.wait("#state[data-state=disconnected]")
        await anna.do("evaluate", event("pagehide", persisted=True))
        await anna.do("evaluate", event("pageshow", persisted=True))
        assert await anna.do("attribute", "#state", "data-state") == "disconnected"


async def test_names_do_not_swap_after_a_restart(browser: Browser) -> None:
    async with served(Demo().io) as url:
        first = await visit(browser, url, "Anna")
        second = await browser.open(f"{url}/?nick=Anna&room=garden")
        await second.wait("#people li.me, #people li")
        given = await second.do("evaluate", 'sessionStorage.getItem("nick")')
        assert given not in (None, '"Anna"')
        await first.do("click", "#connect")  # the other one could take the name now
        await second.do("click", "#connect")
        await second.do("click", "#connect")
        await second.wait("#state[data-state=websocket]")
        await first.do("click", "#connect")
        await first.wait(f"#people li[data-nick={given}]")
        assert await first.do("evaluate", 'document.querySelector("#nick").value') == "Anna"


async def test_a_room_that_was_left_by_mistake(browser: Browser) -> None:
    async with served(Demo().io) as url:
        anna = await visit(browser, url, "Anna")
        await anna.do("click", "#leave")
        await anna.do("waitHidden", '#rooms li[data-room="garden"]')
        await anna.do("click", '#notice button:text-is("Undo")')
        await anna.wait('#rooms li[data-room="garden"]')
        await anna.do("waitHidden", "#notice")


async def test_one_can_write_at_once_in_a_room_that_was_joined(browser: Browser) -> None:
    async with served(Demo().io) as url:
        anna = await visit(browser, url, "Anna")
        await anna.do("press", "body", "Control+k")
        await anna.enter("#join-room", "Kitchen")
        await anna.wait('#title:text-is("kitchen")')
        await anna.wait("#message:focus")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1360])
async def test_the_page_on_all_screens(browser: Browser, width: int, theme: str) -> None:
    options = {"viewport": {"width": width, "height": 640}, "colorScheme": theme}
    async with served(Demo().io) as url:
        anna = await browser.open(f"{url}/?nick=Anna&room=lobby", **options)
        await anna.wait("#state[data-state=websocket]")
        await anna.wait('#title:text-is("lobby")')
        title = 'document.querySelector("#title")'
        assert await anna.do("evaluate", f"{title}.scrollWidth <= {title}.clientWidth + 1")
        assert await anna.do("evaluate", "document.documentElement.scrollWidth") <= width
        assert await anna.do("axe") == []
