"""Connections of an engine: as many as may be, counted until they close, and closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio

GET = b"GET /engine.io/?transport=polling HTTP/1.1\r\nHost: a\r\n\r\n"


@asynccontextmanager
async def listening(**options: int) -> AsyncIterator[tuple[trio_sio.Engine, int]]:
    async def handler(session: trio_sio.Session) -> None:
        await session.receive()

    engine = trio_sio.Engine(raise_errors=True, **options)  # type: ignore[arg-type]  # by name
    async with engine, trio.open_nursery() as nursery:
        listeners = await nursery.start(
            lambda task_status: engine.serve_tcp(
                handler, 0, host="127.0.0.1", task_status=task_status
            )
        )
        yield engine, listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("option", ["max_connections", "max_connections_per_address"])
async def test_a_server_that_is_full(option: str, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(**{option: 2}) as (_, port):
        streams = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(2)]
        for stream in streams:
            await stream.send_all(GET)
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
        third = await trio.open_tcp_stream("127.0.0.1", port)
        refusal = await third.receive_some()
        assert refusal.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert option.encode() in refusal
        assert await third.receive_some() == b""
        await third.aclose()
        await streams.pop().aclose()
        with trio.fail_after(5):
            while True:  # until the server has noticed
                async with await trio.open_tcp_stream("127.0.0.1", port) as again:
                    await again.send_all(GET)
                    if (await again.receive_some()).startswith(b"HTTP/1.1 200 "):
                        break
        await streams.pop().aclose()
    assert f"refused a client at 127.0.0.1: {option}" in caplog.text


async def test_each_is_counted_until_it_is_closed(autojump_clock: MockClock) -> None:
    async def handler(session: trio_sio.Session) -> None:
        await session.receive()

    async with trio_sio.Engine(raise_errors=True) as engine, trio.open_nursery() as nursery:
        streams = []
        for expected in (1, 2):
            ours, theirs = memory_stream_pair()
            streams.append(ours)
            nursery.start_soon(engine.serve_stream, theirs, handler)
            await wait_all_tasks_blocked()
            assert engine.statistics().connections == expected
        await streams[0].aclose()
        await wait_all_tasks_blocked()
        assert engine.statistics().connections == 1
        await streams[1].send_all(GET)
        assert (await streams[1].receive_some()).startswith(b"HTTP/1.1 200 ")
        await engine.aclose()  # the second is idle: it ends by itself
        assert await streams[1].receive_some() == b""
    assert engine.statistics().connections == 0
