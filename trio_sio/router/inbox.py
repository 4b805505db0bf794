"""The events that wait for one socket's task.

A bounded queue between two tasks, the client's reader and the socket's own; a memory channel
would do, but this hop is paid for every event, and one that knows its only reader costs a third.
Its reader waits for two things: for an event, and for its turn among the client's sockets.
"""

from collections import deque

import trio

from trio_sio.protocol.socketio.packet import Packet
from trio_sio.router.order import EventOrder

_NOTHING: deque[tuple[int, Packet]] = deque()
"""In place of a queue that nothing was ever put into: an empty one takes 700 bytes."""


class Inbox:
    """A queue of packets with one reader.

    Args:
        limit: packets that may wait.
        order: that of the client's events, in all of its namespaces.

    Attributes:
        order: the same; whoever has the turn passes it on there.
    """

    __slots__ = (
        "_closed",
        "_idle",
        "_in_line",
        "_limit",
        "_number",
        "_packets",
        "_reader",
        "_room",
        "order",
    )

    def __init__(self, limit: int, order: EventOrder) -> None:
        self._limit = limit
        self.order = order
        self._number = 0  # of the packet that was taken last
        self._packets = _NOTHING  # with their numbers in the order of the client's events
        self._reader: trio.lowlevel.Task | None = None  # it waits, for a packet or its turn
        self._in_line = False  # for the turn
        self._room: trio.Event | None = None
        self._idle: trio.Event | None = None  # somebody waits until nothing is to be done
        self._closed = False

    def __len__(self) -> int:
        return len(self._packets)

    def put_nowait(self, packet: Packet) -> None:
        """Add a packet; it is forgotten if the inbox is closed.

        Raises:
            trio.WouldBlock: the inbox is full.
        """
        if self._closed:
            return
        if len(self._packets) >= self._limit:
            raise trio.WouldBlock
        if self._packets is _NOTHING:
            self._packets = deque()
        reader = self._reader
        if reader is None or self._in_line:
            self._packets.append((self.order.count(), packet))
            return
        number, has_turn = self.order.count_and_claim(self)
        self._packets.append((number, packet))
        if has_turn:
            self._reader = None
            trio.lowlevel.reschedule(reader)
        else:
            self._in_line = True

    async def put(self, packet: Packet) -> None:
        """Add a packet, waiting for room; it is forgotten if the inbox is closed meanwhile."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while len(self._packets) >= self._limit and not self._closed:
            if self._room is None:
                self._room = trio.Event()
            await self._room.wait()
        self.put_nowait(packet)
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def get(self) -> Packet | None:
        """Return the next packet, `None` when the inbox is closed and empty.

        Whoever gets a packet has the turn among the client's sockets, and passes it on
        (`order.pass_on`) once its handler has begun. While packets wait and it is this socket's
        turn, this is a cancellation point and no more: the limit bounds what a task can take
        without letting others run.
        """
        packets = self._packets
        if packets:
            await trio.lowlevel.checkpoint_if_cancelled()
            number = packets[0][0]
            if not self.order.begin(self, number):
                await self._wait_turn(number)
        elif self._closed:
            await trio.lowlevel.checkpoint_if_cancelled()
            return None
        else:
            self._reader = trio.lowlevel.current_task()
            if self._idle is not None:
                self._rest()
            await trio.lowlevel.wait_task_rescheduled(self._give_up)
            packets = self._packets
            if not packets:  # it has been closed
                return None
            if self._in_line:  # it has been woken, and has lost its turn since
                await self._wait_turn(packets[0][0])
        self._number, packet = packets.popleft()
        if self._room is not None:
            self._open_room()
        return packet

    def expect_reader(self) -> None:
        """Line up for a reader whose task is about to begin, and which calls `wait_turn` first."""
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
            await trio.lowlevel.wait_task_rescheduled(self._give_up)

    def take_turn(self) -> bool:
        """Let the reader go on; return whether there is one."""
        if not self._in_line:
            return False
        self._in_line = False
        reader, self._reader = self._reader, None
        if reader is not None:  # or its task has yet to begin
            trio.lowlevel.reschedule(reader)
        return True

    def lose_turn(self) -> None:
        """Line up again; the reader's task, which is about to run, finds that out."""
        self._in_line = True

    def close(self) -> None:
        """Take no more; what waits can still be taken."""
        self._closed = True
        self._rest()
        self._open_room()
        reader = self._reader
        if reader is not None and not self._in_line:  # there is nothing to take: no turn is needed
            self._reader = None
            trio.lowlevel.reschedule(reader)

    def clear(self) -> None:
        """Forget what waits, and pass on the turn; nobody takes anything any more."""
        self._packets = _NOTHING
        self._in_line = False
        self.order.pass_on(self)

    @property
    def is_idle(self) -> bool:
        """Whether no packet waits, and whoever takes them has done with the last one."""
        waits = self._reader is not None and not self._in_line
        return waits or self._closed

    async def wait_idle(self) -> None:
        """Return when `is_idle` holds, or did a moment ago."""
        if self.is_idle:
            await trio.lowlevel.checkpoint()
            return
        if self._idle is None:
            self._idle = trio.Event()
        await self._idle.wait()

    def _rest(self) -> None:
        if self._idle is not None:
            self._idle.set()
            self._idle = None

    def _give_up(self, _: object) -> trio.lowlevel.Abort:
        self._reader = None
        self._in_line = False
        return trio.lowlevel.Abort.SUCCEEDED

    def _open_room(self) -> None:
        if self._room is not None:
            self._room.set()
            self._room = None
