"""Each header field on each answer that the engine can give.

The table has every place in the engine's source that makes an answer, so an answer that is new
fails a test until it has a row; and each row is brought about over the wire, by a page of a
welcome origin, by one that is not welcome where that can be, and by who says no origin.
"""

import ast
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.testing.transport import MemoryTransport
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_http import WireConnection, WireResponse
from trio_sio.testing.wire_websocket import handshake_headers

PACKAGE = Path(trio_sio.__file__).parent
WELCOME, UNWELCOME = "http://a.example", "http://b.example"


class Visit:
    """A client that brings about an answer: its connection, and the fields of its requests."""

    def __init__(self, wire: WireClient, fields: dict[str, str]) -> None:
        self.wire = wire
        self.connection = wire.connect()
        self.fields = fields

    async def ask(
        self, method: str, target: str, body: bytes = b"", fields: dict[str, str] | None = None
    ) -> WireResponse:
        return await self.connection.request(
            method, target, {**self.fields, **(fields or {})}, body
        )

    async def session(self) -> str:
        """Begin a session as a page that is welcome; return the target of its polls."""
        return (await self.wire.handshake(headers={"Origin": WELCOME})).target


Bring = Callable[[Visit], Awaitable[WireResponse]]


@dataclass
class Row:
    """An answer.

    Attributes:
        source: where it is made: module, function and what makes it.
        status: its status.
        bring: brings it about.
        options: of the engine that gives it.
        said: what stands in its body.
        kind: its Content-Type, `""` if it has no body.
        closes: whether the connection ends with it.
        is_engines: whether it is one of Engine.IO's own, which a page has to be able to read.
        kept: what a cache may do.
        vary: the fields of a request on which it depends.
        may_be_welcome_only: whether a page that is not welcome is refused before.
        says_nothing_to_nobody: whether it names no origin to who says none.
        middleware: of the engine.
        on_headers: of the engine.
    """

    source: str
    status: int
    bring: Bring
    options: dict[str, Any] = field(default_factory=dict)
    said: bytes = b""
    kind: str = ""
    closes: bool = False
    is_engines: bool = True
    kept: str = "no-store"
    vary: str = "Origin"
    may_be_welcome_only: bool = True
    says_nothing_to_nobody: bool = False
    middleware: Callable[[trio_sio.Request], Any] | None = None
    on_headers: Callable[..., object] | None = None

    @property
    def asks_origin(self) -> bool:
        """Whether it depends on the option `origins`, which `allow_request` replaces."""
        return self.is_engines and "allow_request" not in self.options

    def __str__(self) -> str:
        return f"{self.status} {self.source}"


POLLING = "/engine.io/?EIO=3&transport=polling"
JSON, TEXT, HTML = "application/json", "text/plain; charset=utf-8", "text/html"
SCRIPT = "/engine.io/socket.io.js"
REVALIDATED = "public, max-age=0"
BOTH = "Origin, Accept-Encoding"


def get(target: str, method: str = "GET", fields: dict[str, str] | None = None) -> Bring:
    async def bring(visit: Visit) -> WireResponse:
        return await visit.ask(method, target, fields=fields)

    return bring


def in_session(
    method: str, body: bytes = b"", before: bytes = b"", fields: dict[str, str] | None = None
) -> Bring:
    """A request of a session, for which `before` was posted."""

    async def bring(visit: Visit) -> WireResponse:
        target = await visit.session()
        if before:
            posted = {"Origin": WELCOME}
            assert (await visit.wire.request("POST", target, posted, before)).status == 200
        return await visit.ask(method, target, body, fields)

    return bring


def overlapping(method: str) -> Bring:
    async def bring(visit: Visit) -> WireResponse:
        target = await visit.session()
        first = visit.wire.connect()
        fields = {"Origin": WELCOME, **({"Content-Length": "9"} if method == "POST" else {})}
        await first.send_request(method, target, fields)
        await trio.sleep(1)
        return await visit.ask(method, target)

    return bring


async def binary_body(visit: Visit) -> WireResponse:
    """What Engine.IO 4 does not have."""
    target = POLLING.replace("EIO=3", "EIO=4")
    opening = await visit.wire.request("GET", target, {"Origin": WELCOME})
    sid = json.loads(opening.text[1:])["sid"]
    fields = {"Content-Type": "application/octet-stream"}
    return await visit.ask("POST", f"{target}&sid={sid}", b"x", fields)


