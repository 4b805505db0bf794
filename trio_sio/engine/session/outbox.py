"""What one client has yet to get: the only door out, bounded by packets and by bytes.

When nothing is queued, no write is under way and the transport can take bytes now, an item goes
to the kernel at once (the direct path): one system call, no task switch. What cannot leave at
once is queued, and leaves at the end of the tick, with the next poll, or by the writer task.
"""

from collections import deque
from collections.abc import Callable

import trio

from trio_sio.abc import Transport
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.runtime.tick import EMITS_PER_TICK, TickFlusher
from trio_sio.engine.session.bounded_queue import NOTHING, BoundedQueue
from trio_sio.engine.session.waiting import WaitingItem, WaitingLine
from trio_sio.exceptions import Disconnected
from trio_sio.failures import failures
from trio_sio.protocol.encoded import Encoded
from trio_sio.statistics import SessionStatistics

BATCH_LIMIT = 16 * 1024
"""Bytes up to which items are joined: joining twenty items of 20 kB costs twice what sending
them one by one costs, while small items leave five times as cheaply together."""

NO_LIMIT = 2**63
"""As the limit of `take`: everything that is queued. A poll takes it."""

CONTROL_ALLOWANCE = 64
"""Pongs and close frames that may lie in a full outbox besides; a client that pings without
reading gets no further pongs, which it would not read either."""


def _nobody(*_: object) -> None:
    """In place of `on_work` and `on_backlog`."""


