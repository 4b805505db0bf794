"""`Fallback` against the text of ASGI 3: what applications are told, in types and in values.

The types of scopes and messages are Hypercorn's (`hypercorn.typing`). pydantic checks them
strictly: a str is no bytes.
"""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, get_type_hints, is_typeddict

import pytest
import trio
from hypercorn import typing as asgi
from pydantic import TypeAdapter
from typing_extensions import TypedDict

import trio_sio
from tests.support.peers import served
from trio_sio.asgi import Fallback
from trio_sio.asgi.types import Message, Receive, Scope, Send
from trio_sio.testing.wire_websocket import frame_bytes


def readable(declared: Any) -> Any:  # noqa: ANN401
    """Return a type for pydantic, which reads the TypedDict of typing_extensions alone."""
    if not is_typeddict(declared):
        return declared
    hints = {name: readable(hint) for name, hint in get_type_hints(declared).items()}
    return TypedDict(declared.__name__, hints, total=declared.__total__)  # type: ignore[operator]


def checked(declared: type) -> TypeAdapter[Any]:
    return TypeAdapter(readable(declared))


SCOPES: dict[str, TypeAdapter[Any]] = {
    "http": checked(asgi.HTTPScope),
    "websocket": checked(asgi.WebsocketScope),
    "lifespan": checked(asgi.LifespanScope),
}
EVENTS: dict[str, TypeAdapter[Any]] = {
    "http.request": checked(asgi.HTTPRequestEvent),
    "http.disconnect": checked(asgi.HTTPDisconnectEvent),
    "websocket.connect": checked(asgi.WebsocketConnectEvent),
    "websocket.receive": checked(asgi.WebsocketReceiveEvent),
    "websocket.disconnect": checked(asgi.WebsocketDisconnectEvent),
    "lifespan.startup": checked(asgi.LifespanStartupEvent),
    "lifespan.shutdown": checked(asgi.LifespanShutdownEvent),
}
CLOSE = "Host: h\r\nConnection: close\r\n\r\n"
HANDSHAKE = (
    "Host: h\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Witness:
    """An application that answers everything, and keeps what it is told.

    Attributes:
        scopes: by type, in their order.
        events: likewise.
    """

    def __init__(self) -> None:
        self.scopes: dict[str, list[Scope]] = {"http": [], "websocket": [], "lifespan": []}
        self.events: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes[scope["type"]].append(copy.copy(scope))

        async def hear() -> Message:
            self.events.append(await receive())
            return self.events[-1]

        await getattr(self, f"_{scope['type']}")(scope, hear, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["pool"] = "one for all"
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})  # the rest has defaults
        await receive()

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if "deny" in scope["path"]:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            with suppress(OSError):  # the client has closed already
                await send({**message, "type": "websocket.send"})


@asynccontextmanager
async def serving(app: Witness, **options: Any) -> AsyncIterator[int]:  # noqa: ANN401
    io = trio_sio.Server(fallback=Fallback(app, lifespan="on"), raise_errors=True, **options)
    async with served(io) as url:
        yield int(url.rpartition(":")[2])


