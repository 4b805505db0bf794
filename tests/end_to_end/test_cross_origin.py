"""A page of another origin in a real browser, with each client and its `extraHeaders`.

Chromium asks before each request that has them, and lets the page read no answer that does not say
that it may: what the server says is judged by what the page sees.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlencode

import pytest

import trio_sio
from tests.end_to_end.browser import Browser, Page
from tests.support.peers import served

pytestmark = pytest.mark.chromium

GENERATIONS = {"3": "socket.io.js", "4": "socket.io.min.js"}
"""Which client speaks each revision of Engine.IO."""

PAGE = """<!doctype html><title>elsewhere</title><link rel="icon" href="data:,">
<script src="{server}/socket.io/{script}"></script>
<p id="state"></p><p id="echo"></p><p id="refusal"></p><p id="nowhere"></p>
<script>
const show = (id, text) => {{ document.getElementById(id).textContent = text; }};
const extraHeaders = {{ Authorization: 'Bearer secret' }};
const socket = io('{server}', {{
  transports: ['{transport}'], reconnection: false, withCredentials: true,
  transportOptions: {{ polling: {{ extraHeaders }} }}, auth: {{ token: 'secret' }},
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
ask('refusal', '/socket.io/?EIO={eio}&transport=pigeon');
ask('nowhere', '/nowhere/');
</script>"""


async def page(request: trio_sio.Request) -> trio_sio.Response:
    asked = {name: values[0] for name, values in parse_qs(request.query_string).items()}
    headers = [("Content-Type", "text/html; charset=utf-8")]
    text = PAGE.format(**asked, script=GENERATIONS[asked["eio"]])
    return trio_sio.Response(200, headers, text.encode())


@asynccontextmanager
async def visited(
    browser: Browser, eio: str, transport: str = "polling", **options: object
) -> AsyncIterator[Page]:
    """A page that was loaded from elsewhere; `origins` may be "elsewhere"."""
    async with served(trio_sio.Server(fallback=page)) as elsewhere:
        if options.get("origins") == "elsewhere":
            options["origins"] = [elsewhere]
        io = trio_sio.Server(raise_errors=True, **options)  # type: ignore[arg-type]

        @io.use
        async def authenticate(socket: trio_sio.Socket) -> None:
            handshake = socket.handshake
            assert handshake.xdomain
            if "websocket" in handshake.url:  # for which a browser sends no fields
                said = handshake.auth.get("token", "secret")
            else:
                said = handshake.headers.get("authorization", "").removeprefix("Bearer ")
            if said != "secret":
                raise trio_sio.ConnectionRefused("who are you?")

        @io.on("echo")
        async def echo(socket: trio_sio.Socket, data: bytes) -> bytes:
            return data

        async with served(io) as url:
            query = urlencode({"server": url, "eio": eio, "transport": transport})
            yield await browser.open(f"{elsewhere}/?{query}")


@pytest.fixture(params=GENERATIONS)
def eio(request: pytest.FixtureRequest) -> str:
    """The revision of Engine.IO that the page's client speaks."""
    return str(request.param)


@pytest.mark.parametrize("origins", ["*", "elsewhere"])
@pytest.mark.parametrize("allow_headers", [["Authorization"], "*"], ids=str)
async def test_a_welcome_page_sends_fields_of_its_own(
    browser: Browser, eio: str, allow_headers: str | list[str], origins: str
) -> None:
    async with visited(browser, eio, allow_headers=allow_headers, origins=origins) as page:
        await page.wait('#state:text-is("connected")')
        await page.wait('#echo:text-is("1,2,253")')  # a binary POST, and its answer
        await page.wait('#refusal:has-text("Transport unknown")')
        await page.wait('#nowhere:has-text("this server answers at /socket.io/")')


async def test_a_welcome_page_comes_by_websocket(browser: Browser, eio: str) -> None:
    async with visited(browser, eio, "websocket", origins="elsewhere") as page:
        await page.wait('#state:text-is("connected")')
        await page.wait('#echo:text-is("1,2,253")')


async def test_allow_request_sees_them(browser: Browser, eio: str) -> None:
    def allow(request: trio_sio.Request) -> bool:
        return request.headers.get("authorization") == "Bearer secret"

    async with visited(browser, eio, allow_headers="authorization", allow_request=allow) as page:
        await page.wait('#echo:text-is("1,2,253")')


async def test_a_page_sends_no_field_that_is_not_allowed(browser: Browser) -> None:
    """With a client of 2.x; one of 4.x may send any, unless some are named."""
    async with visited(browser, "3", origins="elsewhere") as page:
        await page.wait('#state:text-is("failed")')
        assert any("authorization is not allowed by" in one for one in await page.complaints())
        await page.wait('#refusal:has-text("Transport unknown")')  # which needs no such field


async def test_a_page_that_is_not_welcome_gets_no_websocket(browser: Browser, eio: str) -> None:
    """A browser asks nobody before it opens one: the server alone is between."""
    async with visited(browser, eio, "websocket", origins="https://shop.example") as page:
        await page.wait('#state:text-is("failed")')
        assert [one for one in await page.complaints() if "WebSocket connection" in one]


async def test_a_page_that_is_not_welcome_reads_nothing(browser: Browser, eio: str) -> None:
    async with visited(browser, eio, allow_headers="*", origins="https://shop.example") as page:
        await page.wait('#state:text-is("failed")')
        assert any("blocked by CORS policy" in one for one in await page.complaints())
        await page.wait('#refusal:text-is("unreadable")')
        await page.wait('#nowhere:text-is("unreadable")')


# -- socket.io-client 4.8.4 ------------------------------------------------------------------------

PAGE_4 = """<!doctype html><title>elsewhere</title><link rel="icon" href="data:,">
<script src="{server}/socket.io/socket.io.js"></script>
<p id="state"></p><p id="echo"></p>
<script>
const show = (id, text) => {{ document.getElementById(id).textContent = text; }};
const socket = io('{server}', {{
  transports: ['polling'], reconnection: false, withCredentials: {credentials},
  extraHeaders: {{ Authorization: 'Bearer secret', 'X-Tenant': '1' }},
}});
socket.on('connect_error', (error) => show('state', 'failed'));
socket.on('connect', () => {{
  show('state', 'connected');
  socket.emit('echo', new Uint8Array([1, 2, 253]).buffer, (answer) => {{
    show('echo', [...new Uint8Array(answer)].join());
  }});
}});
</script>"""


@asynccontextmanager
async def visited_by_4(
    browser: Browser, credentials: str, **options: object
) -> AsyncIterator[Page]:
    async def page(request: trio_sio.Request) -> trio_sio.Response:
        (server,) = parse_qs(request.query_string)["server"]
        headers = [("Content-Type", "text/html; charset=utf-8")]
        text = PAGE_4.format(server=server, credentials=credentials)
        return trio_sio.Response(200, headers, text.encode())

    async with served(trio_sio.Server(fallback=page)) as elsewhere:
        cors = options.get("cors")
        if isinstance(cors, dict) and cors.get("origin") == "elsewhere":
            options["cors"] = {**cors, "origin": [elsewhere]}
        io = trio_sio.Server(serve_client="4", raise_errors=True, **options)  # type: ignore[arg-type]

        @io.use
        async def authenticate(socket: trio_sio.Socket) -> None:
            assert socket.protocol == 5
            headers = socket.handshake.headers
            if headers.get("authorization") != "Bearer secret" or headers.get("x-tenant") != "1":
                raise trio_sio.ConnectionRefused("who are you?")

        @io.on("echo")
        async def echo(socket: trio_sio.Socket, data: bytes) -> bytes:
            return data

        async with served(io) as url:
            yield await browser.open(f"{elsewhere}/?{urlencode({'server': url})}")


@pytest.mark.parametrize(
    "cors",
    [
        None,
        {"origin": "elsewhere", "credentials": True},
        {"origin": True, "credentials": True, "allowed_headers": ["authorization", "x-tenant"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("credentials", ["true", "false"])
async def test_a_page_with_a_later_client_sends_fields_of_its_own(
    browser: Browser, credentials: str, cors: dict[str, object] | None
) -> None:
    async with visited_by_4(browser, credentials, cors=cors) as page:
        await page.wait('#state:text-is("connected")')
        await page.wait('#echo:text-is("1,2,253")')


@pytest.mark.parametrize(
    ("credentials", "options"),
    [
        ("true", {"cors": {}}),  # a star, which a page that sends credentials must not read
        ("false", {"cors": {"origin": ["https://shop.example"]}}),
        ("false", {"cors": {"origin": True, "allowed_headers": ["authorization"]}}),
        ("false", {"cors": {"origin": False}}),
        ("false", {"allow_headers": ["Authorization"]}),
    ],
    ids=str,
)
async def test_a_page_with_a_later_client_that_may_not(
    browser: Browser, credentials: str, options: dict[str, object]
) -> None:
    async with visited_by_4(browser, credentials, **options) as page:
        await page.wait('#state:text-is("failed")')
