"""Closing without a reset: what the client still sends is read, for a while and up to a limit."""

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from trio_sio.engine.runtime.stream import LINGER_BYTES, LINGER_TIME, ByteStream, linger


async def test_until_the_client_agrees(autojump_clock: MockClock) -> None:
    ours, client = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(linger, ByteStream(ours))
        assert await client.receive_some() == b""
        await client.send_all(b"still sending")
        await trio.sleep(1)
        await client.send_eof()
    assert trio.current_time() == 1.0


@pytest.mark.parametrize("pause", [0.5, 10.0])
async def test_no_longer_than_a_while(pause: float, autojump_clock: MockClock) -> None:
    ours, client = memory_stream_pair()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def talk() -> None:
            while True:
                await client.send_all(b"x")
                await trio.sleep(pause)

        await linger(ByteStream(ours))
        nursery.cancel_scope.cancel()
    assert trio.current_time() == LINGER_TIME


async def test_no_more_than_so_much(autojump_clock: MockClock) -> None:
    ours, client = memory_stream_pair()
    await client.send_all(b"x" * (LINGER_BYTES + 100_000))
    await linger(ByteStream(ours))
    assert trio.current_time() == 0.0
    left = await ours.receive_some()
    assert 0 < len(left) <= 100_000
