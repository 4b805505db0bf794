"""Any request between two ordinary ones on a connection: nobody misreads where it ends.

The two are answered as ever, or the connection closes before the second is read. What a request's
body contains, here a request of its own, is never taken for one; and nothing comes out of the
server, whose application answers, or reads the body first.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import h11
import pytest
import trio
from hypothesis import HealthCheck, given, strategies as st
from trio.testing import MockClock, memory_stream_pair

import trio_sio
from tests.support.examples import examples
from tests.support.socket_pairs import socket_pair
from trio_sio.testing.wire import open_wire

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
FIRST, LAST = (b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % name for name in (b"first", b"last"))

_SIZE = len(SMUGGLED)
_CHUNKS = b"%x;a=b\r\n%b\r\n0\r\nX: y\r\n\r\n" % (_SIZE, SMUGGLED)
_IN_A_CHUNK = b"0\r\n\r\n" + SMUGGLED
_LENGTH = b"Content-Length: %d\r\n" % _SIZE
_CHUNKED = b"Transfer-Encoding: chunked\r\n"

CLEAR = [
    (b"", b""),
    (b"Content-Length: 0\r\n", b""),
    (_LENGTH, SMUGGLED),
    (_CHUNKED, _CHUNKS),
    (b"transfer-encoding:\tChunked \r\n", _CHUNKS),
]
"""Fields that say how long a body is, and that body."""

UNCLEAR = [
    (_CHUNKED + _LENGTH, _CHUNKS),
    (_LENGTH + _CHUNKED, SMUGGLED),
    (b"Content-Length: %d\r\n" % len(_IN_A_CHUNK) + _CHUNKED, _IN_A_CHUNK),
    (_LENGTH + _LENGTH, SMUGGLED),
    (_LENGTH + b"Content-Length: 0\r\n", SMUGGLED),
    (b"Content-Length: %d, %d\r\n" % (_SIZE, _SIZE), SMUGGLED),
    (b"Content-Length: +%d\r\n" % _SIZE, SMUGGLED),
    (b"Content-Length : %d\r\n" % _SIZE, SMUGGLED),
    (b"X: y\r\n Content-Length: 0\r\n" + _LENGTH, SMUGGLED),
    (b"Content-Length: 0\r\n 1\r\n", SMUGGLED),
    (b"X: y\nContent-Length: %d\r\n" % _SIZE, SMUGGLED),
    (b"X: y\rContent-Length: %d\r\n" % _SIZE, SMUGGLED),
    (b"Content-Length: 0\r\n\n", SMUGGLED),
    (_CHUNKED * 2, _CHUNKS),
    (b"Transfer-Encoding: chunked, identity\r\n", SMUGGLED),
    (b"Transfer-Encoding: gzip, chunked\r\n", _CHUNKS),
    (b"Transfer-Encoding: identity\r\n" + _LENGTH, SMUGGLED),
    (b"Transfer-Encoding : chunked\r\n", SMUGGLED),
    (b"Transfer-Encoding:\x0bchunked\r\n", SMUGGLED),
    (_CHUNKED, SMUGGLED),
    (_CHUNKED, b"%x\n%b\r\n0\r\n\r\n" % (_SIZE, SMUGGLED)),
    (_CHUNKED, b"%x;\n%b\r\n0\r\n\r\n" % (_SIZE, SMUGGLED)),
    (_CHUNKED, b"%x \r\n%b\r\n0\r\n\r\n" % (_SIZE, SMUGGLED)),
    (_CHUNKED, b"%x\r\n%bxx0\r\n\r\n" % (_SIZE, SMUGGLED)),
    (_CHUNKED, b"0\r\nX: y\n\n" + SMUGGLED),
    (_CHUNKED, b"0\r\n\n" + SMUGGLED),
]
"""What readers take in different ways, or nobody can read."""

METHODS = [
    *("GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"),
    *("CONNECT", "PRI", "get", "M-SEARCH", "X"),
]
TARGETS = [
    *("/page", "/read", "/read", "/read#fragment", "http://there/read", "HTTPS://there:1/page?a"),
    *("/engine.io/?transport=polling", "/engine.io/?transport=polling&sid=live", "//"),
    *("/engine.io/?transport=polling&sid=gone", "/engine.io/?transport=websocket", "/engine.io/"),
    *("/engine.io/socket.io.js", "*", "a:80", "a", "?a", "http://", "ftp://a/", "/\x7f"),
]
VERSIONS = ["HTTP/1.1"] * 4 + [
    *("HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/9.9", "HTTP/0.9", "HTTP/1.10", "http/1.1", "")
]
HOSTS = [b"Host: a\r\n"] * 4 + [b"", b"Host: a\r\nHost: b\r\n", b"Host: a b\r\n", b"Host:\r\n"]
MORE = [
    *(
        b"TE: trailers\r\n",
        b"Cookie: a\r\nCookie: b\r\n",
        b"Expect: 100-continue\r\n",
        b"X:\x01\r\n",
    ),
    *(
        b"Connection: close\r\n",
        b"Connection: keep-alive\r\n",
        b"Expect: x\r\n",
        b"Origin: \xe9\r\n",
    ),
    *(
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
        b"Upgrade: websocket\r\n",
        b"A B: c\r\n",
        b"X\r\n",
    ),
    b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n",
]


@dataclass(frozen=True)
class Strange:
    """A request that may be none.

    Attributes:
        method: as the client understands it.
        data: its bytes.
        is_clear: whether there is no doubt where it ends.
        is_usual: whether there must be an answer, and the connection must go on.
    """

    method: str
    data: bytes
    is_clear: bool
    is_usual: bool


@st.composite
def strange(draw: st.DrawFn) -> Strange:
    method = draw(st.sampled_from(METHODS))
    target = draw(st.sampled_from(TARGETS))
    version = draw(st.sampled_from(VERSIONS))
    host = draw(st.sampled_from(HOSTS))
    is_clear = draw(st.booleans())
    fields, body = draw(st.sampled_from(CLEAR if is_clear else UNCLEAR))
    more = draw(st.lists(st.sampled_from(MORE), max_size=2))
    empty = draw(st.sampled_from([b"", b"", b"\r\n", b"\r\n\r\n"]))
    line = f"{method} {target} {version}".encode() + b"\r\n"
    head = empty + line + host + b"".join([*more, fields]) + b"\r\n"
    is_usual = (
        is_clear
        and method not in ("CONNECT", "PRI")
        and "/read" in target
        and version in ("HTTP/1.1", "HTTP/1.2")
        and host == b"Host: a\r\n"
        and not any(word in one for one in more for word in (b"close", b"A B", b"X\r\n"))
    )
    return Strange(method, head + body, is_clear, is_usual)


class Pages:
    """The application's own pages.

    Attributes:
        seen: paths that were asked for.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, request: trio_sio.Request) -> trio_sio.Response:
        self.seen.append(request.path)
        body = await request.body() if request.path == "/read" else b""
        return trio_sio.Response(200, [("X-Body", str(len(body)))], request.path.encode())


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    closes: bool


