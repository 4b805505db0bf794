"""Pages of both generations of socket.io-client in a real browser, with one server.

The demo's page is loaded with the client 2.5.0 and with 4.8.4, and people chat across them.
Plain pages load each build of 4.8.4 from the server's path, by each way to travel.
"""

from pathlib import Path
from typing import Literal

import pytest

import trio_sio
from tests.end_to_end.browser import Browser, Page
from tests.end_to_end.demo_pages import (
    SIZES,
    TOKEN,
    assert_fits,
    people,
    running,
    visit,
    wait_for_people,
)
from tests.end_to_end.scenery import sunset
from tests.support.peers import served

pytestmark = pytest.mark.chromium

WAYS = {"": "websocket", "polling": "polling", "websocket": "websocket"}
"""In which state a page settles, by what `?transport=` says."""

PAIRS = [("", ""), ("jsonp", "polling"), ("polling", "websocket"), ("websocket", "polling")]
"""How a page of 2.5.0 and one of 4.8.4 travel that chat."""


async def assert_speaks(page: Page, release: str, transport: str) -> None:
    """The page has loaded this client, and travels in this way."""
    loaded = "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)"
    scripts = await page.do("evaluate", f"{loaded}.filter((path) => path.includes('socket.io.'))")
    assert scripts == [
        "/socket.io/socket.io.js" if release == "2.5.0" else "/socket.io/socket.io.min.js"
    ]
    await page.wait(f"#state[data-state={'websocket' if transport == 'websocket' else 'polling'}]")
    asked = await page.do(
        "evaluate",
        "[...new Set(performance.getEntriesByType('resource')"
        ".map((one) => new URL(one.name).searchParams.get('EIO')).filter(Boolean))]",
    )
    assert asked in ([], ["3" if release == "2.5.0" else "4"])  # nothing by WebSocket alone


async def say(author: Page, reader: Page, text: str) -> None:
    await author.enter("#message", text)
    await author.wait(f'#messages li.mine[data-delivery=delivered] .text:text-is("{text}")')
    await reader.wait(f'#messages li:not(.mine) .text:text-is("{text}")')


@pytest.mark.parametrize(("old_way", "new_way"), PAIRS)
async def test_two_generations_chat(
    browser: Browser, old_way: str, new_way: str, tmp_path: Path
) -> None:
    picture = tmp_path / "sunset.png"
    picture.write_bytes(sunset(64, 36))
    async with running() as here:
        old = await visit(browser, f"{here.url}/?nick=Olga&transport={old_way}")
        new = await visit(browser, f"{here.url}/?client=4&nick=Nils&transport={new_way}")
        await assert_speaks(old, "2.5.0", WAYS.get(old_way, "polling"))
        await assert_speaks(new, "4.8.4", WAYS[new_way])
        for page in (old, new):
            await wait_for_people(page, "Nils", "Olga")
        for author, reader, name in ((old, new, "Olga"), (new, old, "Nils")):
            await say(author, reader, f"I am {name}, größer \U0001f600 \U0001d54a")
            await author.do("choose", "#image", str(picture))
            await author.wait("#messages li.mine[data-kind=image][data-delivery=delivered]")
            seen = await reader.do("image", "#messages li:not(.mine) img")
            assert seen == await author.do("image", "#messages li.mine img")
            assert seen[:2] == [64, 36]
        await old.do("click", '#people li[data-nick="Nils"] button')
        await old.enter("#message", "for you alone")
        await new.wait('#privates li[data-nick="Olga"] .badge')
        await new.do("click", '#privates li[data-nick="Olga"] button')
        await say(new, old, "and back")
        for page in (old, new):
            assert await page.complaints() == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_page_of_4_leaves_and_comes_back(browser: Browser, way: str) -> None:
    address = f"/?client=4&nick=Nils&transport={way}"
    async with running() as here:
        port = int(here.url.rpartition(":")[2])
        old = await visit(browser, f"{here.url}/?nick=Olga")
        new = await visit(browser, f"{here.url}{address}")
        await wait_for_people(old, "Nils", "Olga")
        await new.do("evaluate", "location.assign('about:blank')")
        await wait_for_people(old, "Olga")
        await new.do("back")
        await wait_for_people(old, "Nils", "Olga")
        await new.do("click", "#connect")
        await new.wait("#state[data-state=disconnected]")
        await wait_for_people(old, "Olga")
        await new.do("click", "#connect")
        await wait_for_people(old, "Nils", "Olga")
    await new.wait("#state[data-state=reconnecting]")
    async with running(port):
        await new.wait(f"#state[data-state={WAYS[way]}]")
        await new.wait('#messages li[data-kind=note]:has-text("You are back.")')
        for page in (old, new):
            await wait_for_people(page, "Nils", "Olga")


