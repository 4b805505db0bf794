"""`Pipeline`: one connection to Redis, over which tasks publish and hear of the result.

There is no task of its own. Whoever has the lock opens the connection, sends what all have queued,
and reads replies until its own has come; the others find theirs when they get the lock. So messages
of many tasks share packets, and those of one task are in order.

A connection that has not been used for a while may have ended unnoticed: Redis was restarted, or a
proxy lost patience. What was sent into it is sent once more over a new one. If Redis was not gone,
but has passed it on and lost the connection before it could say so, clients get that event twice.
"""

from collections import deque

import trio

from trio_sio.adapters.redis.link.connection import Connection, ConnectionLost
from trio_sio.adapters.redis.link.connector import Opens
from trio_sio.adapters.redis.link.resp import ErrorReply, Push, Reply, pack_publish
from trio_sio.sync import Home

_ROLE = "emitter"
_CUT_OFF = "it was cut off: a task was cancelled whose message went before it"


class _Message:
    """A message on its way, and what came of it."""

    __slots__ = ("_attempts", "data", "error", "is_done")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.is_done = False
        self.error = ""
        self._attempts = 0

    @property
    def may_try_again(self) -> bool:
        return self._attempts < 2

    def begin(self) -> None:
        self._attempts += 1

    def finish(self, error: str = "") -> None:
        self.is_done = True
        self.error = error


class Pipeline:
    """Publishes over one connection, which it opens when it is needed.

    Args:
        connector: opens connections.
        timeout: seconds in which Redis has to take a message.
    """

    def __init__(self, connector: Opens, timeout: float) -> None:
        self._connector = connector
        self._timeout = timeout
        self._lock = trio.Lock()
        self._connection: Connection | None = None
        self._has_answered = False
        self._queued: deque[_Message] = deque()
        self._sent: deque[_Message] = deque()
        self._is_closed = False
        self._home = Home()

    async def publish(self, channel: bytes, payload: bytes) -> None:
        """Publish a message, and wait until Redis has taken it.

        Raises:
            trio.BrokenResourceError: it has not; the text says why.
            trio.ClosedResourceError: the pipeline is closed.
            RuntimeError: another Trio run uses it, or Trio does not run here.
        """
        self._home.claim("emitter.emit")
        message = _Message(pack_publish(channel, payload))
        with trio.move_on_after(self._timeout):
            await self._publish(message)
        if not message.is_done:
            message.finish(f"Redis has not answered in {self._timeout:g} s")
            await self._disconnect(message.error)
        if message.error and self._is_closed:
            raise trio.ClosedResourceError("the emitter is closed")
        if message.error:
            raise trio.BrokenResourceError(message.error)

    async def _publish(self, message: _Message) -> None:
        self._queued.append(message)
        try:
            async with self._lock:
                while not message.is_done:
                    await self._advance()
        finally:
            if message in self._queued:  # cancelled, and not even sent
                self._queued.remove(message)

    async def aclose(self) -> None:
        """Close the connection; whoever is publishing gets `trio.ClosedResourceError`."""
        self._home.claim("emitter.aclose")
        self._is_closed = True
        await self._disconnect("the emitter is closed")

    # -- with the lock -----------------------------------------------------------------------

    async def _advance(self) -> None:
        """Do one step, after which some message may be done."""
        if self._is_closed:
            self._fail(self._queued, "the emitter is closed")
            return
        try:
            if self._connection is None:
                await self._connect()
            elif self._queued:
                await self._send(self._connection)
            else:
                await self._receive(self._connection)
        except ConnectionLost as lost:
            self._queue_again()
            await self._disconnect(str(lost))

    async def _connect(self) -> None:
        try:
            connection = await self._connector.open(_ROLE)
        except ConnectionLost as lost:
            self._fail(self._queued, str(lost))
            return
        self._connection, self._has_answered = connection, False
        if self._is_closed:  # meanwhile
            await self._disconnect("")

    async def _send(self, connection: Connection) -> None:
        batch = tuple(self._queued)
        self._queued.clear()
        self._sent.extend(batch)
        for message in batch:
            message.begin()
        is_whole = False
        try:
            await connection.send(b"".join([message.data for message in batch]))
            is_whole = True
        except ConnectionLost:
            is_whole = True  # nothing can follow it any more
            raise
        finally:
            if not is_whole:  # cancelled; Redis would take what follows for the rest of it
                await self._disconnect(_CUT_OFF)

    async def _receive(self, connection: Connection) -> None:
        await connection.read()
        for reply in connection.replies():
            if not isinstance(reply, Push) and self._sent:
                self._has_answered = True
                self._sent.popleft().finish(_refusal(reply))

    # -- what goes wrong ---------------------------------------------------------------------

    def _queue_again(self) -> None:
        """Queue what was sent into a connection that had been good before."""
        if self._has_answered:
            self._queued.extendleft(one for one in reversed(self._sent) if one.may_try_again)
            self._sent = deque(one for one in self._sent if not one.may_try_again)

    async def _disconnect(self, reason: str) -> None:
        """Close the connection; what was sent over it has failed."""
        connection, self._connection = self._connection, None
        self._fail(self._sent, reason)
        if connection is not None:
            await connection.aclose()

    def _fail(self, messages: deque[_Message], reason: str) -> None:
        for message in messages:
            message.finish(reason)
        messages.clear()


def _refusal(reply: Reply) -> str:
    return f"Redis refuses the message: {reply.text}" if isinstance(reply, ErrorReply) else ""
