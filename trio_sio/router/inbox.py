"""The events that wait for one socket's task: a channel from the client's reader to that task.

It has Trio's interface, `send` for the one and `receive` for the other. A memory channel would do
but for two things: the task waits for its turn among the client's sockets as well as for an event,
and this hop is made for every event, so that it must cost little.
"""

from collections import deque

import trio

from trio_sio.protocol.socketio.packet import Packet
from trio_sio.router.order import EventOrder
from trio_sio.sync import Notifier

_NOTHING: deque[tuple[int, Packet]] = deque()
"""In place of a buffer in which nothing was ever put; an empty one takes 760 bytes."""


class Inbox(trio.abc.SendChannel[Packet], trio.abc.ReceiveChannel[Packet]):
    """A bounded channel of packets with one sender and one receiver.

    Args:
        max_buffer_size: packets that may wait.
        order: the order of the client's events, in all of its namespaces.

    Attributes:
        order: the same; whoever has the turn passes it on there.
    """

    __slots__ = (
        "_idle",
        "_in_line",
        "_is_closed",
        "_is_receiving_closed",
        "_max_buffer_size",
        "_number",
        "_packets",
        "_reader",
        "_room",
        "order",
    )

    def __init__(self, max_buffer_size: int, order: EventOrder) -> None:
        self._max_buffer_size = max_buffer_size
        self.order = order
        self._number = 0  # of the packet that was received last
        self._packets = _NOTHING  # with their numbers in the order of the client's events
        self._reader: trio.lowlevel.Task | None = None  # it waits, for a packet or its turn
        self._in_line = False  # for the turn
        self._room: Notifier | None = None  # for the sender, once it has had to wait
        self._idle: Notifier | None = None  # for whoever waits until nothing is to be done
        self._is_closed = False
        self._is_receiving_closed = False

    def __len__(self) -> int:
        return len(self._packets)

    # -- the client's reader ---------------------------------------------------------------

    def send_nowait(self, value: Packet) -> None:
        """Send a packet if there is room for it.

        Raises:
            trio.WouldBlock: the inbox is full.
            trio.ClosedResourceError: `close` has been called: the socket has ended.
            trio.BrokenResourceError: `close_receiving` has been called.
        """
        if self._is_closed:
            raise trio.ClosedResourceError
        if self._is_receiving_closed:
            raise trio.BrokenResourceError
        if len(self._packets) >= self._max_buffer_size:
            raise trio.WouldBlock
        if self._packets is _NOTHING:
            self._packets = deque()
        reader = self._reader
        if reader is None or self._in_line:
            self._packets.append((self.order.count(), value))
            return
        number, has_turn = self.order.count_and_claim(self)
        self._packets.append((number, value))
        if has_turn:
            self._reader = None
            trio.lowlevel.reschedule(reader)
        else:
            self._in_line = True

    async def send(self, value: Packet) -> None:
        """Send a packet, waiting for room.

        Raises:
            trio.ClosedResourceError, trio.BrokenResourceError: as `send_nowait`, or while this
                waits.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while len(self._packets) >= self._max_buffer_size and not self._is_closed:
            if self._room is None:
                self._room = Notifier()
            await self._room.wait()
        self.send_nowait(value)
        await trio.lowlevel.cancel_shielded_checkpoint()

    def close(self) -> None:
        """Send no more: what waits can still be received, and then comes the end."""
        self._is_closed = True
        self._tell_of_end()
        if not self._in_line:  # there is nothing to receive: no turn is needed
            self._wake_reader()

    async def aclose(self) -> None:
        """Close as `close` does, and let other tasks run."""
        self.close()
        await trio.lowlevel.checkpoint()

    # -- the socket's task -----------------------------------------------------------------

    async def receive(self) -> Packet:
        """Return the next packet, waiting for one and for the turn.

        Whoever receives a packet has the turn among the client's sockets, and passes it on
        (`order.pass_on`) once its handler has begun. While packets wait and it is this socket's
        turn, this is a cancellation point and no more: the limit bounds what a task can receive
        without letting others run.

        Raises:
            trio.EndOfChannel: there is none, and there will be none: the socket has ended.
            trio.ClosedResourceError: `close_receiving` has been called.
        """
        packets = self._packets
        if packets:
            await trio.lowlevel.checkpoint_if_cancelled()
            number = packets[0][0]
            if not self.order.begin(self, number):
                await self._wait_turn(number)
        else:
            # The receiver waits here for most of its life, and once for each event: what
            # `sync.Parked` does, without a call more.
            if self._is_closed or self._is_receiving_closed:
                await trio.lowlevel.checkpoint_if_cancelled()
                raise self._end()
            self._reader = trio.lowlevel.current_task()
            if self._idle is not None:
                self._idle.notify_all()
            await trio.lowlevel.wait_task_rescheduled(self._abort)
            packets = self._packets
            if not packets:
                raise self._end()
            if self._in_line:  # it has been woken, and has lost its turn since
                await self._wait_turn(packets[0][0])
        self._number, packet = packets.popleft()
        if self._room is not None:
            self._room.notify_all()
        return packet

    def receive_nowait(self) -> Packet:
        """Return the next packet, if there is one and it is this socket's turn.

        Raises:
            trio.WouldBlock: `receive` would wait.
            trio.EndOfChannel, trio.ClosedResourceError: as `receive`.
            trio.BusyResourceError: another task is receiving.
        """
        if self._is_receiving_closed:
            raise trio.ClosedResourceError
        if self._reader is not None:
            raise trio.BusyResourceError("another task is receiving")
        packets = self._packets
        if not packets:
            raise trio.EndOfChannel if self._is_closed else trio.WouldBlock
        if not self.order.begin(self, packets[0][0]):
            raise trio.WouldBlock
        self._number, packet = packets.popleft()
        if self._room is not None:
            self._room.notify_all()
        return packet

    # -- the turn among the client's sockets ------------------------------------------------

    def expect_reader(self) -> None:
        """Line up for a receiver whose task is about to begin; it calls `wait_turn` first."""
        self._number, has_turn = self.order.count_and_claim(self)
        self._in_line = not has_turn

    async def wait_turn(self) -> None:
        """Return when it is the reader's turn: for the first time, or for the packet that it got
        last, if it has passed on its turn meanwhile. It keeps the turn while it waits."""
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._wait_turn(self._number)

    async def _wait_turn(self, number: int) -> None:
        while not self.order.begin(self, number):
            if not self._in_line:
                self._in_line = True
                self.order.line_up(self, number)
            self._reader = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)

    def take_turn(self) -> bool:
        """Let the reader go on; return whether it still waits for its turn."""
        if not self._in_line:
            return False
        self._in_line = False
        self._wake_reader()  # unless its task has yet to begin
        return True

    def lose_turn(self) -> None:
        """Line up again; the reader's task, which is about to run, finds that out."""
        self._in_line = True

    # -- the end ---------------------------------------------------------------------------

    def close_receiving(self) -> None:
        """Receive no more: drop what waits, and pass on the turn."""
        self._is_receiving_closed = True
        self._packets = _NOTHING
        self._in_line = False
        self._tell_of_end()
        self._wake_reader()
        self.order.pass_on(self)

    @property
    def is_idle(self) -> bool:
        """Whether no packet waits, and the receiver is done with the last one."""
        waits = self._reader is not None and not self._in_line
        return waits or self._is_closed or self._is_receiving_closed

    async def wait_idle(self) -> None:
        """Return when `is_idle` is true; another packet may have been sent meanwhile."""
        if self.is_idle:
            await trio.lowlevel.checkpoint()
            return
        if self._idle is None:
            self._idle = Notifier()
        await self._idle.wait()

    def _tell_of_end(self) -> None:
        """Nobody has to wait any more for room, or for the receiver."""
        for notifier in (self._idle, self._room):
            if notifier is not None:
                notifier.notify_all()

    def _end(self) -> trio.EndOfChannel | trio.ClosedResourceError:
        is_closed = self._is_receiving_closed
        return trio.ClosedResourceError() if is_closed else trio.EndOfChannel()

    def _wake_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            trio.lowlevel.reschedule(reader)

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        """Forget the receiver: it has been cancelled (called by Trio)."""
        self._reader = None
        self._in_line = False
        return trio.lowlevel.Abort.SUCCEEDED
