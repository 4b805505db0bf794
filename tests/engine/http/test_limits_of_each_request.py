"""Each limit of a connection holds for each of its requests: the first, the second and later ones.

Whoever reads the request and whoever read those before it, on a socket, in memory and over TLS.
What is within a limit goes on, so that nothing of one request is charged to the next.
"""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trustme
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair

from tests.support.served_connection import hear, undated
from tests.support.socket_pairs import socket_pair
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.engine.http.timeouts import HTTPLimits, Phase
from trio_sio.engine.runtime.timers import Timers
from trio_sio.http import BodyTooLarge, BodyTooSlow, InvalidBody, Request, Response

HEAD, BODY, IDLE, ANSWER = 10.0, 100.0, 1000.0, 50.0
SIZE, FIELDS, BYTES = 1000, 20, 30
SECONDS = {Phase.HEAD: HEAD, Phase.BODY: BODY, Phase.IDLE: IDLE, Phase.ANSWER: ANSWER}
LARGE = b"x" * 5_000_000

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PLAIN, BY_H11, CHUNKED = b"", b"TE: trailers\r\n", b"Transfer-Encoding: chunked\r\n"


async def answer(request: Request, connection: HTTPConnection) -> Response:
    if request.path == "/large":
        return Response(200, [], LARGE)
    try:
        await request.body(BYTES)
    except (BodyTooLarge, BodyTooSlow, InvalidBody) as error:
        return Response(error.status, [("Connection", "close")])
    return Response(200, [], b"ok")


def post(fields: bytes, size: int) -> bytes:
    """Return a POST with a body of so many bytes."""
    body = b"x" * size
    if fields == CHUNKED:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
    else:
        fields += b"Content-Length: %d\r\n" % size
    return b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n" + body


def get(fields: bytes, path: bytes = b"/") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (path, fields)


BEFORE: dict[str, list[bytes]] = {
    "first": [],
    "behind a plain one": [get(PLAIN)],
    "behind one of h11's": [get(BY_H11)],
    "behind many": [post(PLAIN, 9), post(CHUNKED, 9), get(PLAIN), post(BY_H11, 9)],
}


class Client:
    """One that is served; what limits it reaches is noted in `reached`."""

    def __init__(self, stream: trio.abc.Stream, reached: list[str], *, is_first: bool) -> None:
        self.stream = stream
        self.reached = reached
        self.is_first = is_first

    async def is_answered(self, request: bytes) -> None:
        """Ask, slowly, but within all limits, and get the usual answer."""
        await trio.sleep(HEAD / 2 if self.is_first else IDLE - 50)
        await self.stream.send_all(request[:5])
        await trio.sleep(HEAD / 2 - 1)
        await self.stream.send_all(request[5:])
        data = b""
        while not data.endswith(b"\r\n\r\nok"):
            more = bytes(await self.stream.receive_some())
            assert more, data
            data += more
        assert undated(data) == OK
        self.is_first = False

    async def is_refused(self, request: bytes, status: int, after: float = 0.0) -> None:
        """Ask, and get a refusal after so many seconds, and the end."""
        await self.stream.send_all(request)
        begun = trio.current_time()
        beginning = bytes(await self.stream.receive_some())
        assert trio.current_time() - begun == pytest.approx(after, abs=0.5)
        heard = await hear(self.stream, 4000, beginning)
        assert heard.startswith(b"HTTP/1.1 %d " % status)
        assert b"\r\nConnection: close\r\n" in heard
        assert heard.endswith(b"<end>")


# -- the limits ----------------------------------------------------------------------------------


async def head_timeout(client: Client, fields: bytes) -> None:
    await client.is_refused(get(fields)[:-2], 408, after=HEAD)
    assert client.reached == ["head_timeout"]


async def silence(client: Client, fields: bytes) -> None:
    begun = trio.current_time()
    assert await hear(client.stream, 4000) == b"<end>"
    limit = HEAD if client.is_first else IDLE
    assert trio.current_time() - begun == pytest.approx(limit, abs=0.5)


async def body_timeout(client: Client, fields: bytes) -> None:
    await client.is_refused(post(fields, BYTES)[:-8], 408, after=BODY)


async def answer_timeout(client: Client, fields: bytes) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.stream.send_all, get(fields, b"/large"))
        await trio.sleep(ANSWER - 1)
        assert client.reached == []
        await trio.sleep(2)
        assert client.reached == ["answer_timeout"]


