"""A connection that is new when the engine closes gets a moment for the request that is on its way.

The request is refused, but answered: a client that is told nothing cannot know whether the server
has done what it asked for.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair, tls_pair
from trio_sio.engine.engine import GOODBYE
from trio_sio.testing.wire import WireClient, open_wire

TARGET = "/engine.io/?EIO=3&transport=polling"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "13",
}

Streams = Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]]

each_stream = pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair, tls_pair])


async def stay(session: trio_sio.Session) -> None:
    await session.receive()


@asynccontextmanager
async def closing(streams: Streams) -> AsyncIterator[tuple[WireClient, trio_sio.Engine]]:
    """An engine, which the test closes beside what it does."""
    engine = trio_sio.Engine(raise_errors=True)
    async with open_wire(engine, stay, streams=streams) as wire:
        yield wire, engine


@each_stream
@pytest.mark.parametrize("headers", [{}, UPGRADE], ids=["polling", "websocket"])
async def test_a_request_that_comes_in_this_moment_is_answered(
    streams: Streams, headers: dict[str, str], autojump_clock: MockClock
) -> None:
    async with closing(streams) as (wire, engine), trio.open_nursery() as nursery:
        connection = wire.connect()
        await wait_all_tasks_blocked()
        nursery.start_soon(engine.aclose)
        await trio.sleep(GOODBYE / 2)
        response = await connection.request("GET", TARGET, headers)
        assert (response.status, response.headers["connection"]) == (503, "close")
        assert response.body == b"the server is shutting down\n"
        assert await connection.receive_rest() == b""
        await connection.aclose()
        await wait_all_tasks_blocked()
        assert not nursery.child_tasks  # there is nothing more to wait for


@each_stream
async def test_the_rest_of_a_head_is_waited_for(
    streams: Streams, autojump_clock: MockClock
) -> None:
    async with closing(streams) as (wire, engine), trio.open_nursery() as nursery:
        connection = wire.connect()
        request = connection.request_bytes("GET", TARGET)
        await connection.send(request[:20])
        await wait_all_tasks_blocked()
        nursery.start_soon(engine.aclose)
        await trio.sleep(GOODBYE / 2)
        await connection.send(request[20:])
        assert (await connection.receive_response()).status == 503


@each_stream
async def test_a_connection_without_a_request_ends_after_this_moment(
    streams: Streams, autojump_clock: MockClock
) -> None:
    async with closing(streams) as (wire, engine):
        connection = wire.connect()
        if streams is tls_pair:
            await connection.send(b"")  # the handshake
        await wait_all_tasks_blocked()
        before = trio.current_time()
        await engine.aclose()
        assert trio.current_time() == before + GOODBYE
        assert await connection.receive_rest() == b""


async def test_a_connection_that_is_idle_ends_at_once(autojump_clock: MockClock) -> None:
    async with closing(socket_pair) as (wire, engine):
        connection = wire.connect()
        assert (await connection.request("GET", "/elsewhere")).status == 404
        before = trio.current_time()
        await engine.aclose()
        assert trio.current_time() == before
        assert await connection.receive_rest() == b""


async def test_a_connection_that_comes_late_is_answered(autojump_clock: MockClock) -> None:
    async with closing(socket_pair) as (wire, engine), trio.open_nursery() as nursery:
        wire.connect()
        await wait_all_tasks_blocked()
        nursery.start_soon(engine.aclose)
        await trio.sleep(GOODBYE / 2)
        response = await wire.connect().request("GET", TARGET)
        assert (response.status, response.headers["connection"]) == (503, "close")


class _Accepted(trio.abc.Listener[trio.SocketStream]):
    """Accepts one connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream: trio.SocketStream | None = stream
        self.has_accepted = trio.Event()

    async def accept(self) -> trio.SocketStream:
        await trio.lowlevel.checkpoint()
        if self._stream is None:
            await trio.sleep_forever()
        assert self._stream is not None
        stream, self._stream = self._stream, None
        self.has_accepted.set()
        return stream

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("header", [b"", b"PROXY UNKNOWN\r\n"], ids=["plain", "proxied"])
async def test_a_connection_that_was_just_accepted_is_answered(
    header: bytes, autojump_clock: MockClock
) -> None:
    engine = trio_sio.Engine(raise_errors=True, proxy_protocol=bool(header))
    ours, theirs = socket_pair()
    listener = _Accepted(theirs)
    async with ours, engine, trio.open_nursery() as nursery:
        nursery.start_soon(engine.serve_listeners, stay, [listener])
        await listener.has_accepted.wait()  # and nothing has been read
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as closing:
                closing.start_soon(engine.aclose)
                await trio.sleep(GOODBYE / 2)
                await ours.send_all(header + b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                answer = b""
                async for piece in ours:
                    answer += piece
    assert answer.startswith(b"HTTP/1.1 503 ")
