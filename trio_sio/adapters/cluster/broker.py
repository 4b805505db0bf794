"""`Broker`: what carries messages between the servers of a cluster, as its adapters see it.

A broker has channels. It passes each message on to every server that listens to its channel, in
order for each sender, at most once, and not at all while it cannot be reached.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from trio_sio.protocol.cluster.channels import Channels

Receive = Callable[[bytes, bytes], int]
"""`(channel, payload) -> work`: takes a message. It neither waits nor raises.

The work is counted in deliveries to clients, 0.8 µs each: whoever passes on many messages at once
lets other tasks run when there has been much of it.
"""


class Subscription(Protocol):
    """The channels that one namespace listens to.

    Nothing happens after `close`, whatever is called.
    """

    def add(self, channels: Collection[bytes]) -> None:
        """Listen to these channels, too; it takes effect soon."""

    def discard(self, channels: Collection[bytes]) -> None:
        """Stop listening to these channels."""

    async def wait(self) -> None:
        """Wait until the broker has confirmed all that was added before.

        It returns at once if that has happened, and when the broker cannot be reached or takes
        too long.
        """

    def close(self) -> None:
        """Stop listening to all channels of the namespace; it is gone."""


class Broker(Protocol):
    """Carries messages between the servers of a cluster.

    Attributes:
        uid: this server among those of the cluster; at the head of each broadcast.
        key: what the names of all channels begin with.
    """

    @property
    def uid(self) -> str: ...
    @property
    def key(self) -> str: ...

    @property
    def peers(self) -> Mapping[str, str]:
        """The other servers that announce themselves: uid to name, as JavaScript's do not."""

    def open(
        self, channels: Channels, receive: Receive, private: Collection[bytes] = ()
    ) -> Subscription:
        """Listen for one namespace: to its base channel, its requests and its responses.

        Args:
            channels: the namespace's channels.
            receive: is given each message of these channels, and of those that are added.
            private: more channels, to which servers in JavaScript do not listen.
        """

    async def publish(self, channel: bytes, payload: bytes) -> None:
        """Send a message, waiting for room in the queue while the broker can be reached.

        If there is room, it is queued without letting other tasks run. It never raises because
        the broker cannot be reached; then the oldest messages are dropped for it.
        """

    def publish_nowait(self, channel: bytes, payload: bytes) -> bool:
        """Send a message, or drop and count it if there is no room; return whether it is queued."""

    def has_room(self, channel: bytes, payload: bytes) -> bool:
        """Whether `publish` would queue a message without waiting."""

    async def count_subscribers(self, channel: bytes) -> int | None:
        """Return how many servers listen to a channel; `None` if the broker cannot be reached."""


async def count_others(broker: Broker, subscription: Subscription, channel: bytes) -> int | None:
    """Return how many other servers listen to a channel; `None` if nobody can say.

    Args:
        broker: counts them.
        subscription: of this server, to the channel as well.
        channel: the channel.
    """
    await subscription.wait()  # or this server would not be among those counted
    count = await broker.count_subscribers(channel)
    return None if count is None else max(count - 1, 0)