async def max_header_size(client: Client, fields: bytes) -> None:
    begin = b"GET / HTTP/1.1\r\nHost: a\r\n" + fields.replace(CHUNKED, BY_H11) + b"X: "
    await client.is_answered(begin + b"x" * (SIZE - len(begin) - 4) + b"\r\n\r\n")
    await client.is_refused(begin + b"x" * (SIZE - len(begin) - 3) + b"\r\n\r\n", 431)
    assert client.reached == ["max_header_size"]


async def max_headers(client: Client, fields: bytes) -> None:
    fields = fields.replace(CHUNKED, BY_H11)
    some = b"X:\r\n" * (FIELDS - 1 - bool(fields))
    await client.is_answered(get(fields + some))
    await client.is_refused(get(fields + some + b"X:\r\n"), 431)
    assert client.reached == ["max_headers"]


async def max_trailers(client: Client, fields: bytes) -> None:
    request = post(CHUNKED, 1)[:-2]
    await client.is_answered(request + b"X:\r\n" * FIELDS + b"\r\n")
    await client.is_refused(request + b"X:\r\n" * (FIELDS + 1) + b"\r\n", 431)


async def body_size(client: Client, fields: bytes) -> None:
    await client.is_answered(post(fields, BYTES))
    await client.is_refused(post(fields, BYTES + 1), 413)


async def body_size_in_the_middle(client: Client, fields: bytes) -> None:
    """And not only at its end, where a body comes in chunks."""
    await client.is_refused(post(fields, BYTES + 10_000)[:200], 413)


EACH_LIMIT: list[Callable[[Client, bytes], Awaitable[None]]] = [
    *(head_timeout, silence, body_timeout, answer_timeout, max_header_size, max_headers),
    *(max_trailers, body_size, body_size_in_the_middle),
]

# -- each of them, everywhere --------------------------------------------------------------------


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the client's."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("here").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def make_pair(
    kind: str, contexts: tuple[ssl.SSLContext, ssl.SSLContext], *, is_tight: bool
) -> tuple[trio.abc.Stream, trio.abc.Stream]:
    """Return both ends; the client's is first.

    Args:
        kind: "sockets", "memory" or "tls".
        contexts: for TLS.
        is_tight: whether it must hold nothing that the client does not read.
    """
    if kind == "sockets":
        return socket_pair()
    ours, theirs = lockstep_stream_pair() if is_tight else memory_stream_pair()
    if kind == "memory":
        return ours, theirs
    server, client = contexts
    return (
        trio.SSLStream(ours, client, server_hostname="here", https_compatible=True),
        trio.SSLStream(theirs, server, server_side=True, https_compatible=True),
    )


@asynccontextmanager
async def served(
    ours: trio.abc.Stream, theirs: trio.abc.Stream, requests: list[bytes]
) -> AsyncIterator[Client]:
    """A client that has asked for some things before."""
    reached: list[str] = []
    limits = HTTPLimits(SECONDS, FIELDS, SIZE, reached.append)
    timers = Timers()
    connection = HTTPConnection(theirs, timers=timers, limits=limits)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timers.run)
            nursery.start_soon(connection.serve, answer)
            if isinstance(ours, trio.SSLStream):
                await ours.do_handshake()
            client = Client(ours, reached, is_first=True)
            for request in requests:
                await client.is_answered(request)
            assert reached == []
            yield client
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(ours)


@pytest.mark.parametrize("streams", ["sockets", "memory", "tls"])
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("fields", [PLAIN, BY_H11, CHUNKED], ids=["plain", "h11", "chunked"])
@pytest.mark.parametrize("limit", EACH_LIMIT, ids=lambda limit: limit.__name__)
async def test_each_limit(
    limit: Callable[[Client, bytes], Awaitable[None]],
    fields: bytes,
    before: str,
    streams: str,
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    mock_clock: MockClock,
) -> None:
    mock_clock.autojump_threshold = 0.01 if streams == "sockets" else 0
    pair = make_pair(streams, contexts, is_tight=limit is answer_timeout)
    with trio.fail_after(20_000):  # a limit that does not hold is a failure, not a test that hangs
        async with served(*pair, BEFORE[before]) as client:
            await limit(client, fields)