async def ask(port: int, data: str | bytes) -> tuple[bytes, tuple[str, int]]:
    """Send, and return the answer and the address that it was sent from."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(data.encode("latin-1") if isinstance(data, str) else data)
        answer = b""
        with trio.fail_after(10):
            async for piece in stream:
                answer += piece
        return answer, stream.socket.getsockname()[:2]


REQUESTS: list[tuple[str, dict[str, object]]] = [
    (
        "GET /a%20b/%C3%A9%2Fc?q=%20+ HTTP/1.1\r\n",
        {"path": "/a b/é/c", "raw_path": b"/a%20b/%C3%A9%2Fc", "query_string": b"q=%20+"},
    ),
    ("GET /%FF HTTP/1.1\r\n", {"path": "/\ufffd", "raw_path": b"/%FF"}),
    ("GET /a?b?c HTTP/1.1\r\n", {"path": "/a", "query_string": b"b?c"}),
    ("GET //a HTTP/1.1\r\n", {"path": "//a", "query_string": b"", "root_path": ""}),
    ("GET / HTTP/1.0\r\n", {"http_version": "1.0", "method": "GET"}),
    ("DELETE / HTTP/1.1\r\n", {"http_version": "1.1", "method": "DELETE"}),
    (
        "GET / HTTP/1.1\r\nX-Two: 1\r\nCookie: a\r\nX-TWO: ü\r\n",
        {
            "headers": [
                (b"x-two", b"1"),
                (b"cookie", b"a"),
                (b"x-two", b"\xfc"),
                (b"host", b"h"),
                (b"connection", b"close"),
            ]
        },
    ),
    ("GET / HTTP/1.1\r\n", {"scheme": "http", "extensions": {}, "state": {"pool": "one for all"}}),
    ("GET / HTTP/1.1\r\n", {"asgi": {"version": "3.0", "spec_version": "2.4"}}),
]


@pytest.mark.parametrize(("request_head", "facts"), REQUESTS)
async def test_scopes_of_http(request_head: str, facts: dict[str, object]) -> None:
    app = Witness()
    async with serving(app) as port:
        answer, own = await ask(port, request_head + CLOSE)
    assert answer.startswith(b"HTTP/1.1 200 ")
    (scope,) = app.scopes["http"]
    SCOPES["http"].validate_python(scope, strict=True)
    assert {name: scope[name] for name in facts} == facts
    assert (scope["client"], scope["server"]) == (own, ("127.0.0.1", port))


async def test_scopes_of_websockets() -> None:
    app = Witness()
    async with serving(app) as port:
        offer = "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n\r\n"
        answer, own = await ask(port, f"GET /deny?%20 HTTP/1.1\r\n{HANDSHAKE}{offer}")
    assert answer.startswith(b"HTTP/1.1 403 ")
    (scope,) = app.scopes["websocket"]
    SCOPES["websocket"].validate_python(scope, strict=True)
    assert (scope["scheme"], scope["subprotocols"]) == ("ws", ["a", "b", "c"])
    assert scope["extensions"] == {"websocket.http.response": {}}
    assert (scope["client"], scope["server"]) == (own, ("127.0.0.1", port))
    assert scope["state"] == {"pool": "one for all"}


async def test_events() -> None:
    """All types of events that applications get, and in which order."""
    app = Witness()
    chunked = "Transfer-Encoding: chunked\r\n"
    frames = [(1, "ü".encode()), (2, b"\xff"), (8, (4001).to_bytes(2) + b"genug")]
    async with serving(app) as port:
        await ask(port, f"POST / HTTP/1.1\r\n{chunked}{CLOSE}2\r\nab\r\n0\r\n\r\n")
        handshake = f"GET / HTTP/1.1\r\n{HANDSHAKE}\r\n".encode()
        await ask(port, handshake + b"".join(frame_bytes(*frame) for frame in frames))
    for event in app.events:
        EVENTS[event["type"]].validate_python(event, strict=True)
    (lifespan,) = app.scopes["lifespan"]
    SCOPES["lifespan"].validate_python(lifespan, strict=True)
    assert app.events == [
        {"type": "lifespan.startup"},
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "bytes": None, "text": "ü"},
        {"type": "websocket.receive", "bytes": b"\xff", "text": None},
        {"type": "websocket.disconnect", "code": 4001, "reason": "genug"},
        {"type": "lifespan.shutdown"},
    ]


@pytest.mark.parametrize(
    ("options", "head", "client", "scheme"),
    [
        ({"trusted_proxies": "127.0.0.1"}, "X-Forwarded-For: 1.2.3.4\r\n", ("1.2.3.4", 0), "http"),
        (
            {"trusted_proxies": 1, "forwarded_fields": "forwarded"},
            'Forwarded: for="[::7]:99";proto=https\r\n',
            ("::7", 0),
            "https",
        ),
    ],
)
async def test_clients_behind_proxies(
    options: dict[str, object], head: str, client: tuple[str, int], scheme: str
) -> None:
    app = Witness()
    async with serving(app, **options) as port:
        await ask(port, f"GET / HTTP/1.1\r\n{head}{CLOSE}")
    (scope,) = app.scopes["http"]
    assert (scope["client"], scope["scheme"]) == (client, scheme)


async def test_a_client_behind_the_proxy_protocol() -> None:
    app = Witness()
    async with serving(app, proxy_protocol=True) as port:
        await ask(port, f"PROXY TCP4 1.2.3.4 5.6.7.8 51200 443\r\nGET / HTTP/1.1\r\n{CLOSE}")
    assert app.scopes["http"][0]["client"] == ("1.2.3.4", 51200)


@pytest.mark.parametrize("host", ["xn--\xff", "a" * 300, "..", "h\xe9"])
async def test_hosts_that_are_none_end_nothing(host: str, caplog: pytest.LogCaptureFixture) -> None:
    app = Witness()
    async with serving(app) as port:
        handshake = HANDSHAKE.replace("Host: h", f"Host: {host}")
        answer, _ = await ask(port, f"GET /deny HTTP/1.1\r\n{handshake}\r\n")
        assert answer.split()[1] in (b"400", b"403")
    assert "Traceback" not in caplog.text
