"""A server of a cluster in memory that is not ours: it sends and hears bytes.

Of the channels, it knows those of socket.io-redis 5.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from trio_sio.logs.throttle import LogThrottle
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.testing.cluster import KEY, ClusterNode, MemoryCluster


class Host:
    """What a server gives its adapters; errors that are reported are kept."""

    def __init__(self) -> None:
        self.log = LogThrottle()
        self.errors: list[BaseException] = []

    def report(self, error: BaseException, line: str, *args: object) -> None:
        self.errors.append(error)


class ForeignNode:
    """One server, in one namespace.

    Attributes:
        heard: what has arrived: channel and payload.
    """

    def __init__(self, node: ClusterNode, namespace: str) -> None:
        self.channels = Channels(KEY, namespace)
        self.heard: list[tuple[bytes, bytes]] = []
        self._broker = node.broker
        self._subscription = node.broker.open(self.channels, self._receive)

    def _receive(self, channel: bytes, payload: bytes) -> int:
        self.heard.append((channel, payload))
        return 1

    def listen(self, *rooms: str) -> None:
        """Hear these rooms, too."""
        self._subscription.add([self.channels.room(room) for room in rooms])

    def post(self, channel: bytes, payload: bytes) -> None:
        """Send a message."""
        self._broker.publish_nowait(channel, payload)

    async def send(self, channel: bytes, payload: bytes) -> None:
        """Send a message, and wait until all that this sets off has happened."""
        self.post(channel, payload)
        await settle()

    def take(self, channel: bytes) -> list[bytes]:
        """Return what has arrived on a channel since the last time."""
        taken = [payload for where, payload in self.heard if where == channel]
        self.heard = [pair for pair in self.heard if pair[0] != channel]
        return taken


async def settle() -> None:
    """Wait until nothing happens any more at this moment."""
    await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def foreign(cluster: MemoryCluster, namespace: str = "/") -> AsyncIterator[ForeignNode]:
    """Have a foreign server in a cluster."""
    node = cluster.join(announce=False)
    other = ForeignNode(node, namespace)
    async with trio.open_nursery() as nursery:
        await nursery.start(node.run, Host())
        await settle()
        yield other
        nursery.cancel_scope.cancel()