async def on_a_websocket(visit: Visit) -> WireResponse:
    session = await visit.wire.handshake(headers={"Origin": WELCOME})
    await session.upgrade()
    return await visit.ask("GET", session.target)


async def moved_meanwhile(visit: Visit) -> WireResponse:
    session = await visit.wire.handshake(headers={"Origin": WELCOME})
    websocket = await session.probe()
    await visit.connection.send_request("GET", session.target, visit.fields)
    await trio.testing.wait_all_tasks_blocked()
    is_held = visit.wire.engine.sessions[session.sid].transport.writable
    assert is_held or visit.fields["Origin"] == UNWELCOME
    await websocket.send("5")
    return await visit.connection.receive_response()


class OtherTransport(MemoryTransport):
    """One that has the name of another."""

    name = "polling"


async def by_another_transport(visit: Visit) -> WireResponse:
    sessions = visit.wire.engine.sessions
    sessions.add("other", trio_sio.Request("GET", "/"), OtherTransport(1))
    try:
        return await visit.ask("GET", POLLING + "&sid=other")
    finally:
        del sessions._sessions["other"]  # it never runs


async def while_closing(visit: Visit) -> WireResponse:
    visit.wire.engine.sessions.close()
    return await visit.ask("GET", POLLING)


async def one_too_many(visit: Visit) -> WireResponse:
    await visit.session()
    return await visit.ask("GET", POLLING)


def raw(data: bytes, *, ends: bool = False) -> Bring:
    """These bytes, and perhaps the end of the connection."""

    async def bring(visit: Visit) -> WireResponse:
        await visit.connection.send(data)
        if ends:
            stream = visit.connection.stream
            assert isinstance(stream, trio.SocketStream)
            await stream.send_eof()
        return await visit.connection.receive_response()

    return bring


def post_chunks(body: bytes) -> Bring:
    return in_session("POST", body, fields={"Transfer-Encoding": "chunked"})


def post_elsewhere(body: bytes, fields: dict[str, str]) -> Bring:
    async def bring(visit: Visit) -> WireResponse:
        return await visit.ask("POST", "/x", body, fields)

    return bring


async def reading(request: trio_sio.Request) -> trio_sio.Response:
    return trio_sio.Response(200, [], await request.body(10))


async def a_connection_too_many(visit: Visit) -> WireResponse:
    visit.connection = visit.wire.connect()
    return await visit.connection.receive_response()


async def a_slow_body(visit: Visit) -> WireResponse:
    fields = {**visit.fields, "Content-Length": "9"}
    await visit.connection.send_request("POST", await visit.session(), fields)
    return await visit.connection.receive_response()


def refuse(*args: Any) -> Callable[[object], NoReturn]:  # noqa: ANN401
    def function(asked: object) -> NoReturn:
        raise trio_sio.RequestRefused(*args)

    return function


def fail(asked: object) -> NoReturn:
    raise ValueError("x")


async def never(asked: object) -> NoReturn:
    await trio.sleep_forever()
    raise AssertionError


async def broken(request: trio_sio.Request) -> trio_sio.Response:
    raise KeyError(request.path)


def broken_id(request: trio_sio.Request) -> str:
    raise KeyError(request.path)


def refused(source: str, bring: Bring, said: bytes, status: int = 400, **more: Any) -> Row:  # noqa: ANN401
    return Row(source, status, bring, said=said, kind=JSON, **more)


def bad_body(source: str, body: bytes, said: bytes, status: int = 400) -> Row:
    return Row(source, status, post_chunks(body), said=said, kind=HTML, closes=True)


def bad_request(source: str, bring: Bring, said: bytes, status: int = 400) -> Row:
    return Row(source, status, bring, said=said, kind=TEXT, closes=True, is_engines=False)


def unreadable(status: int, bring: Bring, said: bytes) -> Row:
    """The body of a request for a path of the application's."""
    return Row(
        "refusal.unreadable_body text(error.status)",
        *(status, bring, {"fallback": reading, "body_timeout": 5}, said, TEXT),
        closes=True,
        is_engines=False,
    )


