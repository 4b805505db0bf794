"""The events that wait for one socket's task.

A bounded queue between two tasks, the client's reader and the socket's own; a memory channel
would do, but this hop is paid for every event, and one that knows its only reader costs a third.
"""

from collections import deque

import trio

from trio_sio.protocol.socketio.packet import Packet

_NOTHING: deque[Packet] = deque()
"""In place of a queue that nothing was ever put into: an empty one takes 700 bytes."""


class Inbox:
    """A queue of packets with one reader.

    Args:
        limit: packets that may wait.
    """

    __slots__ = ("_closed", "_idle", "_limit", "_packets", "_reader", "_room")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._packets = _NOTHING
        self._reader: trio.lowlevel.Task | None = None
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
        self._packets.append(packet)
        if self._reader is not None:
            self._wake()

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

        While packets wait this is a cancellation point and no more: the limit bounds what a
        task can take without letting others run.
        """
        packets = self._packets
        if packets or self._closed:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            self._reader = trio.lowlevel.current_task()
            if self._idle is not None:
                self._rest()
            await trio.lowlevel.wait_task_rescheduled(self._give_up)
            packets = self._packets
        if not packets:
            return None
        packet = packets.popleft()
        if self._room is not None:
            self._open_room()
        return packet

    def close(self) -> None:
        """Take no more; what waits can still be taken."""
        self._closed = True
        self._rest()
        self._open_room()
        if self._reader is not None:
            self._wake()

    def clear(self) -> None:
        """Forget what waits; nobody takes it any more."""
        self._packets = _NOTHING

    @property
    def is_idle(self) -> bool:
        """Whether no packet waits, and whoever takes them has done with the last one."""
        return self._reader is not None or self._closed

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

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            trio.lowlevel.reschedule(reader)

    def _give_up(self, _: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _open_room(self) -> None:
        if self._room is not None:
            self._room.set()
            self._room = None
