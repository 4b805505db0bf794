"""The short cuts on plain TCP, over real loopback sockets, and the detour elsewhere."""

import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import memory_stream_pair

from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.statistics import Counters


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[ByteStream, trio.SocketStream]]:
    """A pipe over one end of a TCP connection, and the other end."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    async with listener:
        other = await trio.open_tcp_stream("127.0.0.1", port)
        pipe = ByteStream(await listener.accept())
        async with other:
            yield pipe, other
            await pipe.aclose()


async def test_reads_what_comes_and_then_the_end() -> None:
    async with connection() as (pipe, other):
        assert pipe.direct
        await other.send_all(b"abc")
        assert await pipe.read() == b"abc"
        pipe.unread(b"again")
        pipe.unread(b"first ")
        assert await pipe.read() == b"first again"
        await other.aclose()
        assert await pipe.read() == b""


async def test_reading_without_a_coroutine() -> None:
    async with connection() as (pipe, other):
        descriptor = pipe.descriptor
        assert descriptor >= 0
        assert pipe.read_nowait() is None
        await other.send_all(b"abc")
        await trio.lowlevel.wait_readable(descriptor)
        assert pipe.read_nowait() == b"abc"
        pipe.unread(b"again")
        assert pipe.descriptor == -1  # there is nothing to wait for
        assert await pipe.read() == b"again"
        await other.send_eof()
        await trio.lowlevel.wait_readable(pipe.descriptor)
        assert pipe.read_nowait() == b""
    with pytest.raises(trio.ClosedResourceError):
        pipe.read_nowait()
    assert pipe.descriptor == -1


async def test_a_full_kernel_buffer_takes_a_part_and_then_nothing() -> None:
    data = bytes(range(256)) * 64 * 1024  # 16 MiB, more than any loopback buffer
    async with connection() as (pipe, other):
        sent = pipe.write_nowait(data)
        assert 0 < sent < len(data)
        while taken := pipe.write_nowait(data[sent : sent + 4096]):
            sent += taken
        received = bytearray()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pipe.send_all, data[sent:])
            while len(received) < len(data):
                received += await other.receive_some()
        assert received == data


async def test_an_interrupted_reader_can_read_again() -> None:
    async with connection() as (pipe, other):
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def read() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await pipe.read()

            await trio.testing.wait_all_tasks_blocked()
            pipe.interrupt_reader()
        await other.send_all(b"abc")
        assert await pipe.read() == b"abc"


async def test_a_reset_is_a_broken_resource() -> None:
    async with connection() as (pipe, other):
        other.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await other.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await pipe.read()
        assert pipe.write_nowait(b"abc") == 3  # taken and gone; the reader knows


async def test_closing_while_reading() -> None:
    async with connection() as (pipe, _), trio.open_nursery() as nursery:

        @nursery.start_soon
        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await pipe.read()

        await trio.testing.wait_all_tasks_blocked()
        await pipe.aclose()
        assert not pipe.direct


async def test_a_stream_in_memory_goes_its_own_way() -> None:
    ours, theirs = memory_stream_pair()
    pipe = ByteStream(ours)
    assert not pipe.direct
    await theirs.send_all(b"abc")
    assert await pipe.read() == b"abc"
    await pipe.send_all(b"def")
    await pipe.send_eof()
    assert await theirs.receive_some() == b"def"
    assert await theirs.receive_some() == b""
    await pipe.aclose()


@pytest.mark.parametrize("is_direct", [True, False])
async def test_bytes_are_counted_once_each(is_direct: bool) -> None:
    counters = Counters()
    async with connection() as (real, other):
        stream: trio.abc.Stream = real.stream
        if not is_direct:
            stream, other = memory_stream_pair()  # type: ignore[assignment]  # a stream as well
        pipe = ByteStream(stream, counters)
        await other.send_all(b"abc")
        assert await pipe.read() == b"abc"
        pipe.unread(b"bc")
        assert await pipe.read() == b"bc"
        assert (counters.bytes_in, counters.bytes_out) == (3, 0)
        if is_direct:
            assert pipe.write_nowait(b"12") == 2
            assert await pipe.begin_write(b"345") == b""
        else:
            assert await pipe.begin_write(b"12345") == b"12345"
            await pipe.send_all(b"12345")
        await pipe.write(b"6789")
        assert (counters.bytes_in, counters.bytes_out) == (3, 9)


async def test_what_has_not_been_read_is_seen() -> None:
    async with connection() as (pipe, other):
        tls = ByteStream(
            trio.SSLStream(pipe.stream, ssl.create_default_context(), server_side=False)
        )
        assert not pipe.has_unread
        await other.send_all(b"abc")
        await trio.lowlevel.wait_readable(pipe.descriptor)
        assert pipe.has_unread
        assert tls.has_unread
        assert await pipe.read() == b"abc"
        assert not pipe.has_unread
        assert not tls.has_unread
        pipe.unread(b"bc")
        assert pipe.has_unread
        assert await pipe.read() == b"bc"
        await other.aclose()
        await trio.lowlevel.wait_readable(pipe.descriptor)
        assert pipe.has_unread  # the end


async def test_a_peer_that_hung_up_is_seen_before_what_it_sent_is_read() -> None:
    async with connection() as (pipe, other):
        assert not pipe.hung_up
        await other.send_all(b"abc")
        assert not pipe.hung_up
        await other.aclose()
        await trio.lowlevel.wait_readable(pipe.descriptor)
        assert pipe.hung_up
        assert await pipe.read() == b"abc"
        await pipe.aclose()
        assert pipe.hung_up


async def test_a_reset_is_seen() -> None:
    async with connection() as (pipe, other):
        linger = struct.pack("ii", 1, 0)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await other.aclose()
        await trio.lowlevel.wait_readable(pipe.descriptor)
        assert pipe.hung_up


async def test_below_tls_it_is_seen_too() -> None:
    async with connection() as (pipe, other):
        tls = ByteStream(
            trio.SSLStream(pipe.stream, ssl.create_default_context(), server_side=False)
        )
        assert not tls.direct
        assert not tls.hung_up
        await other.aclose()
        await trio.lowlevel.wait_readable(pipe.descriptor)
        assert tls.hung_up


async def test_in_memory_nothing_is_seen() -> None:
    ours, theirs = memory_stream_pair()
    pipe = ByteStream(ours)
    await theirs.aclose()
    assert not pipe.hung_up
    assert not pipe.has_unread


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_who_waits_for_the_close_hears_of_it_once(is_cancelled: bool) -> None:
    pipe = ByteStream(memory_stream_pair()[0])
    calls: list[str] = []
    pipe.when_closed(lambda: calls.append("closed"))
    with trio.CancelScope() as scope:
        if is_cancelled:
            scope.cancel()
        await pipe.aclose()
    await pipe.aclose()
    assert calls == ["closed"]
