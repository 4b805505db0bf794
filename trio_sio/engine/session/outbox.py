"""The outgoing queue of one client, and the only way to its transport.

When nothing is queued, no write is under way and the transport can take bytes now, an item goes
to the kernel at once (the direct path): one system call, no task switch. What cannot leave at
once is queued, and leaves at the end of the tick, with the next poll, or by the writer task.
"""

import trio

from trio_sio.abc import Transport
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.runtime.tick import EMITS_PER_TICK, TickFlusher
from trio_sio.engine.session.bounded_queue import BoundedQueue, OutboxLimits, OutboxOwner
from trio_sio.engine.session.waiting import WaitingItem, WaitingLine
from trio_sio.exceptions import Disconnected
from trio_sio.failures import failures
from trio_sio.logs.wire import PacketTap
from trio_sio.protocol.encoded import Encoded
from trio_sio.statistics import SessionStatistics
from trio_sio.sync import THREAD, Home

BATCH_LIMIT = 16 * 1024
"""Bytes up to which items are joined: joining twenty items of 20 kB costs twice as much as sending
them one by one, while joining small items costs a fifth."""

NO_LIMIT = 2**63
"""As the limit of `take`: everything that is queued. A poll takes it."""

CONTROL_ALLOWANCE = 64
"""Pongs and close frames that a full outbox takes besides; a client that pings without
reading gets no further pongs, which it would not read either."""


