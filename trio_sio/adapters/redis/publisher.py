"""Sends what other servers are to hear: one connection, supervised, and a queue in front of it.

The queue is bounded in bytes, and what Redis has not answered yet counts. While connected, whoever
publishes waits for room; while Redis is away, the oldest messages make room. What is still queued
is sent on reconnecting. What has been sent and not answered when the connection is lost may have
arrived or not: it counts as dropped, since a second time would be worse than none.

Replies come in the order of commands. If none comes for `command_timeout` while some are owed,
Redis hangs, and the connection is given up.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable

import trio

from trio_sio.adapters.redis.health import Health, Part
from trio_sio.adapters.redis.journal import Journal
from trio_sio.adapters.redis.link.backoff import Backoff
from trio_sio.adapters.redis.link.connection import GRACE, Connection, ConnectionLost
from trio_sio.adapters.redis.link.connector import Opens
from trio_sio.adapters.redis.link.keeper import Keeper
from trio_sio.adapters.redis.link.resp import ErrorReply, Push, Reply, pack, pack_publish
from trio_sio.failures import leaves

BATCH_BYTES = 64 * 1024
"""Bytes of commands that are sent at a time, unless a single one is larger."""

WINDOW_BYTES = 2**20
"""Bytes of commands that may be unanswered: as much is lost at most with a connection."""

_ELSEWHERE = frozenset({"READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "CLUSTERDOWN", "MOVED"})
"""Errors of a server that is not, or not yet, what it should be: it is connected to anew."""


class Answer:
    """Where a reply goes that somebody waits for."""

    def __init__(self) -> None:
        self._reply: Reply = None
        self._event = trio.Event()

    def give(self, reply: Reply) -> None:
        """Set the reply; `None` if there will be none."""
        self._reply = reply
        self._event.set()

    async def wait(self) -> Reply:
        """Wait for the reply."""
        await self._event.wait()
        return self._reply


class _Queued:
    """A command: in the queue, later without its data among the unanswered."""

    __slots__ = ("answer", "data", "sent", "size")

    def __init__(self, data: bytes, answer: Answer | None) -> None:
        self.data = data
        self.size = len(data)
        self.answer = answer
        self.sent = 0.0

    def take(self, now: float) -> bytes:
        """Return the data, which is not needed any more."""
        data, self.data, self.sent = self.data, b"", now
        return data


class _Window:
    """What has been sent and not been answered, in its order.

    Attributes:
        size: in bytes.
    """

    def __init__(self) -> None:
        self.size = 0
        self._sent: deque[_Queued] = deque()

    def __bool__(self) -> bool:
        return bool(self._sent)

    @property
    def oldest(self) -> float:
        """When the first of it was sent."""
        return self._sent[0].sent

    def add(self, queued: _Queued) -> None:
        """A command is sent."""
        self._sent.append(queued)
        self.size += queued.size

    def take(self) -> _Queued:
        """The first command is answered."""
        queued = self._sent.popleft()
        self.size -= queued.size
        return queued

    def clear(self) -> Iterable[_Queued]:
        """Nothing of it will be answered: return and forget it."""
        sent, self._sent, self.size = self._sent, deque(), 0
        return sent


class Publisher:
    """Publishes for the adapters of a server.

    Args:
        opens: opens connections.
        backoff: says how long to wait between attempts.
        health: is told what is wrong.
        journal: writes and counts.
        on_connected: is given each new connection.
        max_bytes: of commands that Redis has not answered, queued or sent.
        command_timeout: seconds for which Redis may be silent with a reply owed.

    Attributes:
        queued_bytes: of commands that Redis has not answered.
    """

    def __init__(
        self,
        opens: Opens,
        backoff: Backoff,
        health: Health,
        journal: Journal,
        *,
        on_connected: Callable[[Connection], object],
        max_bytes: int,
        command_timeout: float,
    ) -> None:
        self.queued_bytes = 0
        self._opens = opens
        self._keeper = Keeper(self._connect_and_send, self._lose, backoff)
        self._health = health
        self._journal = journal
        self._on_connected = on_connected
        self._max_bytes = max_bytes
        self._command_timeout = command_timeout
        self._connection: Connection | None = None
        self._queue: deque[_Queued] = deque()
        self._window = _Window()
        self._turn = trio.StrictFIFOLock()
        self._filled = trio.lowlevel.ParkingLot()
        self._answered = trio.lowlevel.ParkingLot()

    # -- for adapters --------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, which may hang."""
        return self._connection is not None

    @property
    def endpoint(self) -> object:
        """Where the connection leads; `None` without one."""
        return None if self._connection is None else self._connection.endpoint

    async def publish(self, channel: bytes, payload: bytes) -> None:
        """Send a message, after waiting for room if Redis is there; never raises."""
        data = pack_publish(channel, payload)
        if self._must_wait(len(data)):
            async with self._turn:
                while self.is_connected and not self._has_room(len(data)):
                    await self._answered.park()
                self._put(_Queued(data, None))
        else:
            self._put(_Queued(data, None))

    def publish_nowait(self, channel: bytes, payload: bytes) -> bool:
        """Send a message, or drop it if there is no room; return whether it is queued."""
        data = pack_publish(channel, payload)
        if self._must_wait(len(data)):
            self._journal.count_dropped(1, "found the queue to Redis full")
            return False
        self._put(_Queued(data, None))
        return True

    def has_room(self, channel: bytes, payload: bytes) -> bool:
        """Whether a message would be queued at once; while Redis is away, every one is."""
        return not self._must_wait(len(pack_publish(channel, payload)))

    async def ask(self, *words: bytes) -> Reply:
        """Send a command behind what is queued, and return its reply; `None` if Redis is away."""
        if not self.is_connected:
            await trio.lowlevel.checkpoint()
            return None
        answer = Answer()
        self._put(_Queued(pack(*words), answer))
        return await answer.wait()

    async def flush(self) -> None:
        """Wait until Redis has answered everything, or is away."""
        while self.is_connected and self.queued_bytes:
            await self._answered.park()

    # -- the queue -----------------------------------------------------------------------------

    def _must_wait(self, size: int) -> bool:
        return self.is_connected and (self._turn.locked() or not self._has_room(size))

    def _has_room(self, size: int) -> bool:
        """Whether there is room; one command that is larger than all of it may go alone."""
        return not self.queued_bytes or self.queued_bytes + size <= self._max_bytes

    def _put(self, queued: _Queued) -> None:
        self._queue.append(queued)
        self.queued_bytes += queued.size
        if not self.is_connected:
            self._drop_oldest()
        elif self._filled:
            self._filled.unpark_all()

    def _drop_oldest(self) -> None:
        count = 0
        while self.queued_bytes > self._max_bytes:
            self.queued_bytes -= self._queue.popleft().size
            count += 1
        self._journal.count_dropped(count, "were dropped while Redis was away")

    # -- the connection ------------------------------------------------------------------------

    def restart(self, cause: str) -> None:
        """Open another connection: this one does not lead where it should."""
        if self._connection is not None:
            self._keeper.restart(cause)

    async def run(self) -> None:
        """Keep a connection; a task."""
        try:
            await self._keeper.run()
        finally:
            self._forget_sent()
            self._journal.count_dropped(len(self._queue), "were not sent before the end")
            self._queue.clear()
            self.queued_bytes = 0

    async def _connect_and_send(self) -> None:
        connection = await self._opens.open("publisher")
        lost: list[ConnectionLost] = []
        try:
            self._connection = connection
            self._health.find(Part.PUBLISHER, "")
            self._on_connected(connection)
            async with trio.open_nursery() as nursery:
                busy = trio.lowlevel.ParkingLot()
                nursery.start_soon(self._watch, connection, busy)
                nursery.start_soon(self._read, connection)
                await self._send(connection, busy)
        except* ConnectionLost as group:
            lost += [one for one in leaves(group) if isinstance(one, ConnectionLost)]
        finally:
            await connection.aclose()
        raise lost[0]  # sending ends in no other way

    def _lose(self, _began: float) -> None:
        problem = f"Redis cannot be reached: {self._keeper.cause}"
        self._journal.warn("publisher", "%s", problem)
        self._forget_sent()
        self._health.find(Part.PUBLISHER, problem)

    def _forget_sent(self) -> None:
        """Give up what is unanswered, and all questions; messages stay in the queue."""
        self._connection = None
        self.queued_bytes -= self._window.size
        unanswered = self._window.clear()
        kept = deque(one for one in self._queue if one.answer is None)
        for one in (*unanswered, *self._queue):
            if one.answer is not None:
                one.answer.give(None)
        self.queued_bytes -= sum(one.size for one in self._queue if one.answer is not None)
        self._queue = kept
        lost = sum(one.answer is None for one in unanswered)
        self._journal.count_dropped(lost, "were sent and not confirmed, and may be lost")
        self._drop_oldest()
        self._answered.unpark_all()

    # -- sending and reading -------------------------------------------------------------------

    async def _send(self, connection: Connection, busy: trio.lowlevel.ParkingLot) -> None:
        while True:
            while not self._queue:
                await self._filled.park()
            while self._window.size >= WINDOW_BYTES:
                await self._answered.park()
            batch = self._take_batch()
            busy.unpark_all()
            await connection.send(batch)

    def _take_batch(self) -> bytes:
        now, size = trio.current_time(), 0
        parts: list[bytes] = []
        while self._queue and (not parts or size + self._queue[0].size <= BATCH_BYTES):
            queued = self._queue.popleft()
            parts.append(queued.take(now))
            size += queued.size
            self._window.add(queued)
        return b"".join(parts)

    async def _read(self, connection: Connection) -> None:
        while True:
            await connection.read()
            for reply in connection.replies():
                if not isinstance(reply, Push):
                    self._take(reply)
            self._answered.unpark_all()

    def _take(self, reply: Reply) -> None:
        if not self._window:
            raise ConnectionLost("Redis answers more than it was asked")
        queued = self._window.take()
        self.queued_bytes -= queued.size
        if queued.answer is not None:
            queued.answer.give(reply)
        elif not isinstance(reply, ErrorReply):
            self._journal.count_published()
            return
        else:
            self._journal.count_dropped(1, "were refused by Redis")
        if isinstance(reply, ErrorReply):
            self._take_refusal(reply)

    def _take_refusal(self, reply: ErrorReply) -> None:
        if reply.code in _ELSEWHERE:
            raise ConnectionLost(f"Redis refuses commands: {reply.text}")
        self._journal.warn("refused", "Redis refuses a command: %s", reply.text)

    async def _watch(self, connection: Connection, busy: trio.lowlevel.ParkingLot) -> None:
        """Give the connection up when Redis hangs."""
        missed = math.inf
        while True:
            while not self._window:
                await busy.park()
            since = max(self._window.oldest, connection.last_read)
            deadline = since + self._command_timeout
            if trio.current_time() < deadline:
                await trio.sleep_until(deadline)
            elif deadline == missed:
                raise ConnectionLost(f"Redis has not answered in {self._command_timeout:g} s")
            else:
                missed = deadline
                await trio.sleep(GRACE)