async def test_the_generation_is_chosen_on_the_page(browser: Browser) -> None:
    async with running() as here:
        page = await visit(browser, f"{here.url}/?nick=Anna&room=garden&transport=jsonp")
        ways = "[...document.querySelectorAll('#choose-transport option')].map((one) => one.value)"
        assert await page.do("evaluate", ways) == ["", "polling", "websocket", "jsonp"]
        await page.do("select", "#choose-client", "4")
        await page.wait("body[data-client='4']")
        await page.wait("#state[data-state=polling]")  # which is what it has in place of JSONP
        await assert_speaks(page, "4.8.4", "polling")
        assert await page.do("evaluate", ways) == ["", "polling", "websocket"]
        assert await page.do("evaluate", "document.querySelector('#choose-client').value") == "4"
        assert await page.text("#state") == "Polling"
        assert await people(page) == ["Anna"]
        assert await page.text("#title") == "garden"
        await page.do("select", "#choose-transport", "websocket")
        await page.wait("#state[data-state=websocket]")
        await assert_speaks(page, "4.8.4", "websocket")
        await page.do("select", "#choose-client", "")
        await page.wait("body[data-client='2']")
        await page.wait("#state[data-state=websocket]")
        await assert_speaks(page, "2.5.0", "websocket")
        assert await page.complaints() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everybody_can_use_a_page_of_4(browser: Browser, theme: str) -> None:
    async with running() as here:
        old = await visit(browser, f"{here.url}/?nick=Olga&room=harbour")
        for size, options in SIZES.items():
            page = await visit(
                browser,
                f"{here.url}/?client=4&nick=Nils&room=harbour",
                colorScheme=theme,
                reducedMotion="reduce",
                **options,
            )
            await say(page, old, f"from a {size} window")
            if size == "narrow":
                await page.do("click", "#open-details")
                await page.wait("#choose-client")
            assert "\n".join(await page.do("axe")) == ""
            await assert_fits(page)


async def test_under_the_hood_with_a_client_of_4(browser: Browser) -> None:
    async with running(is_local=False) as here:
        page = await visit(browser, f"{here.url}/under-the-hood?client=4")
        await page.wait('.state:has-text("needs the token")')
        await page.enter("input[name=token]", "guessed")
        await page.wait('.state:has-text("This is not the token")')
        await page.enter("input[name=token]", TOKEN)
        await page.wait("[data-state=connected]")
        await page.wait('section[aria-label=Sessions] td:has-text("Socket.IO 3.x, 4.x")')
        await page.wait('p:has-text("0 clients of 2.x · 2 of 3.x and 4.x")')  # the chat, and this
        await page.do("click", "#close-hood")
        await page.do("click", "#open-hood")
        await page.wait("[data-state=connected]")  # it is not asked again
        # There are complaints: who is refused polls, upgrades and closes at the same time.


# -- plain pages ---------------------------------------------------------------------------------

SCRIPT = """<script src="/socket.io/{name}"></script>
<script>"""
MODULE = """<script type="module">
import {{ io }} from '/socket.io/{name}';
"""
PLAIN = """<!doctype html><title>plain</title><link rel="icon" href="data:,">
<p id="state"></p><p id="heard"></p><p id="answer"></p><p id="refusal"></p>
{script}
const show = (id, text) => {{ document.getElementById(id).textContent = text; }};
const socket = io({{ transports: {transports}, auth: {{ token: 'secret' }} }});
socket.on('connect', () => {{
  socket.emit('echo', new Uint8Array([1, 2, 253]).buffer, 'größer \U0001f600', (bytes, text) => {{
    show('answer', `${{[...new Uint8Array(bytes)]}} ${{text}}`);
  }});
  const settle = () => show('state', socket.io.engine.transport.name);
  settle();
  socket.io.engine.on('upgrade', settle);
}});
socket.on('welcome', (name, bytes) => show('heard', `${{name}} ${{[...new Uint8Array(bytes)]}}`));
const outside = socket.io.socket('/closed');
outside.on('connect_error', (error) => show('refusal', `${{error.message}} ${{error.data.code}}`));
outside.connect();
</script>"""
BUILDS = {
    "socket.io.min.js": SCRIPT,
    "socket.io.js?v=4": SCRIPT,
    "socket.io.esm.min.js": MODULE,
    "socket.io.msgpack.min.js": SCRIPT,
}


@pytest.mark.parametrize("transports", ["polling websocket", "polling", "websocket"])
@pytest.mark.parametrize("build", BUILDS)
async def test_each_build_of_4(browser: Browser, build: str, transports: str) -> None:
    names = transports.split()

    async def page(request: trio_sio.Request) -> trio_sio.Response:
        script = BUILDS[build].format(name=build)
        text = PLAIN.format(script=script, transports=names)
        return trio_sio.Response(200, [("Content-Type", "text/html; charset=utf-8")], text.encode())

    parser: Literal["msgpack"] | None = "msgpack" if "msgpack" in build else None
    io = trio_sio.Server(fallback=page, parser=parser, raise_errors=True)

    @io.on("connection")
    async def welcome(socket: trio_sio.Socket) -> None:
        assert (socket.protocol, socket.handshake.auth) == (5, {"token": "secret"})
        await socket.emit("welcome", "größer \U0001d54a", b"\x00\xff")

    @io.on("echo")
    async def echo(socket: trio_sio.Socket, *args: object) -> tuple[object, ...]:
        return args

    @io.of("/closed").use
    async def refuse(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("not today", {"code": 7})

    async with served(io) as url:
        plain = await browser.open(url + "/")
        await plain.wait('#answer:text-is("1,2,253 größer \U0001f600")')
        await plain.wait('#heard:text-is("größer \U0001d54a 0,255")')
        await plain.wait('#refusal:text-is("not today 7")')
        await plain.wait(f'#state:text-is("{names[-1]}")')
        assert await plain.complaints() == []