class Outbox(BoundedQueue):
    """The queue between everyone who sends to a client and the client's transport.

    Senders find the interface of a `trio.MemorySendChannel`: `send` waits for room, `send_nowait`
    raises `trio.WouldBlock`. After the end both raise `Disconnected`, which says why.

    It is no channel, since there is no receiver to wake: whatever can leave without waiting does so
    in the sender's own step, or in one step for all outboxes at the end of the tick. CPU time of
    one item, the best of nine rounds, on a small virtual machine:

        ============================================================  ======
        `send`, by the direct path, without its system call           0.8 µs
        `send`, queued and taken at the end of the tick               1.0 µs
        through `trio.open_memory_channel(512)` to a task that waits  9.4 µs
        ============================================================  ======

    Args:
        transport: how the client speaks at first.
        limits: the engine's options.
        tick: the engine's; flushes what is queued at the end of each tick.
        owner: the session's lifecycle.
        home: where senders have to be; `deliver`, one of many recipients, leaves that to others.

    Attributes:
        closed: whether it takes no more items.
        home: the same.
        is_behind: whether the client takes less than is sent to it.
        stuck_since: when the oldest of what is queued now was queued (`trio.current_time()`).
        tap: sees what leaves; `None` while nobody watches.
        transport: how the client speaks now.
    """

    __slots__ = (
        "_busy",
        "_line",
        "_marked",
        "_owner",
        "_reason",
        "_tick",
        "_ticks",
        "closed",
        "home",
        "is_behind",
        "stuck_since",
        "tap",
        "transport",
    )

    def __init__(
        self,
        transport: Transport,
        limits: OutboxLimits,
        tick: TickFlusher,
        owner: OutboxOwner,
        home: Home,
    ) -> None:
        super().__init__(limits)
        self.transport = transport
        self.home = home
        self.closed = False
        self.is_behind = False
        self.stuck_since: float | None = None
        self.tap: PacketTap | None = None
        self._owner = owner
        self._ticks = tick
        self._tick = -1  # the last one in which an item left by the direct path
        self._busy = False  # the writer sends a batch
        self._marked = False  # to be flushed at the end of this tick
        self._reason: DisconnectReason | None = None
        self._line: WaitingLine | None = None  # nobody has ever waited for room

    @property
    def is_idle(self) -> bool:
        """Whether nothing is queued and nothing is being written."""
        return not self._queue and not self._busy and not self.transport.unsent

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for room."""
        return bool(self._line)

    @property
    def is_due(self) -> bool:
        """Whether there is work for the writer; a poll comes for its packets itself."""
        transport = self.transport
        return transport.unsent or (bool(self._queue) and transport.writable)

    def is_stuck(self, now: float, limit: float) -> bool:
        """Whether the client has taken nothing of what is queued for `limit` seconds."""
        return self.stuck_since is not None and now - self.stuck_since >= limit

    # -- for senders -------------------------------------------------------------------------

    async def send(self, item: Encoded | str | bytes) -> None:
        """Send or queue an item; waits while the outbox is full, behind those who came first.

        It can always be cancelled, but lets other tasks run only when it waits or when this
        tick has had its share of work.

        Args:
            item: what is sent; `str` and `bytes` are messages.

        Raises:
            Disconnected: the session has ended, or ends meanwhile.
            RuntimeError: the server serves in another Trio run.
        """
        if THREAD.token is not self.home.token:
            self.home.check("session.send")
        await trio.lowlevel.checkpoint_if_cancelled()
        if not isinstance(item, Encoded):
            item = Encoded.of(item)
        if self._line:
            await self._line.append(item).wait()
        else:
            try:
                self._put(item)
            except trio.WouldBlock:
                await self._line_up(item).wait()
        ticks = self._ticks
        ticks.emits += 1
        if ticks.emits >= EMITS_PER_TICK:
            await trio.lowlevel.cancel_shielded_checkpoint()

    def send_nowait(self, item: Encoded | str | bytes) -> None:
        """Send or queue an item.

        Args:
            item: what is sent; `str` and `bytes` are messages.

        Raises:
            trio.WouldBlock: the outbox is full, or others wait for room.
            Disconnected: the session has ended.
            RuntimeError: as `send`.
        """
        if THREAD.token is not self.home.token:
            self.home.check_sync("session.send_nowait")
        if self._line:
            raise trio.WouldBlock
        self._put(Encoded.of(item))

    def _put(self, item: Encoded) -> None:
        """Send or queue an item, whether others wait for room or not; raises as `send_nowait`."""
        if self.closed:
            if self._reason is None:
                self.drop()
                return
            raise Disconnected(self._reason)
        queue = self._queue
        if not queue and not self._busy and self._tick != self._ticks.count:
            transport = self.transport
            if transport.direct:
                self._tick = self._ticks.count
                if self.tap is not None:
                    self.tap.outgoing(transport.name, (item,))
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
        """Send or queue an item of a broadcast; if it does not fit, apply the overflow policy.

        This is the step that is done for every recipient. With many thousands of them each object
        that it touches is not in the processor's cache, and costs 0.1 µs for that alone.
        """
        if not self._queue and not self._busy and not self.closed:
            transport = self.transport
            tick = self._ticks.count
            if self._tick != tick and transport.direct:
                self._tick = tick
                if self.tap is not None:
                    self.tap.outgoing(transport.name, (item,))
                transport.send_nowait((item,))
                if transport.unsent:
                    self._stick()
                return
        try:
            self._put(item)
        except trio.WouldBlock:
            self._overflow(item)
        except Disconnected:
            pass  # it left before its turn came

    def _overflow(self, item: Encoded) -> None:
        """Disconnect the client, or drop something (option `on_overflow`)."""
        policy, why = item.on_overflow or self._limits.on_overflow, self.why_full(item)
        if policy == "disconnect":
            self._owner.slow_consumer(why)
            return
        self._owner.count_limit(why.option)
        if policy == "drop_oldest" and self.make_room(item):
            self._put(item)
        else:
            self.drop()

    def enqueue(self, item: Encoded) -> WaitingItem | None:
        """Send or queue an item, or let it wait in line for room; does not wait itself.

        Returns:
            The item's place in the line, if it is there.

        Raises:
            Disconnected: the session has ended.
        """
        if THREAD.token is not self.home.token:
            self.home.check_sync("ack")  # that of a handler; nobody else's comes from elsewhere
        if self._line:
            return self._line.append(item)
        try:
            self._put(item)
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

    def send_volatile(self, item: Encoded) -> bool:
        """Send an item if it can leave now; otherwise drop and count it."""
        transport = self.transport
        if self.closed or not transport.writable or not self.is_idle:
            self.drop()
            return False
        if transport.direct:
            if self.tap is not None:
                self.tap.outgoing(transport.name, (item,))
            transport.send_nowait((item,))
            if transport.unsent:
                self._stick()
        else:
            self._append(item)
        return True

    def send_control(self, item: Encoded) -> None:
        """Send or queue one of the engine's own packets, even if the outbox is full."""
        if self.closed:
            return
        try:
            self._put(item)
        except trio.WouldBlock:
            if len(self._queue) < self._limits.max_outbox + CONTROL_ALLOWANCE:
                self._append(item)

    def _append(self, item: Encoded) -> None:
        if not self._queue and self.stuck_since is None:
            self.stuck_since = trio.current_time()
        self.append(item)
        if not self._marked:
            self._marked = True
            self._ticks.mark(self)

    def _stick(self) -> None:
        """Leave the rest to the writer task: the kernel did not take all of it."""
        if self.stuck_since is None:
            self.stuck_since = trio.current_time()
        self._owner.wake_writer()

    # -- for the transport and the writer ----------------------------------------------------

    def switch(self, transport: Transport) -> None:
        """Send by another transport from now on; `flush` sends what is queued."""
        self.transport = transport

    def watch(self, tap: PacketTap | None) -> None:
        """Show what leaves to a tap from now on; `None` stops that."""
        self.tap = tap

    def flush(self) -> None:
        """Send what is queued without waiting; what is left is the writer's."""
        self._marked = False
        try:
            self._send_queued()
            if self.is_due:
                self._stick()
            if self.is_behind:
                has_changed = self.level() <= self._limits.low_water
            else:
                has_changed = bool(self._queue) and self.level() > self._limits.high_water
            if has_changed and not self.closed:
                self.is_behind = not self.is_behind
                self._owner.backlog_changed(self.is_behind)
        except failures() as error:  # the next one's packets leave all the same
            self._owner.flush_failed(error)

    def _send_queued(self) -> None:
        while self._queue and not self._busy and self.transport.direct:
            self.transport.send_nowait(self.take(BATCH_LIMIT))

    def take(self, limit: int) -> list[Encoded]:
        """Return queued items in their order: one at least, further ones up to `limit` bytes."""
        if not self._queue:
            return []
        items = self.pop_batch(limit)
        if self.tap is not None:
            self.tap.outgoing(self.transport.name, items)
        self.stuck_since = trio.current_time() if self._queue else None
        if self._line:
            self._admit_waiting(self._line)
        if self.closed:
            self._owner.wake_writer()
        elif self.is_behind and self.level() <= self._limits.low_water and not self._marked:
            self._marked = True  # that it has caught up is told when these items have left
            self._ticks.mark(self)
        return items

    async def write_batch(self) -> None:
        """Send what is unsent and a batch of what is queued; for the writer.

        Raises:
            trio.BrokenResourceError: the peer is gone.
        """
        self._busy = True
        try:
            await self.transport.send(self.take(BATCH_LIMIT))
        finally:
            self._busy = False
        if not self._queue:
            self.stuck_since = None

    # -- the end ---------------------------------------------------------------------------

    def close(self, reason: DisconnectReason | None) -> None:
        """Take no more items; who sends gets `Disconnected`, or without a reason nothing."""
        self.closed = True
        self._reason = reason
        if self._line and reason is not None:
            self._line.end(reason)
        self._owner.wake_writer()

    def discard(self) -> None:
        """Forget what is queued."""
        self.clear()
        self.stuck_since = None
        self._owner.wake_writer()

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
