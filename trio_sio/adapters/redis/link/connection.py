"""One connection to Redis: commands out, replies in.

One task sends and one reads. Whatever goes wrong is a `ConnectionLost` with a sentence, and nothing
is ever said of what was sent, since passwords are among it.
"""

from collections.abc import Iterator, Mapping

import trio

from trio_sio.adapters.redis.link.address import Endpoint
from trio_sio.adapters.redis.link.resp import InvalidReply, NotYet, Reader, Reply, pack

READ_SIZE = 64 * 1024
"""Bytes that are read at a time."""

GRACE = 0.1
"""Seconds for which a time-out is not believed: if the event loop was held, what has come meanwhile
is read first."""

MAX_READ_SIZE = 2**20
"""Bytes that are read at a time while more comes. Redis closes the connection of a subscriber that
is too far behind, so it is worth the memory to be quick then."""


class ConnectionLost(Exception):
    """A connection cannot be opened, or has ended; the text is a sentence without secrets.

    Attributes:
        is_refusal: Redis is there and refuses, which will not change soon.
    """

    def __init__(self, reason: str, *, is_refusal: bool = False) -> None:
        super().__init__(reason)
        self.is_refusal = is_refusal


class Connection:
    """Sends commands over a stream and reads their replies.

    Args:
        stream: connected, and behind TLS if there is any.
        endpoint: where it leads.
        max_message_bytes: how large one reply may be.

    Attributes:
        endpoint: the same.
        last_read: when something came last (`trio.current_time()`).
        is_replica: whether the server says that it copies another one.
        is_cluster: whether the server says that it belongs to a Redis Cluster.
    """

    def __init__(self, stream: trio.abc.Stream, endpoint: Endpoint, max_message_bytes: int) -> None:
        self.endpoint = endpoint
        self.last_read = trio.current_time()
        self.is_replica = False
        self.is_cluster = False
        self._stream = stream
        self._reader = Reader(max_message_bytes)
        self._read_size = READ_SIZE

    def introduce(self, hello: Mapping[Reply, Reply]) -> None:
        """Note what the server says of itself in its reply to HELLO."""
        self.is_replica = hello.get(b"role") == b"replica"
        self.is_cluster = hello.get(b"mode") == b"cluster"

    async def send(self, data: bytes) -> None:
        """Send packed commands.

        Raises:
            ConnectionLost: the connection has ended.
        """
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ConnectionLost(f"the connection broke: {_cause(error)}") from error

    async def read(self) -> None:
        """Wait until something has come, for `replies`.

        Raises:
            ConnectionLost: the connection has ended.
        """
        try:
            data = await self._stream.receive_some(self._read_size)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ConnectionLost(f"the connection broke: {_cause(error)}") from error
        if not data:
            raise ConnectionLost("Redis closed the connection")
        self.last_read = trio.current_time()
        is_behind = len(data) == self._read_size
        self._read_size = min(4 * self._read_size, MAX_READ_SIZE) if is_behind else READ_SIZE
        self._reader.feed(bytes(data))

    def replies(self) -> Iterator[Reply]:
        """Yield what has come completely.

        Raises:
            ConnectionLost: it cannot be read.
        """
        take = self._reader.take
        try:
            while not isinstance(reply := take(), NotYet):
                yield reply
        except InvalidReply as error:
            raise ConnectionLost(str(error)) from None

    async def call(self, *words: bytes) -> Reply:
        """Send one command and return its reply; for a connection that nobody reads yet.

        Raises:
            ConnectionLost: the connection has ended.
        """
        await self.send(pack(*words))
        while True:
            for reply in self.replies():
                return reply
            await self.read()

    async def aclose(self) -> None:
        """Close it at once: Redis needs no goodbye, and one that hangs would not take it."""
        await trio.aclose_forcefully(self._stream)


def _cause(error: BaseException) -> str:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause or error) or type(error).__name__
