"""A connection: commands, replies, and its end in each way."""

from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from trio_sio.adapters.redis.link.address import Endpoint
from trio_sio.adapters.redis.link.connection import (
    MAX_READ_SIZE,
    READ_SIZE,
    Connection,
    ConnectionLost,
)
from trio_sio.adapters.redis.link.resp import Push

MAX = 1000


class Ends:
    """A connection, and the server's end of it."""

    def __init__(self) -> None:
        ours, self.server = trio.testing.memory_stream_pair()
        self.connection = Connection(ours, Endpoint("h", 1), MAX)


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    ends = Ends()
    yield ends
    await ends.connection.aclose()


async def test_call_sends_a_command_and_returns_its_reply(
    ends: Ends, autojump_clock: trio.testing.MockClock
) -> None:
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def server() -> None:
            assert await ends.server.receive_some() == b"*2\r\n$4\r\nECHO\r\n$1\r\na\r\n"
            await ends.server.send_all(b"$1\r\n")
            await trio.sleep(1)
            await ends.server.send_all(b"a\r\n")

        assert await ends.connection.call(b"ECHO", b"a") == b"a"
    assert ends.connection.last_read == trio.current_time()


async def test_all_that_has_come_is_read_at_once(ends: Ends) -> None:
    await ends.server.send_all(b":1\r\n>1\r\n+a\r\n:2")
    await ends.connection.read()
    assert list(ends.connection.replies()) == [1, Push([b"a"])]
    assert list(ends.connection.replies()) == []
    await ends.server.send_all(b"3\r\n")
    await ends.connection.read()
    assert list(ends.connection.replies()) == [23]


async def test_more_is_read_at_a_time_while_much_comes(ends: Ends) -> None:
    reply = b"$98\r\n%b\r\n" % bytes(98)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ends.server.send_all, 40_000 * reply)
        counts: list[int] = []
        while sum(counts) < 40_000:
            await ends.connection.read()
            counts.append(len(list(ends.connection.replies())))
    sizes = [READ_SIZE, 4 * READ_SIZE, MAX_READ_SIZE, MAX_READ_SIZE]
    assert counts[:4] == pytest.approx([size // len(reply) for size in sizes], abs=2)
    await ends.server.send_all(b":1\r\n")
    await ends.connection.read()
    assert list(ends.connection.replies()) == [1]


async def test_the_server_introduces_itself(ends: Ends) -> None:
    connection = ends.connection
    assert not connection.is_replica
    assert not connection.is_cluster
    connection.introduce({b"role": b"replica", b"mode": b"standalone"})
    assert connection.is_replica
    assert not connection.is_cluster
    connection.introduce({b"role": b"master", b"mode": b"cluster"})
    assert not connection.is_replica
    assert connection.is_cluster


async def test_the_end_is_told(ends: Ends) -> None:
    await ends.server.aclose()
    with pytest.raises(ConnectionLost, match="Redis closed the connection"):
        await ends.connection.read()
    with pytest.raises(ConnectionLost, match="the connection broke"):
        await ends.connection.send(b"x")


async def test_reading_from_a_closed_connection_is_told(ends: Ends) -> None:
    await ends.connection.aclose()
    with pytest.raises(ConnectionLost, match="the connection broke"):
        await ends.connection.read()


async def test_a_reply_that_is_too_large_is_told(ends: Ends) -> None:
    await ends.server.send_all(b":1\r\n$2000\r\n")
    await ends.connection.read()
    replies = ends.connection.replies()
    assert next(replies) == 1
    with pytest.raises(ConnectionLost, match="more than 1,000 bytes"):
        next(replies)


async def test_what_is_not_redis_is_told(ends: Ends) -> None:
    await ends.server.send_all(b"HTTP/1.1 400 Bad Request\r\n")
    await ends.connection.read()
    with pytest.raises(ConnectionLost, match="not RESP 3"):
        list(ends.connection.replies())
