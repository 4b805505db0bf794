"""The broker over a real Redis: what is published arrives, and subscribers are counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from tests.support.adapter_host import Host
from tests.support.redis_server import RedisServer, redis_server
from trio_sio.adapters.cluster.broker import Broker
from trio_sio.adapters.redis import RedisAdapter
from trio_sio.protocol.cluster.channels import Channels

__all__ = ["redis_server"]

pytestmark = pytest.mark.redis

CHANNELS = Channels("socket.io", "/")


class Heard:
    """What has been received, as a stream."""

    def __init__(self) -> None:
        self._put, self._get = trio.open_memory_channel[tuple[bytes, bytes]](1000)

    def receive(self, channel: bytes, payload: bytes) -> int:
        self._put.send_nowait((channel, payload))
        return 1

    async def next(self) -> tuple[bytes, bytes]:
        with trio.fail_after(10):
            return await self._get.receive()


@asynccontextmanager
async def running(url: str, **options: Any) -> AsyncIterator[Broker]:  # noqa: ANN401
    adapter = RedisAdapter(url, **options)
    async with trio.open_nursery() as nursery:
        await nursery.start(adapter.run, Host())
        yield adapter.broker
        nursery.cancel_scope.cancel()


async def test_what_is_published_is_heard_by_all(redis_server: RedisServer) -> None:
    async with running(redis_server.url) as one, running(redis_server.url) as two:
        assert one.uid != two.uid
        assert one.key == "socket.io"
        heard, heard_too = Heard(), Heard()
        subscription = one.open(CHANNELS, heard.receive)
        await subscription.wait()
        await two.open(CHANNELS, heard_too.receive).wait()
        for number in range(100):
            await one.publish(CHANNELS.base, b"%d" % number)
        for number in range(100):
            assert await heard.next() == (CHANNELS.base, b"%d" % number)
            assert await heard_too.next() == (CHANNELS.base, b"%d" % number)
        assert one.publish_nowait(CHANNELS.request, b"request")
        assert await heard_too.next() == (CHANNELS.request, b"request")
        assert dict(one.peers) == {two.uid: next(iter(one.peers.values()))}


async def test_a_subscription_ends_with_close(redis_server: RedisServer) -> None:
    async with running(redis_server.url) as broker:
        heard = Heard()
        subscription = broker.open(CHANNELS, heard.receive)
        room = CHANNELS.room("r")
        subscription.add([room])
        await subscription.wait()
        assert redis_server.subscribers(room) == 1
        subscription.discard([room])
        subscription.add([CHANNELS.room("s")])
        await subscription.wait()
        assert redis_server.subscribers(room) == 0
        subscription.close()
        subscription.close()
        subscription.add([room])  # nothing happens any more
        subscription.discard([room])
        await subscription.wait()
        assert redis_server.channels() == {b"socket.io-probe#"}


async def test_subscribers_are_counted(redis_server: RedisServer) -> None:
    async with running(redis_server.url) as one, running(redis_server.url) as two:
        assert await one.count_subscribers(CHANNELS.request) == 0
        await one.open(CHANNELS, Heard().receive).wait()
        await two.open(CHANNELS, Heard().receive).wait()
        assert await one.count_subscribers(CHANNELS.request) == 2


async def test_a_redis_that_hangs_or_is_away_does_not_count(redis_server: RedisServer) -> None:
    async with running(redis_server.url, command_timeout=0.2) as broker:
        redis_server.pause()
        assert await broker.count_subscribers(CHANNELS.request) is None
        redis_server.kill()
        assert await broker.count_subscribers(CHANNELS.request) is None


async def test_many_rooms_take_one_pattern(redis_server: RedisServer) -> None:
    async with running(redis_server.url, max_subscriptions=10) as broker:
        heard = Heard()
        subscription = broker.open(CHANNELS, heard.receive)
        rooms = [CHANNELS.room(f"r{number}*[") for number in range(20)]
        subscription.add(rooms)
        await subscription.wait()
        subscription.add([CHANNELS.room("last")])
        subscription.discard([CHANNELS.room("last")])
        for channel in rooms:
            await broker.publish(channel, b"x")
            assert await heard.next() == (channel, b"x")
        assert redis_server.patterns() == 1
        await broker.publish(CHANNELS.base, b"base")
        assert await heard.next() == (CHANNELS.base, b"base")  # once
        subscription.discard(rooms[5:])
        await subscription.wait()
        for channel in rooms[:5]:
            await broker.publish(channel, b"y")
            assert await heard.next() == (channel, b"y")
        await broker.publish(CHANNELS.base, b"end")
        assert await heard.next() == (CHANNELS.base, b"end")
        assert redis_server.patterns() == 0
