"""A page of another origin in a real browser, with socket.io-client 2.5.0 and `extraHeaders`.

Chromium asks before each request that has them, and lets the page read no answer that does not say
that it may: what the server says is judged by what the page sees.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, quote

import pytest

import trio_sio
from tests.end_to_end.browser import Browser, Page, chromium
from tests.support.peers import JAVASCRIPT, served

pytestmark = pytest.mark.chromium

CLIENT = JAVASCRIPT / "node_modules" / "socket.io-client" / "dist"

PAGE = """<!doctype html><title>elsewhere</title><link rel="icon" href="data:,">
<script src="{server}/socket.io/socket.io.js"></script>
<p id="state"></p><p id="echo"></p><p id="refusal"></p><p id="nowhere"></p>
<script>
const show = (id, text) => {{ document.getElementById(id).textContent = text; }};
const extraHeaders = {{ Authorization: 'Bearer secret' }};
const socket = io('{server}', {{
  transports: ['polling'], reconnection: false, transportOptions: {{ polling: {{ extraHeaders }} }},
}});
socket.on('connect_error', (error) => show('state', 'failed'));
socket.on('error', (data) => show('state', `refused: ${{data}}`));
socket.on('connect', () => {{
  show('state', 'connected');
  socket.emit('echo', new Uint8Array([1, 2, 253]).buffer, (answer) => {{
    show('echo', [...new Uint8Array(answer)].join());
  }});
}});
const ask = (id, path) => fetch('{server}' + path, {{ credentials: 'include' }}).then(
  async (answer) => show(id, `${{answer.status}} ${{await answer.text()}}`),
  () => show(id, 'unreadable'));
ask('refusal', '/socket.io/?EIO=3&transport=pigeon');
ask('nowhere', '/nowhere/');
</script>"""


async def page(request: trio_sio.Request) -> trio_sio.Response:
    (server,) = parse_qs(request.query_string)["server"]
    headers = [("Content-Type", "text/html; charset=utf-8")]
    return trio_sio.Response(200, headers, PAGE.format(server=server).encode())


@asynccontextmanager
async def visited(**options: object) -> AsyncIterator[Page]:
    """A page that was loaded from elsewhere; `origins` may be "elsewhere"."""
    async with served(trio_sio.Server(fallback=page)) as elsewhere, chromium() as browser:
        if options.get("origins") == "elsewhere":
            options["origins"] = [elsewhere]
        io = trio_sio.Server(serve_client=CLIENT, raise_errors=True, **options)  # type: ignore[arg-type]

        @io.use
        async def authenticate(socket: trio_sio.Socket) -> None:
            if socket.handshake.headers.get("authorization") != "Bearer secret":
                raise trio_sio.ConnectionRefused("who are you?")

        @io.on("echo")
        async def echo(socket: trio_sio.Socket, data: bytes) -> bytes:
            return data

        async with served(io) as url:
            yield await open_page(browser, elsewhere, url)


async def open_page(browser: Browser, elsewhere: str, server: str) -> Page:
    return await browser.open(f"{elsewhere}/?server={quote(server, safe='')}")


@pytest.mark.parametrize("origins", ["*", "elsewhere"])
@pytest.mark.parametrize("allow_headers", [["Authorization"], "*"], ids=str)
async def test_a_welcome_page_sends_fields_of_its_own(
    allow_headers: str | list[str], origins: str
) -> None:
    async with visited(allow_headers=allow_headers, origins=origins) as page:
        await page.wait('#state:text-is("connected")')
        await page.wait('#echo:text-is("1,2,253")')  # a binary POST, and its answer
        await page.wait('#refusal:has-text("Transport unknown")')
        await page.wait('#nowhere:has-text("this server answers at /socket.io/")')


async def test_allow_request_sees_them() -> None:
    def allow(request: trio_sio.Request) -> bool:
        return request.headers.get("authorization") == "Bearer secret"

    async with visited(allow_headers="authorization", allow_request=allow) as page:
        await page.wait('#echo:text-is("1,2,253")')


async def test_a_page_sends_no_field_that_is_not_allowed() -> None:
    async with visited(origins="elsewhere") as page:
        await page.wait('#state:text-is("failed")')
        assert any("authorization is not allowed by" in one for one in await page.complaints())
        await page.wait('#refusal:has-text("Transport unknown")')  # which needs no such field


async def test_a_page_that_is_not_welcome_reads_nothing() -> None:
    async with visited(allow_headers="*", origins="https://shop.example") as page:
        await page.wait('#state:text-is("failed")')
        assert any("blocked by CORS policy" in one for one in await page.complaints())
        await page.wait('#refusal:text-is("unreadable")')
        await page.wait('#nowhere:text-is("unreadable")')