class Outbox(BoundedQueue):
    """The queue between everyone who emits to a client and the client's transport.

    Args:
        max_packets: items that may be queued.
        max_bytes: bytes that may be queued; one larger item is still taken by an empty queue.
        tick: the engine's; flushes what is queued at the end of each tick.
        marks: which part of either limit may wait at a tick's end until the client is behind, and
            with which it has caught up (options `high_water` and `low_water`).

    Attributes:
        has_work: whether there is something to write that no writer has seen.
        is_behind: whether the client takes less than is sent to it.
        on_backlog: called with `is_behind` when that has changed, at a tick's end, when nothing
            is on its way out that something sent there could overtake.
        on_failure: called with what `on_backlog` or the transport raises at a tick's end, when it
            is nobody's own task that runs.
        on_full: what is done with an item of a broadcast that does not fit; by default, nothing.
        on_work: called when there is something to write and no writer waits for it; starts one.
        stuck_since: when the oldest of what is queued now came to wait (`trio.current_time()`).
    """

    __slots__ = (
        "_busy",
        "_closed",
        "_high",
        "_line",
        "_low",
        "_marked",
        "_reason",
        "_tick",
        "_ticks",
        "_waiting",
        "has_work",
        "is_behind",
        "on_backlog",
        "on_failure",
        "on_full",
        "on_work",
        "stuck_since",
        "transport",
    )

    def __init__(
        self,
        transport: Transport,
        max_packets: int,
        max_bytes: int,
        tick: TickFlusher,
        marks: tuple[float, float] = (0.5, 0.25),
    ) -> None:
        super().__init__(max_packets, max_bytes)
        self.transport = transport
        self.on_full: Callable[[Encoded], None] = self._drop
        self.on_work: Callable[[], object] = _nobody
        self.on_backlog: Callable[[bool], object] = _nobody
        self.on_failure: Callable[[BaseException], object] = _nobody
        self.is_behind = False
        self._high, self._low = marks
        self.stuck_since: float | None = None
        self._ticks = tick
        self._tick = -1
        self._busy = False
        self._marked = False
        self._closed = False
        self._reason: DisconnectReason | None = None
        self.has_work = False
        self._waiting: trio.Event | None = None  # the writer waits for work
        self._line: WaitingLine | None = None  # nobody has ever waited for room

    @property
    def is_clear(self) -> bool:
        """Whether nothing is queued and nothing is being written."""
        return not self._queue and not self._busy and not self.transport.unsent

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for room."""
        return bool(self._line)

    def is_stuck(self, now: float, patience: float) -> bool:
        """Whether the client has not taken what waits for it for so many seconds."""
        return self.stuck_since is not None and now - self.stuck_since >= patience

    # -- putting in ------------------------------------------------------------------------

    def put_nowait(self, item: Encoded) -> None:
        """Send or queue an item.

        Raises:
            trio.WouldBlock: the outbox is full.
            Disconnected: the session has ended.
        """
        if self._closed:
            raise Disconnected(self._reason)
        queue = self._queue
        if not queue and not self._busy and self._tick != self._ticks.count:
            transport = self.transport
            if transport.direct:
                self._tick = self._ticks.count
                transport.send_nowait((item,))
                if transport.unsent:
                    self._stick()
                return
        if not self.fits(item):
            # Perhaps only the tick is not over yet, and nobody is behind.
            self._send_queued()
            if not self.fits(item):
                raise trio.WouldBlock
        self._append(item)
        if self._size >= BATCH_LIMIT:  # waiting for the tick's end joins nothing any more
            self._send_queued()

    def deliver(self, item: Encoded) -> None:
        """Send or queue an item of a broadcast, whatever that means for this one client.

        This is the step that is done for every recipient. With many thousands of them each object
        that it touches is not in the processor's cache, and costs 0.1 µs for that alone.
        """
        if not self._queue and not self._busy and not self._closed:
            transport = self.transport
            tick = self._ticks.count
            if self._tick != tick and transport.direct:
                self._tick = tick
                transport.send_nowait((item,))
                if transport.unsent:
                    self._stick()
                return
        try:
            self.put_nowait(item)
        except trio.WouldBlock:
            self.on_full(item)
        except Disconnected:
            pass  # it left while we came to it

    async def put(self, item: Encoded) -> None:
        """Send or queue an item; waits while the outbox is full, behind those who came first.

        It can always be cancelled, but lets other tasks run only when it waits or when this
        tick has had its share of work.

        Raises:
            Disconnected: the session has ended, or ends meanwhile.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._line:
            await self._line.append(item).wait()
        else:
            try:
                self.put_nowait(item)
            except trio.WouldBlock:
                await self._line_up(item).wait()
        ticks = self._ticks
        ticks.emits += 1
        if ticks.emits >= EMITS_PER_TICK:
            await trio.lowlevel.cancel_shielded_checkpoint()

    def enqueue(self, item: Encoded) -> WaitingItem | None:
        """Send or queue an item, or let it wait in line for room; does not wait itself.

        Returns:
            The item's place in the line, if it is there.

        Raises:
            Disconnected: the session has ended.
        """
        if self._line:
            return self._line.append(item)
        try:
            self.put_nowait(item)
        except trio.WouldBlock:
            return self._line_up(item)
        return None

    def _line_up(self, item: Encoded) -> WaitingItem:
        if self._line is None:
            self._line = WaitingLine()
        return self._line.append(item)

    def _admit_waiting(self, line: WaitingLine) -> None:
        while line and self.fits(line.first):
            self._append(line.pop())

    def put_volatile(self, item: Encoded) -> bool:
        """Send an item if it can leave now; otherwise drop and count it."""
        transport = self.transport
        if self._closed or not transport.writable or not self.is_clear:
            self.dropped += 1
            return False
        if transport.direct:
            transport.send_nowait((item,))
            if transport.unsent:
                self._stick()
        else:
            self._append(item)
        return True

    def put_control(self, item: Encoded) -> None:
        """Send or queue one of the engine's own packets, even if the outbox is full."""
        if self._closed:
            return
        try:
            self.put_nowait(item)
        except trio.WouldBlock:
            if len(self._queue) < self.max_packets + CONTROL_ALLOWANCE:
                self._append(item)

    def _drop(self, item: Encoded) -> None:
        self.dropped += 1

    def _append(self, item: Encoded) -> None:
        if not self._queue and self.stuck_since is None:
            self.stuck_since = trio.current_time()
        if self._queue is NOTHING:
            self._queue = deque()
        self._queue.append(item)
        self._size += item.size
        if self._size > self.peak_bytes:
            self.peak_bytes = self._size
        self._mark()

    def _mark(self) -> None:
        if not self._marked:
            self._marked = True
            self._ticks.mark(self)

    def _stick(self) -> None:
        """Leave the rest to the writer task: the kernel did not take all of it."""
        if self.stuck_since is None:
            self.stuck_since = trio.current_time()
        self._alert()

    def _alert(self) -> None:
        self.has_work = True
        if self._waiting is not None:
            self._waiting.set()
        else:
            self.on_work()

    # -- taking out ------------------------------------------------------------------------

    def flush(self) -> None:
        """Send what is queued without waiting; what is left is the writer's."""
        self._marked = False
        try:
            self._flush()
        except failures() as error:  # the next one's packets leave all the same
            self.on_failure(error)

    def _flush(self) -> None:
        self._send_queued()
        if self._is_due():
            self._stick()
        if self.is_behind:
            has_changed = self.level() <= self._low
        else:
            has_changed = bool(self._queue) and self.level() > self._high
        if has_changed and not self._closed:
            self.is_behind = not self.is_behind
            self.on_backlog(self.is_behind)

    def _send_queued(self) -> None:
        while self._queue and not self._busy and self.transport.direct:
            self.transport.send_nowait(self.take(BATCH_LIMIT))

    def take(self, limit: int) -> list[Encoded]:
        """Return queued items in their order: one at least, further ones up to `limit` bytes."""
        queue = self._queue
        if not queue:
            return []
        first = queue.popleft()
        items = [first]
        size = first.size
        while queue and size + queue[0].size <= limit:
            item = queue.popleft()
            size += item.size
            items.append(item)
        self._size -= size
        if not queue:
            self.stuck_since = None
        else:
            self.stuck_since = trio.current_time()
        if self._line:
            self._admit_waiting(self._line)
        if self._closed:
            self._alert()
        elif self.is_behind and self.level() <= self._low:
            self._mark()  # it is told when these items have left
        return items

    async def write(self, done: Callable[[], bool]) -> None:
        """Write whatever cannot leave by itself, until `done()` and nothing is left.

        This is the body of the writer task; it alone awaits the transport's `send`. There need
        be none before `on_work` is called.

        Raises:
            trio.BrokenResourceError: the peer is gone.
        """
        while not (done() and self.is_clear):
            await self._wait_for_work()
            while self._is_due():
                await self._write_batch(self.transport)

    async def _wait_for_work(self) -> None:
        if self.has_work:
            await trio.lowlevel.checkpoint()
        else:
            self._waiting = trio.Event()
            try:
                await self._waiting.wait()
            finally:
                self._waiting = None
        self.has_work = False

    def _is_due(self) -> bool:
        """Whether there is work for the writer; a poll comes for its packets itself."""
        transport = self.transport
        return transport.unsent or (bool(self._queue) and transport.writable)

    async def _write_batch(self, transport: Transport) -> None:
        self._busy = True
        try:
            await transport.send(self.take(BATCH_LIMIT))
        finally:
            self._busy = False
        if not self._queue:
            self.stuck_since = None

    # -- the end ---------------------------------------------------------------------------

    def close(self, reason: DisconnectReason | None) -> None:
        """Take nothing more; those who wait for room get `Disconnected`."""
        self._closed = True
        self._reason = reason
        if self._line:
            self._line.end(reason)
        self._alert()

    def discard(self) -> None:
        """Forget what is queued."""
        self._queue.clear()
        self._size = 0
        self.stuck_since = None
        self._alert()

    def statistics(self, last_seen: float) -> SessionStatistics:
        """Return what is queued and what was dropped; `last_seen` is the session's."""
        return SessionStatistics(
            queued=len(self._queue),
            queued_bytes=self._size,
            peak_bytes=self.peak_bytes,
            dropped=self.dropped,
            last_seen=last_seen,
            is_behind=self.is_behind,
        )