def answers(data: bytes, methods: list[str]) -> Iterator[Answer]:
    """Read answers to requests of these methods; h11 is the judge of them."""
    for method in methods:
        if not data:
            return
        judge = h11.Connection(h11.CLIENT)
        judge.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        judge.send(h11.EndOfMessage())
        judge.receive_data(data)
        while isinstance(event := judge.next_event(), h11.InformationalResponse):
            assert (event.status_code, event.reason) == (100, b"Continue")
        assert isinstance(event, h11.Response)
        body = b""
        while isinstance(part := judge.next_event(), h11.Data):
            body += part.data
        assert isinstance(part, h11.EndOfMessage), "half an answer"
        closes = (b"connection", b"close") in event.headers
        yield Answer(event.status_code, body, closes)
        data = judge.trailing_data[0]
    assert data == b"", "more answers than requests"


async def stay(session: trio_sio.Session) -> None:
    await trio.sleep_forever()


async def say(request: Strange, streams: str, cut: int | None) -> tuple[bytes, list[str]]:
    """Send the three requests; return what the server says, and what its application saw."""
    pages = Pages()
    server = trio_sio.Engine(
        path="/engine.io", raise_errors=True, fallback=pages, generate_id=lambda _: "live"
    )
    make = socket_pair if streams == "sockets" else memory_stream_pair
    async with open_wire(server, stay, streams=make) as wire:
        if b"sid=live" in request.data:
            await wire.handshake()
        connection = wire.connect()
        with suppress(trio.BrokenResourceError):
            await connection.send(FIRST + request.data + LAST, cut)
        with trio.fail_after(1000):
            said = b""
            with suppress(trio.BrokenResourceError):
                while data := await connection.stream.receive_some():
                    said += data
        return said, pages.seen


def check(request: Strange, said: bytes, seen: list[str]) -> None:
    first, *others = answers(said, ["GET", request.method, "GET"])
    assert (first.status, first.body, first.closes) == (200, b"/first", False)
    assert seen[0] == "/first"
    assert "/smuggled" not in seen
    assert [answer.closes for answer in others[:-1]] == [False] * len(others[:-1])
    if len(others) == 2:
        assert request.is_clear
        assert (others[1].status, others[1].body) == (200, b"/last")
        assert seen[-1] == "/last"
    else:
        assert "/last" not in seen
        assert not others or others[0].closes
        assert not request.is_usual
    if request.is_usual:
        assert (others[0].status, seen) == (200, ["/first", "/read", "/last"])


TOO_SLOW = [HealthCheck.too_slow]
CUTS = st.sampled_from([None, None, 1, 7])


def _hold(request: Strange, streams: str, cut: int | None) -> None:
    clock = MockClock(autojump_threshold=0)
    said, seen = trio.run(say, request, streams, cut, clock=clock)
    check(request, said, seen)


@pytest.mark.slow
@pytest.mark.parametrize("streams", ["memory", "sockets"])
@examples(150, suppress_health_check=TOO_SLOW)
@given(strange(), CUTS)
def test_between_two_others(streams: str, request_: Strange, cut: int | None) -> None:
    _hold(request_, streams, cut)


@pytest.mark.long
@pytest.mark.parametrize("streams", ["memory", "sockets"])
@examples(5000, suppress_health_check=TOO_SLOW)
@given(strange(), CUTS)
def test_many_more_between_two_others(streams: str, request_: Strange, cut: int | None) -> None:
    _hold(request_, streams, cut)


@pytest.mark.parametrize("target", ["/page", "/read", "/engine.io/?transport=polling&sid=live"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
@pytest.mark.parametrize(("fields", "body"), UNCLEAR)
def test_each_unclear_end_for_each_reader(
    fields: bytes, body: bytes, method: str, target: str
) -> None:
    """Answered or not, what is behind it is not read."""
    head = f"{method} {target} HTTP/1.1\r\nHost: a\r\n".encode()
    _hold(Strange(method, head + fields + b"\r\n" + body, False, False), "memory", None)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", [*METHODS[3:], "GET"])
def test_each_method_for_each_target(method: str, target: str) -> None:
    for fields, body in CLEAR:
        head = f"{method} {target} HTTP/1.1\r\nHost: a\r\n".encode()
        _hold(Strange(method, head + fields + b"\r\n" + body, True, False), "memory", None)
