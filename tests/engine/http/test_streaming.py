"""Responses whose bodies come piece by piece, over the wire."""

import logging
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_http import WireConnection

PIECES = (b"first", b"", b"x" * 200_000, b"last")
WHOLE = b"".join(PIECES)


class Site:
    """A fallback; the target of a request says what it does.

    Attributes:
        closed: the targets whose generators have been closed.
    """

    def __init__(self) -> None:
        self.closed: list[str] = []

    async def __call__(self, request: trio_sio.Request) -> trio_sio.Response:
        target = request.target
        status = int(request.query_string or 200)
        lengths = {"/short": 1, "/long": len(WHOLE) + 7, "/known": len(WHOLE)}
        known = lengths.get(request.path)
        headers = [] if known is None else [("Content-Length", str(known))]
        if target == "/after":
            return trio_sio.Response(200, [], b"after")
        return trio_sio.Response(status, headers, self._pieces(request.path))

    async def _pieces(self, path: str) -> AsyncIterator[bytes]:
        try:
            if path == "/no-bytes":
                yield "text"  # type: ignore[misc]
            for piece in PIECES:
                yield piece
            if path == "/fails":
                raise KeyError("application")
            if path == "/stays":
                await trio.sleep_forever()
        finally:
            self.closed.append(path)


async def _serve_nothing(session: trio_sio.abc.Session) -> None:
    await trio.sleep_forever()


def engine(site: Site, **options: object) -> trio_sio.Engine:
    return trio_sio.Engine(fallback=site, **options)  # type: ignore[arg-type]


def decoded(data: bytes) -> tuple[bytes, bytes]:
    """Return the content of a chunked body, and what follows it."""
    content = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if not int(size, 16):
            assert data.startswith(b"\r\n")
            return content, data[2:]
        content += data[: int(size, 16)]
        assert data[int(size, 16) :].startswith(b"\r\n")
        data = data[int(size, 16) + 2 :]


async def raw(wire: WireClient, target: str, version: str = "1.1") -> tuple[str, bytes]:
    """Ask, then ask for another thing on the same connection; return head, and all that follows."""
    connection = wire.connect()
    ask = f"GET %s HTTP/{version}\r\nHost: wire\r\n%s\r\n"
    last = "Connection: close\r\n"
    await connection.send((ask % (target, "") + ask % ("/after", last)).encode())
    data = await connection.receive_rest()
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode().lower(), rest


async def test_without_a_length_it_goes_in_chunks_and_the_connection_goes_on(
    autojump_clock: MockClock,
) -> None:
    site = Site()
    async with open_wire(engine(site), _serve_nothing) as wire:
        head, rest = await raw(wire, "/")
    assert "transfer-encoding: chunked" in head
    assert "content-length" not in head
    content, next_response = decoded(rest)
    assert content == WHOLE
    assert next_response.startswith(b"HTTP/1.1 200 ")
    assert next_response.endswith(b"after")
    assert site.closed == ["/"]


async def test_with_its_length_it_goes_as_it_is(autojump_clock: MockClock) -> None:
    async with open_wire(engine(Site()), _serve_nothing) as wire:
        response = await wire.connect().request("GET", "/known")
        assert (response.body, "transfer-encoding" in response.headers) == (WHOLE, False)


async def test_to_http_1_0_it_ends_with_the_connection(autojump_clock: MockClock) -> None:
    async with open_wire(engine(Site()), _serve_nothing) as wire:
        head, rest = await raw(wire, "/", "1.0")
    assert "transfer-encoding" not in head
    assert "connection: close" in head
    assert rest == WHOLE


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/short", "Content-Length is 1, its body has at least 5 bytes"),
        ("/long", f"its body has {len(WHOLE)} bytes"),
        ("/fails", "KeyError: 'application'"),
        ("/no-bytes", "a piece of a response's body must be bytes, not str"),
    ],
)
async def test_one_that_fails_ends_the_connection_and_is_told_once(
    target: str, told: str, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    site = Site()
    async with open_wire(engine(site), _serve_nothing) as wire:
        _, rest = await raw(wire, target)
    assert b"after" not in rest
    assert not rest.endswith(b"0\r\n\r\n")
    (record,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert record.getMessage().startswith(f"fallback failed for GET {target}")
    assert told in caplog.text
    assert site.closed == [target]


@pytest.mark.parametrize(("method", "query"), [("HEAD", ""), ("GET", "?204"), ("GET", "?304")])
async def test_where_there_is_no_body_none_is_sent(
    method: str, query: str, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(Site()), _serve_nothing) as wire:
        connection = wire.connect()
        response = await connection.request(method, f"/{query}")
        assert "content-length" not in response.headers
        assert "transfer-encoding" not in response.headers
        assert (await connection.request("GET", "/after")).text == "after"


async def test_a_client_that_leaves_closes_it_and_nothing_is_told(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    site = Site()
    async with open_wire(engine(site), _serve_nothing) as wire:
        connection = await reading(wire, "/stays")
        await connection.aclose()
        await trio.sleep(1)  # it is watched after a moment
        assert site.closed == ["/stays"]
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


async def reading(wire: WireClient, target: str) -> WireConnection:
    """Ask for something that stays, and read what there is of it."""
    connection = wire.connect()
    await connection.send_request("GET", target)
    data = b""
    while not data.endswith(b"4\r\nlast\r\n"):
        data += await connection.stream.receive_some()
    return connection


async def test_a_client_that_reads_nothing_has_answer_timeout_for_each_piece(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    blocked = trio.Event()

    async def block() -> None:
        blocked.set()
        await trio.sleep_forever()

    theirs.send_stream.send_all_hook = block
    site = Site()
    io = engine(site, answer_timeout=3.0)
    async with io:
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(io.serve_stream, theirs, _serve_nothing)
            await ours.send_all(b"GET /stays HTTP/1.1\r\nHost: wire\r\n\r\n")
            await blocked.wait()
        assert trio.current_time() - began == pytest.approx(3.0)
    assert "answer_timeout" in caplog.text
    assert "fallback failed" not in caplog.text


async def test_at_shutdown_it_has_grace(autojump_clock: MockClock) -> None:
    site = Site()
    io = engine(site, grace=4.0)
    async with open_wire(io, _serve_nothing) as wire:
        await reading(wire, "/stays")
        began = trio.current_time()
        await io.aclose()
        assert trio.current_time() - began == pytest.approx(4.0)
