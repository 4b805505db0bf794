"""What a broker has to do, whatever it is made of: here, the one in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from tests.support.foreign_node import Host, settle
from trio_sio.adapters.cluster.broker import Broker, Subscription
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock


class Listener:
    """One namespace of one server."""

    def __init__(self, broker: Broker, name: str = "/") -> None:
        self.channels = Channels(broker.key, name)
        self.heard: list[bytes] = []
        self.subscription: Subscription = broker.open(self.channels, self._receive)

    def _receive(self, channel: bytes, payload: bytes) -> int:
        self.heard.append(payload)
        return 1


@asynccontextmanager
async def brokers(count: int, *, delay: float = 0) -> AsyncIterator[list[Broker]]:
    cluster = MemoryCluster()
    nodes = [cluster.join(delay=delay) for _ in range(count)]
    async with trio.open_nursery() as nursery:
        for node in nodes:
            await nursery.start(node.run, Host())
        yield [node.broker for node in nodes]
        nursery.cancel_scope.cancel()


async def test_messages_reach_whoever_listens_in_their_order(autojump_clock: Clock) -> None:
    async with brokers(3) as (one, two, three):
        listeners = [Listener(one), Listener(two), Listener(three, "/elsewhere")]
        base, red = listeners[0].channels.base, listeners[0].channels.room("red")
        listeners[1].subscription.add([red])
        await listeners[1].subscription.wait()
        await listeners[0].subscription.wait()
        for number in range(100):
            await one.publish(base if number % 2 else red, b"%d" % number)
        assert one.publish_nowait(base, b"last")
        await settle()
        assert listeners[0].heard == [b"%d" % number for number in range(1, 100, 2)] + [b"last"]
        assert listeners[1].heard == [b"%d" % number for number in range(100)] + [b"last"]
        assert listeners[2].heard == []


async def test_a_confirmed_channel_is_heard_and_a_discarded_one_is_not(
    autojump_clock: Clock,
) -> None:
    async with brokers(2, delay=0.1) as (one, two):
        far = Listener(two)
        red = far.channels.room("red")
        far.subscription.add([red])
        begun = trio.current_time()
        await far.subscription.wait()
        assert trio.current_time() > begun
        await one.publish(red, b"heard")
        await trio.sleep(1)
        far.subscription.discard([red])
        await far.subscription.wait()
        await one.publish(red, b"unheard")
        await trio.sleep(1)
        assert far.heard == [b"heard"]


async def test_subscribers_are_counted(autojump_clock: Clock) -> None:
    async with brokers(3) as (one, two, three):
        near, far = Listener(one), Listener(two)
        await near.subscription.wait()
        await far.subscription.wait()
        assert await one.count_subscribers(near.channels.request) == 2
        assert await one.count_subscribers(near.channels.response) == 2
        assert await three.count_subscribers(Channels(three.key, "/elsewhere").request) == 0
        assert dict(one.peers).keys() == {two.uid, three.uid}


async def test_after_its_end_a_subscription_does_nothing(autojump_clock: Clock) -> None:
    async with brokers(2) as (one, two):
        gone = Listener(two)
        gone.subscription.add([gone.channels.room("red")])
        gone.subscription.close()
        gone.subscription.add([gone.channels.room("blue")])
        gone.subscription.discard([gone.channels.room("red")])
        await gone.subscription.wait()
        back = Listener(two)  # at once
        gone.subscription.close()
        await back.subscription.wait()
        for channel in (back.channels.base, *map(back.channels.room, ("red", "blue"))):
            await one.publish(channel, channel)
        await settle()
        assert gone.heard == []
        assert back.heard == [back.channels.base]
        assert await one.count_subscribers(back.channels.request) == 1