WEBSOCKET = handshake_headers()
TRAILERS = b"0\r\n" + b"X:\r\n" * 101
ANY, HOST = b"GET / HTTP/1.1\r\n", b"Host: a\r\n\r\n"
EXTENSION = b"1;" + b"x" * 20_000
BAD = "Refusal(ErrorCode.BAD_REQUEST)"
FORBIDDEN = "Refusal(ErrorCode.FORBIDDEN)"
ROWS = [
    # -- Engine.IO
    Row(
        "polling/responses._response EngineResponse(200)",
        200,
        get(POLLING),
        said=b'{"sid":',
        kind="text/plain; charset=UTF-8",
        vary=BOTH,
    ),
    Row(
        "polling/responses._response EngineResponse(200)",
        200,
        get(POLLING + "&j=0"),
        said=b"___eio[0]",
        kind="text/plain; charset=UTF-8",
        vary=BOTH,
    ),
    Row(
        "polling/responses._response EngineResponse(200)",
        200,
        in_session("GET", before=b"2:4a"),
        said=b"2:4a",
        kind="text/plain; charset=UTF-8",
        vary=BOTH,
    ),
    Row(
        "polling/responses._response EngineResponse(200)",
        200,
        in_session("GET", before=b"2:4a"),
        {"http_compression": False},
        said=b"2:4a",
        kind="text/plain; charset=UTF-8",
    ),
    Row(
        "polling/endpoint._post EngineResponse(200)",
        200,
        in_session("POST", b"2:4a"),
        said=b"ok",
        kind=HTML,
    ),
    Row("http/cors.answer Response(200 if protocol == 3 else 204)", 200, get(POLLING, "OPTIONS")),
    Row(
        "http/cors.answer Response(200 if protocol == 3 else 204)",
        200,
        get(POLLING, "OPTIONS"),
        {"allow_headers": "*"},
        vary="Access-Control-Request-Headers, Origin",
    ),
    Row(
        "http/cors.answer Response(200 if protocol == 3 else 204)",
        204,
        get(POLLING.replace("EIO=3", "EIO=4"), "OPTIONS"),
        vary="Access-Control-Request-Headers, Origin",
    ),
    Row(
        "http/cors.preflight Response(204)",
        204,
        get(POLLING, "OPTIONS"),
        {"cors": {"origin": True, "credentials": True, "allowed_headers": ["x"]}},
        says_nothing_to_nobody=True,
    ),
    refused(
        f"handshake.judge_protocol {BAD}",
        get(POLLING),
        b"protocol_of failed",
        options={"protocol_of": fail},
    ),
    refused(
        f"hooks.ask {BAD}",
        get(POLLING),
        b"a function of engine.use failed",
        middleware=fail,
        may_be_welcome_only=False,
    ),
    Row(
        "endpoint._answer_for EngineResponse(response.status)",
        401,
        get(POLLING),
        said=b"who are you?",
        kind=TEXT,
        middleware=lambda request: trio_sio.Response.text(401, "who are you?"),
        may_be_welcome_only=False,
    ),
    Row(
        "hooks.dressed EngineResponse(response.status)",
        200,
        get(POLLING),
        said=b'{"sid":',
        kind="text/plain; charset=UTF-8",
        vary=BOTH,
        on_headers=lambda headers, request, initial: headers.append(("X-A", "b")),
    ),
    Row(
        "polling/endpoint._poll Response(session.state.version.overlap_status)",
        500,
        overlapping("GET"),
    ),
    Row(
        "polling/endpoint._post Response(session.state.version.overlap_status)",
        500,
        overlapping("POST"),
    ),
    Row(
        "polling/endpoint._post InvalidBody(400)",
        400,
        binary_body,
        said=b"a POST of",
        kind=HTML,
        closes=True,
    ),
    Row("polling/endpoint.answer Response(405)", 405, in_session("PUT")),
    Row(
        "refusal.refused_post Response(error.status)",
        413,
        in_session("POST", b"9" * 11),
        {"max_http_buffer_size": 10},
        said=b"(max_http_buffer_size)",
        kind=HTML,
        closes=True,
    ),
    Row(
        "refusal.refused_post Response(error.status)",
        408,
        a_slow_body,
        {"body_timeout": 5},
        said=b"(body_timeout)",
        kind=HTML,
        closes=True,
    ),
    bad_body(
        "refusal.refused_post Response(error.status)", b"x\r\n", b"a line with a chunk's size"
    ),
    bad_body(
        "protocol/http/chunked._fail_or_wait InvalidBody(400)",
        b"0\r\nX\r\n",
        b"a line with a trailer",
    ),
    bad_body(
        "protocol/http/chunked._read_chunk_end InvalidBody(400)", b"1\r\nabc", b"must end with CRLF"
    ),
    bad_body(
        "protocol/http/chunked._read_trailer InvalidBody(431)", TRAILERS, b"(max_headers)", 431
    ),
    bad_body(
        "protocol/http/chunked._check_size InvalidBody(431)", EXTENSION, b"(max_header_size)", 431
    ),
    Row(
        "refusal.unavailable text(503)",
        503,
        one_too_many,
        {"max_sessions": 1},
        said=b"too many clients",
        kind=TEXT,
        closes=True,
    ),
    Row(
        "refusal.unavailable text(503)",
        503,
        get(POLLING),
        {"allow_request": never},
        said=b"handshake_timeout",
        kind=TEXT,
        closes=True,
        may_be_welcome_only=False,
    ),
    # -- refusals of Engine.IO, all of which come through one place
    refused("refusal.response Response(self.status)", get("/engine.io/"), b'"code":0'),
    refused(
        "endpoint._read_query Refusal(ErrorCode.TRANSPORT_UNKNOWN)", get("/engine.io/"), b"polling"
    ),
    refused("endpoint._read_query " + BAD, get(POLLING + "&a=b" * 1000), b'"code":3'),
    refused("endpoint._route " + BAD, get("/engine.io/?transport=websocket"), b'"code":3'),
    refused(
        "endpoint._check_handshake Refusal(ErrorCode.BAD_HANDSHAKE_METHOD)",
        get(POLLING, "PUT"),
        b'"code":2',
    ),
    refused(
        "endpoint._check_handshake Refusal(ErrorCode.UNSUPPORTED_PROTOCOL)",
        get("/engine.io/?transport=polling&EIO=5"),
        b'"code":5',
    ),
    refused(
        "refusal.unknown_session Refusal(ErrorCode.SESSION_ID_UNKNOWN)",
        get(POLLING + "&sid=x"),
        b'"code":1',
    ),
    refused(
        "refusal.unknown_session Refusal(ErrorCode.SESSION_ID_UNKNOWN)",
        get(f"{POLLING}&sid=w3.{'a' * 20}"),
        b"belongs to node w3",
        options={"node_id": "w1"},
    ),
    refused("endpoint._session_of " + BAD, on_a_websocket, b'"code":3'),
    refused("endpoint._route Refusal(ask.repeated_code)", get(POLLING + "&EIO=3"), b"than once"),
    refused("polling/endpoint._moved " + BAD, moved_meanwhile, b'"code":3'),
    refused("polling/endpoint.answer " + BAD, by_another_transport, b'"code":3'),
    refused(
        "handshake.new_id " + BAD, get(POLLING), b"generate_id", options={"generate_id": broken_id}
    ),
    refused(
        "handshake.check_allowed " + FORBIDDEN,
        get(POLLING),
        b"allow_request refused",
        403,
        options={"allow_request": lambda request: False},
        may_be_welcome_only=False,
    ),
    refused(
        "refusal.refusal_of " + FORBIDDEN,
        get(POLLING),
        b"no key",
        403,
        options={"allow_request": refuse("no key")},
        may_be_welcome_only=False,
    ),
    refused(
        "refusal.refusal_of Refusal(ErrorCode(refused.code))",
        get(POLLING),
        b'"code":1',
        options={"allow_request": refuse("", 1)},
        may_be_welcome_only=False,
    ),
    refused(
        "handshake._ask " + FORBIDDEN,
        get(POLLING),
        b"the check itself failed",
        403,
        options={"allow_request": broken},
        may_be_welcome_only=False,
    ),
    # -- of the same server
    Row(
        "refusal.unavailable text(503)",
        503,
        while_closing,
        said=b"the server is shutting down",
        kind=TEXT,
        closes=True,
        may_be_welcome_only=False,
    ),
    Row(
        "refusal.not_found text(404)",
        404,
        get("/socket.io/?transport=polling"),
        said=b"this server answers at /engine.io/",
        kind=TEXT,
        may_be_welcome_only=False,
    ),
    Row(
        "endpoint._answer_elsewhere Response(200)",
        200,
        get("*", "OPTIONS"),
        may_be_welcome_only=False,
    ),
    Row(
        "http/fallback._answer Response(500)",
        500,
        get("/x"),
        {"fallback": broken},
        is_engines=False,
    ),
    unreadable(413, post_elsewhere(b"x" * 11, {}), b"10 are allowed"),
    unreadable(400, post_elsewhere(b"x\r\n", {"Transfer-Encoding": "chunked"}), b"CRLF"),
    unreadable(408, post_elsewhere(b"", {"Content-Length": "9"}), b"(body_timeout)"),
    Row(
        "http/static_files._serve Response(200)",
        200,
        get(SCRIPT),
        said=b"script",
        kind="application/javascript",
        is_engines=False,
        kept=REVALIDATED,
    ),
    Row(
        "http/static_files._serve Response(304)",
        304,
        get(SCRIPT, fields={"If-None-Match": "*"}),
        is_engines=False,
        kept=REVALIDATED,
    ),
    Row(
        "http/static_files._serve text(404)",
        404,
        get("/engine.io/socket.io.slim.js"),
        said=b"fetch-client",
        kind=TEXT,
        is_engines=False,
    ),
    Row(
        "http/static_files._serve text(503)",
        503,
        get("/engine.io/socket.io.dev.js"),
        said=b"cannot be read at present",
        kind=TEXT,
        is_engines=False,
    ),
    Row(
        "http/static_files._serve Response(405)",
        405,
        get(SCRIPT, "POST"),
        is_engines=False,
    ),
    # -- where no request, or no whole one, says from where it is
    bad_request(
        "http/exchange.render_refusal text(status)",
        raw(b"GET / HTTP/1.1\r\n"),
        b"(head_timeout)",
        408,
    ),
    bad_request(
        "http/h11.read_head BadRequest(400)", raw(b"G\0T / HTTP/1.1\r\n\r\n"), b"request line"
    ),
    bad_request(
        "http/h11.read_head BadRequest(501)", raw(b"CONNECT a:1 HTTP/1.1\r\n\r\n"), b"proxy", 501
    ),
    bad_request(
        "http/h11.read_head BadRequest(505)", raw(b"GET / HTTP/2.0\r\n\r\n"), b"HTTP/1.1", 505
    ),
    bad_request(
        "http/h11.read_head BadRequest(error.error_status_hint)",
        raw(b"GET / HTTP/1.1\r\n\r\n"),
        b"Host",
    ),
    bad_request(
        "http/h11._exchange BadRequest(400)", raw(ANY + b"Host: a b\r\n\r\n"), b"must be a host"
    ),
    bad_request(
        "http/h11._exchange BadRequest(400)", raw(b"GET x" + ANY[5:] + HOST), b"the target"
    ),
    bad_request(
        "http/h11.read_framing BadRequest(400)",
        raw(ANY + b"Content-Length: 1\r\nContent-Length: 1\r\n" + HOST),
        b"one number",
    ),
    bad_request(
        "http/h11.read_framing BadRequest(400)", raw(ANY + b"X: a\r\n b\r\n" + HOST), b"be folded"
    ),
    bad_request(
        "http/h11._check_codings BadRequest(400)",
        raw(ANY + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n" + HOST),
        b"must not have both",
    ),
    bad_request(
        "http/h11._check_codings BadRequest(501)",
        raw(ANY + b"Transfer-Encoding: gzip, chunked\r\n" + HOST),
        b"'chunked'",
        501,
    ),
    bad_request("http/h11.find_head BadRequest(400)", raw(ANY + b"Host: a\n\n"), b"end with CRLF"),
    bad_request("http/h11.find_head BadRequest(400)", raw(b" " + ANY + HOST), b"request line"),
    bad_request(
        "http/request_reader.next_head BadRequest(400)", raw(ANY, ends=True), b"in the middle"
    ),
    Row(
        "http/request_reader._too_many_headers BadRequest(431)",
        431,
        get("/", fields={f"X-{number}": "" for number in range(101)}),
        said=b"(max_headers)",
        kind=TEXT,
        closes=True,
        is_engines=False,
    ),
    Row(
        "http/h11.head_too_large BadRequest(431)",
        431,
        get("/", fields={"X": "x" * 20_000}),
        said=b"(max_header_size)",
        kind=TEXT,
        closes=True,
        is_engines=False,
    ),
    bad_request(
        "http/h11.head_too_large BadRequest(431)", raw(b"\r\n" * 9000), b"(max_header", 431
    ),
    Row(
        "http/connection.turn_away render_refusal(503)",
        503,
        a_connection_too_many,
        {"max_connections": 1},
        said=b"too many connections",
        kind=TEXT,
        closes=True,
        is_engines=False,
    ),
    # -- to requests for a WebSocket, which a page sees nothing of
    Row(
        "refusal.websocket_response EngineResponse(400)",
        400,
        get("/engine.io/?transport=pigeon", fields=WEBSOCKET),
        said=b"Transport unknown",
        kind=HTML,
        closes=True,
        is_engines=False,
    ),
    Row(
        "websocket/endpoint.answer " + BAD,
        400,
        get("/engine.io/?transport=websocket", fields={**WEBSOCKET, "Sec-WebSocket-Key": "x"}),
        said=b"Bad Request",
        kind=HTML,
        closes=True,
        is_engines=False,
    ),
]

ELSEWHERE = {
    "http/exchange.render_head EngineResponse(response.status)": "the head of an application's",
    "handshake._pass_on Refusal(ErrorCode.BAD_REQUEST)": "as the refusals of the endpoint",
    "endpoint._readable EngineResponse(response.status)": "adds fields to the answers above",
    "handshake.check_origin " + FORBIDDEN: "below: it is for pages that are not welcome",
    "websocket/handshake.acceptance b'HTTP/1.1 101'": "no answer that HTTP caches or pages read",
}
"""Places that make no answer of their own."""


# -- the places ------------------------------------------------------------------------------------

MAKERS = {
    "Response": 0,
    "EngineResponse": 0,
    "text": 0,  # of both
    "Refusal": 0,
    "BadRequest": 1,
    "InvalidBody": 1,
}
"""What makes an answer, and which of its arguments is the status or the code."""


def places(module: str, source: str) -> Iterator[str]:
    """Yield where in a module's source an answer is made."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            made = _made(node)
            if made:
                yield f"{module}.{function.name} {made}"


def _made(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            if name in MAKERS and len(args) > MAKERS[name]:
                return f"{name}({ast.unparse(args[MAKERS[name]])})"
            if name == "InvalidBody":
                return "InvalidBody(400)"
            if name == "render_refusal" and args and isinstance(args[0], ast.Constant):
                return f"render_refusal({ast.unparse(args[0])})"
        case ast.Constant(value=bytes() | str() as text):
            text = text.decode() if isinstance(text, bytes) else text
            if found := re.match(r"HTTP/1\.1 \d\d\d", text):
                return f"b'{found[0]}'"
    return ""


def test_every_place_that_makes_an_answer_is_in_the_table() -> None:
    there = {
        place
        for folder in (PACKAGE / "engine", PACKAGE / "protocol" / "http")
        for path in folder.rglob("*.py")
        for place in places(
            path.relative_to(PACKAGE).with_suffix("").as_posix().removeprefix("engine/"),
            path.read_text("utf-8"),
        )
    }
    known = {row.source for row in ROWS} | ELSEWHERE.keys()
    assert there - known == set()  # no row
    assert known - there == set()  # no place any more


def test_a_new_answer_is_found() -> None:
    source = """
class A:
    async def b(self):
        if self.c:
            raise Refusal(ErrorCode.NEW, "x")
        return [Response(429, [], b""), BadRequest("x", 505), message.Response(415)]
        return Response.text(410, "x")
    def e(self):
        raise InvalidBody("x") if self.c else InvalidBody("x", 431)
RAW = 1
def d():
    return b"HTTP/1.1 507 Full" + render_refusal(503, "x")
"""
    assert sorted(places("new", source)) == [
        "new.b BadRequest(505)",
        "new.b Refusal(ErrorCode.NEW)",
        "new.b Response(415)",
        "new.b Response(429)",
        "new.b text(410)",
        "new.d b'HTTP/1.1 507'",
        "new.d render_refusal(503)",
        "new.e InvalidBody(400)",
        "new.e InvalidBody(431)",
    ]


# -- the fields ------------------------------------------------------------------------------------


async def echo(session: trio_sio.Session) -> None:
    while True:
        await session.send(await session.receive())


@asynccontextmanager
async def visiting(row: Row, folder: Path, fields: dict[str, str]) -> AsyncIterator[Visit]:
    (folder / "socket.io.js").write_bytes(b"script")
    (folder / "socket.io.dev.js").symlink_to("socket.io.dev.js")  # which cannot be read
    options = {"serve_client": folder, "origins": [WELCOME, "*:80"], **row.options}
    if fields.get("Origin") == UNWELCOME:
        options["origins"] = [WELCOME]
    engine = trio_sio.Engine(**options)
    if row.middleware is not None:
        engine.use(row.middleware)
    if row.on_headers is not None:
        engine.on_headers(row.on_headers)
    async with open_wire(engine, echo, streams=socket_pair) as wire:
        visit = Visit(wire, fields)
        await trio.testing.wait_all_tasks_blocked()
        yield visit


async def check_framing(row: Row, response: WireResponse, connection: WireConnection) -> None:
    """What each answer has, whoever gets it."""
    headers = response.headers
    for name, _ in headers:
        assert name in ("vary", "set-cookie") or len(headers.get_all(name)) == 1, name
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
    assert parsedate_to_datetime(headers["date"]).tzinfo is not None
    assert headers["cache-control"] == row.kept
    if response.status in (204, 304):
        assert "content-length" not in headers
    else:
        assert headers["content-length"] == str(len(response.body))
    assert headers.get("content-type") == row.kind
    assert row.said in response.body
    assert bool(response.body) is bool(row.kind)
    assert (headers.get("connection").lower() == "close") is row.closes
    if row.closes:
        assert await connection.receive_rest() == b""
    else:
        again = await connection.request("HEAD", SCRIPT)
        assert again.headers["content-length"] == "6"


def grants(response: WireResponse) -> dict[str, str]:
    """What the answer says to a browser about pages of other origins."""
    names = ("access-control-allow-origin", "access-control-allow-credentials")
    return {name: response.headers[name] for name in names if name in response.headers}


PATHS = pytest.mark.parametrize("path", [{}, {"TE": "trailers"}], ids=["plain", "h11"])


@PATHS
@pytest.mark.parametrize("origin", [WELCOME, ""], ids=["elsewhere", "none"])
@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_an_answer_says_who_may_read_and_keep_it(
    row: Row, origin: str, path: dict[str, str], tmp_path: Path, autojump_clock: MockClock
) -> None:
    fields = {**path, **({"Origin": origin} if origin else {})}
    async with visiting(row, tmp_path, fields) as visit:
        with trio.fail_after(1000):
            response = await row.bring(visit)
            assert response.status == row.status
            await check_framing(row, response, visit.connection)
    if not row.is_engines:
        assert "access-control-allow-credentials" not in response.headers
        return
    assert ", ".join(response.headers.get_all("vary")) == row.vary
    if origin:
        assert grants(response) == {
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
        }
    elif row.says_nothing_to_nobody:
        assert "access-control-allow-origin" not in response.headers
    else:
        assert grants(response) == {"access-control-allow-origin": "*"}


@PATHS
@pytest.mark.parametrize("row", [row for row in ROWS if row.asks_origin], ids=str)
async def test_a_page_that_is_not_welcome_reads_none(
    row: Row, path: dict[str, str], tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with visiting(row, tmp_path, {**path, "Origin": UNWELCOME}) as visit:
        response = await row.bring(visit)
        if row.may_be_welcome_only:
            assert response.status == 403
            assert b"option 'origins' accepts 'http://a.example'" in response.body
            assert response.headers["content-type"] == JSON
        else:
            assert response.status == row.status
        assert grants(response) == {}
        assert response.headers["vary"] == "Origin"
        assert response.headers["cache-control"] == "no-store"
        assert "date" in response.headers
