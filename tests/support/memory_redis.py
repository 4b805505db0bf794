"""A model of Redis in memory, for tests of time-outs and of replies that a real one seldom gives.

It knows what a server's two connections use: SUBSCRIBE and its relatives, PUBLISH, PUBSUB NUMSUB.
Commands run in their order, replies and messages leave in theirs.
"""

import fnmatch
from collections.abc import Iterator

import trio
import trio.testing

from trio_sio.adapters.redis.link.address import Endpoint
from trio_sio.adapters.redis.link.connection import Connection, ConnectionLost
from trio_sio.adapters.redis.link.resp import NotYet, Reader

ENDPOINT = Endpoint("redis.test", 6379)
MAX_MESSAGE = 2**20


def bulk(text: bytes) -> bytes:
    """A string of RESP."""
    return b"$%d\r\n%b\r\n" % (len(text), text)


def push(*items: bytes | int) -> bytes:
    """A push of RESP 3."""
    parts = [b":%d\r\n" % item if isinstance(item, int) else bulk(item) for item in items]
    return b">%d\r\n%b" % (len(parts), b"".join(parts))


class Peer:
    """One connection, as the server sees it.

    Attributes:
        role: what it was opened for.
        commands: what has been received on it.
        channels: exact subscriptions.
        patterns: the others.
        stream: the server's end.
    """

    def __init__(self, redis: "MemoryRedis", role: str, stream: trio.abc.Stream) -> None:
        self.role = role
        self.commands: list[tuple[bytes, ...]] = []
        self.channels: set[bytes] = set()
        self.patterns: set[bytes] = set()
        self.stream = stream
        self._redis = redis
        self._sending = trio.StrictFIFOLock()

    async def serve(self) -> None:
        """Answer until the connection ends; a task."""
        reader = Reader(MAX_MESSAGE)
        try:
            async for data in self.stream:
                reader.feed(bytes(data))
                while not isinstance(command := reader.take(), NotYet):
                    assert isinstance(command, list)
                    words = tuple(word for word in command if isinstance(word, bytes))
                    self.commands.append(words)
                    await self._redis.run(self, words)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self._redis.peers.discard(self)

    async def send(self, data: bytes) -> None:
        """Send, unless the client is gone."""
        try:
            async with self._sending:
                await self.stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._redis.peers.discard(self)

    async def close(self) -> None:
        """End the connection."""
        self._redis.peers.discard(self)
        await self.stream.aclose()


class MemoryRedis:
    """Accepts connections and answers on them.

    Args:
        nursery: for a task of each connection.

    Attributes:
        peers: the connections.
        opened: the roles for which connections were asked for, in their order, and when.
        refusal: why no connection is accepted; `None` to accept them.
        errors: by command: what it is answered with in place of its own reply.
        silent: roles whose commands are received and neither run nor answered.
        deaf: whether subscribers get no messages.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self.peers: set[Peer] = set()
        self.opened: list[tuple[str, float]] = []
        self.refusal: ConnectionLost | None = None
        self.errors: dict[bytes, bytes] = {}
        self.silent: set[str] = set()
        self.deaf = False
        self._nursery = nursery

    async def open(self, role: str) -> Connection:
        """Open a connection, as a `Connector` does."""
        await trio.lowlevel.checkpoint()
        self.opened.append((role, trio.current_time()))
        if self.refusal is not None:
            raise self.refusal
        ours, theirs = trio.testing.memory_stream_pair()
        peer = Peer(self, role, theirs)
        self.peers.add(peer)
        self._nursery.start_soon(peer.serve)
        return Connection(ours, ENDPOINT, MAX_MESSAGE)

    def peer(self, role: str) -> Peer:
        """The one connection of this role."""
        (peer,) = [one for one in self.peers if one.role == role]
        return peer

    async def publish(self, channel: bytes, payload: bytes) -> int:
        """Publish, and return how often it was sent."""
        count = 0
        for peer in tuple(self.peers):
            for message in _messages(peer, channel, payload):
                count += 1
                if not self.deaf:
                    await peer.send(message)
        return count

    async def run(self, peer: Peer, words: tuple[bytes, ...]) -> None:
        """Run a command."""
        verb, *names = words
        if peer.role in self.silent:
            return
        if verb in self.errors:
            await peer.send(b"-%b\r\n" % self.errors[verb])
        elif verb == b"PUBLISH":
            channel, payload = names
            await peer.send(b":%d\r\n" % await self.publish(channel, payload))
        elif verb == b"PUBSUB":
            channel = names[1]
            count = sum(channel in one.channels for one in self.peers)
            await peer.send(b"*2\r\n%b:%d\r\n" % (bulk(channel), count))
        else:
            await self._subscribe(peer, verb, names)

    async def _subscribe(self, peer: Peer, verb: bytes, names: list[bytes]) -> None:
        held = peer.patterns if verb.startswith(b"P") else peer.channels
        for name in names:
            if b"UN" in verb:
                held.discard(name)
            else:
                held.add(name)
            count = len(peer.channels) + len(peer.patterns)
            await peer.send(push(verb.lower(), name, count))


def _messages(peer: Peer, channel: bytes, payload: bytes) -> Iterator[bytes]:
    if channel in peer.channels:
        yield push(b"message", channel, payload)
    for pattern in peer.patterns:
        if fnmatch.fnmatchcase(channel.decode(), pattern.decode()):
            yield push(b"pmessage", pattern, channel, payload)
