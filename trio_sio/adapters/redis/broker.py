"""What the adapters of the namespaces see of Redis: `trio_sio.adapters.cluster.broker.Broker`."""

from collections.abc import Collection, Mapping

import trio

from trio_sio.adapters.redis.probes import Identity, Probes
from trio_sio.adapters.redis.publisher import Publisher
from trio_sio.adapters.redis.subscriber import Subscriber
from trio_sio.adapters.redis.subscriptions import Listener, Receive
from trio_sio.protocol.cluster.channels import Channels


class RedisSubscription:
    """The channels that one namespace listens to.

    Args:
        subscriber: whom to ask.
        listener: the namespace's.
    """

    def __init__(self, subscriber: Subscriber, listener: Listener) -> None:
        self._subscriber = subscriber
        self._listener = listener
        self._is_open = True
        subscriber.open(listener)

    def add(self, channels: Collection[bytes]) -> None:
        """Listen to these channels, too."""
        if self._is_open:
            self._subscriber.add(self._listener, channels)

    def discard(self, channels: Collection[bytes]) -> None:
        """Stop listening to these channels."""
        if self._is_open:
            self._subscriber.discard(self._listener, channels)

    async def wait(self) -> None:
        """Wait until Redis has confirmed what was added, is away, or takes too long."""
        await self._subscriber.wait()

    def close(self) -> None:
        """Stop listening to all channels of the namespace."""
        if self._is_open:
            self._is_open = False
            self._subscriber.close(self._listener)


class RedisBroker:
    """Carries messages between the servers of a cluster.

    Args:
        key: what the names of all channels begin with.
        identity: who this server is.
        publisher: sends.
        subscriber: hears.
        probes: know the other servers.
        count_timeout: seconds for which `count_subscribers` waits.

    Attributes:
        key: the same.
    """

    def __init__(
        self,
        key: str,
        identity: Identity,
        publisher: Publisher,
        subscriber: Subscriber,
        probes: Probes,
        *,
        count_timeout: float,
    ) -> None:
        self.key = key
        self._identity = identity
        self._publisher = publisher
        self._subscriber = subscriber
        self._probes = probes
        self._count_timeout = count_timeout

    @property
    def uid(self) -> str:
        """This server among those of the cluster."""
        return self._identity.uid

    @property
    def peers(self) -> Mapping[str, str]:
        """The other servers that announce themselves, uid to name."""
        return self._probes.peers

    def open(
        self, channels: Channels, receive: Receive, private: Collection[bytes] = ()
    ) -> RedisSubscription:
        """Listen for one namespace."""
        fixed = (channels.base, *private, channels.request, channels.response)
        listener = Listener(receive, fixed, channels.base, channels.pattern)
        return RedisSubscription(self._subscriber, listener)

    async def publish(self, channel: bytes, payload: bytes) -> None:
        """Send a message, waiting for room in the queue while Redis is there."""
        await self._publisher.publish(channel, payload)

    def publish_nowait(self, channel: bytes, payload: bytes) -> bool:
        """Send a message, or drop and count it; return whether it is queued."""
        return self._publisher.publish_nowait(channel, payload)

    def has_room(self, channel: bytes, payload: bytes) -> bool:
        """Whether a message would be queued at once."""
        return self._publisher.has_room(channel, payload)

    async def count_subscribers(self, channel: bytes) -> int | None:
        """Return how many servers listen to a channel; `None` if Redis does not say."""
        with trio.move_on_after(self._count_timeout):
            reply = await self._publisher.ask(b"PUBSUB", b"NUMSUB", channel)
            match reply:
                case [_, int(count)]:
                    return count
        return None
