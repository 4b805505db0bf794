"""The adapter of a single server: rooms in memory, and the loop of a broadcast.

Rooms by socket and sockets by room are plain dictionaries. No other task runs between two
checkpoints, so there are no locks; and since the loop of a broadcast has no `await`, two broadcasts
cannot overtake each other.
"""

from collections.abc import Awaitable, Collection, Iterable
from typing import cast

import trio

from trio_sio.abc import (
    AdapterNamespace,
    CustomHook,
    Flags,
    Gathered,
    HookT,
    Recipient,
    Room,
    SocketId,
    Target,
)
from trio_sio.exceptions import NoAnswer
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.sync import THREAD

WORK_LIMIT = 32768
"""Deliveries after which a broadcast lets other tasks run. The first delivery to a client in a tick
takes a system call, 4 µs, but those after it are queued in 0.8; letting others run after each
broadcast would keep the events of a burst from leaving each client's socket together."""

BROADCAST_WORK = 8
"""What encoding a broadcast counts as, in deliveries."""


class MemoryAdapter:
    """The rooms of one namespace on one server (JS: socket.io-adapter).

    Args:
        namespace: the namespace.
    """

    def __init__(self, namespace: AdapterNamespace) -> None:
        self.namespace = namespace
        self.rooms: dict[Room, dict[SocketId, None]] = {}
        self.sids: dict[SocketId, dict[Room, None]] = {}
        self._work = 0
        self._hook: CustomHook | None = None

    async def add_all(self, socket_id: SocketId, rooms: Collection[Room]) -> None:
        """Put a socket into rooms."""
        self.namespace.home.check("adapter.add_all")
        await trio.lowlevel.checkpoint_if_cancelled()
        self.enter(socket_id, rooms)
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def remove(self, socket_id: SocketId, room: Room) -> None:
        """Take a socket out of a room."""
        self.namespace.home.check("adapter.remove")
        await trio.lowlevel.checkpoint_if_cancelled()
        self.leave(socket_id, room)
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def remove_all(self, socket_id: SocketId) -> None:
        """Take a socket out of all its rooms, even if this is cancelled: it leaves."""
        self.namespace.home.check("adapter.remove_all")
        self.leave_all(socket_id)
        await trio.lowlevel.checkpoint()

    def enter(self, socket_id: SocketId, rooms: Collection[Room]) -> list[Room]:
        """Put a socket into rooms, now; return those that have begun to exist by it."""
        own = self.sids.setdefault(socket_id, {})
        new = []
        for room in rooms:
            own[room] = None
            members = self.rooms.get(room)
            if members is None:
                self.rooms[room] = members = {}
                new.append(room)
            members[socket_id] = None
        return new

    def leave(self, socket_id: SocketId, room: Room) -> bool:
        """Take a socket out of a room, now; return whether nobody is left there."""
        self.sids.get(socket_id, {}).pop(room, None)
        return self._remove_from(room, socket_id)

    def leave_all(self, socket_id: SocketId) -> list[Room]:
        """Take a socket out of all its rooms, now; return those in which nobody is left."""
        rooms = self.sids.pop(socket_id, {})
        return [room for room in rooms if self._remove_from(room, socket_id)]

    def _remove_from(self, room: Room, socket_id: SocketId) -> bool:
        members = self.rooms.get(room)
        if members is None:
            return False
        members.pop(socket_id, None)
        if members:
            return False
        del self.rooms[room]
        return True

    def rooms_of(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket."""
        self.namespace.home.check_while_serving("adapter.rooms_of")
        return frozenset(self.sids.get(socket_id, ()))

    async def client_rooms(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket; all sockets are of this server."""
        self.namespace.home.check("adapter.client_rooms")
        await trio.lowlevel.checkpoint()
        return self.rooms_of(socket_id)

    async def clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets."""
        self.namespace.home.check("adapter.clients")
        await trio.lowlevel.checkpoint()
        return Gathered(self.find_clients(rooms))

    def find_clients(self, rooms: Collection[Room]) -> list[SocketId]:
        """Return what `clients` does, now."""
        connected = self.namespace.connected
        return [one for one in self._members(rooms) if one in connected] if rooms else [*connected]

    # -- what asks other servers, where there are any ----------------------------------------

    async def all_rooms(self) -> Gathered[Room]:
        """Return the rooms that have members."""
        self.namespace.home.check("adapter.all_rooms")
        await trio.lowlevel.checkpoint()
        return Gathered(self.rooms)

    async def remote_join(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket join a room."""
        self.namespace.home.check("adapter.remote_join")
        await self._find(socket_id, "remoteJoin").join(room)

    async def remote_leave(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket leave a room."""
        self.namespace.home.check("adapter.remote_leave")
        await self._find(socket_id, "remoteLeave").leave(room)

    async def remote_disconnect(self, socket_id: SocketId, close: bool = False) -> None:
        """Have a socket leave the namespace."""
        self.namespace.home.check("adapter.remote_disconnect")
        await self._find(socket_id, "remoteDisconnect").disconnect(close)

    def _find(self, socket_id: SocketId, request: str) -> Recipient:
        try:
            return self.namespace.connected[socket_id]
        except KeyError:
            raise NoAnswer(f"no server has the socket: no {request} response") from None

    async def custom_request(self, data: JSON = None) -> list[JSON]:
        """Return the reply of this server's hook, alone."""
        self.namespace.home.check("adapter.custom_request")
        await trio.lowlevel.checkpoint()
        return [await self.answer(data)]

    async def answer(self, data: JSON) -> JSON:
        """Return what this server's hook replies to a custom request, `None` without one."""
        self.namespace.home.check("adapter.answer")
        reply = None if self._hook is None else self._hook(data)
        return cast("JSON", await reply if isinstance(reply, Awaitable) else reply)

    def on_custom_request(self, function: HookT) -> HookT:
        """Register what answers custom requests; a decorator."""
        self.namespace.home.check_while_serving("adapter.on_custom_request")
        if not callable(function):
            raise TypeError(f"what answers custom requests must be callable, not {function!r}")
        self._hook = function
        return function

    def close(self) -> None:
        """Forget the namespace; there is nothing to do."""
        self.namespace.home.check_while_serving("adapter.close")

    # -- broadcasts --------------------------------------------------------------------------

    def _members(self, rooms: Iterable[Room]) -> dict[SocketId, None]:
        """Return the union of rooms in their order, the members of each in the order of joining."""
        union: dict[SocketId, None] = {}
        for room in rooms:
            union.update(self.rooms.get(room, {}))
        return union

    async def broadcast(self, packet: Packet, target: Target) -> None:
        """Send to the sockets of the target; let other tasks run when much has been sent."""
        home = self.namespace.home
        if THREAD.token is not home.token:
            home.check("adapter.broadcast")
        await self.pause_after(self.deliver(packet, target))

    def broadcast_nowait(self, packet: Packet, target: Target) -> None:
        """Send to the sockets of the target; the next `broadcast` lets other tasks run for it."""
        home = self.namespace.home
        if THREAD.token is not home.token:
            home.check_sync("adapter.broadcast_nowait")
        self._work += BROADCAST_WORK + self.deliver(packet, target)

    async def pause_after(self, deliveries: int) -> None:
        """Let other tasks run if much has been sent, this broadcast included, since they did."""
        self._work += BROADCAST_WORK + deliveries
        if self._work >= WORK_LIMIT:
            self._work = 0
            await trio.lowlevel.cancel_shielded_checkpoint()

    def deliver(self, packet: Packet, target: Target) -> int:
        """Send to the sockets of the target: encoded once, framed once for each wire format.

        Returns:
            The number of these sockets.

        Raises:
            LocalProtocolError: the event cannot be encoded, even if nobody is to get it.
        """
        return self._send(packet, target.flags, self._recipients(target))

    def pass_on(self, packet: Packet, target: Target) -> int:
        """As `deliver`, of what another server has sent: it costs nothing if nobody gets it."""
        recipients = self._recipients(target)
        return self._send(packet, target.flags, recipients) if recipients else 0

    def _send(self, packet: Packet, flags: Flags, recipients: Collection[Recipient]) -> int:
        own = Packet(packet.type, self.namespace.name, packet.data)
        item = self.namespace.encode(own, flags, droppable=True)
        if flags.volatile:
            for socket in recipients:
                socket.deliver_volatile(item)
        else:
            for socket in recipients:
                socket.deliver(item)
        count = len(recipients)
        self.namespace.counters.events_out += count
        return count

    def _recipients(self, target: Target) -> Collection[Recipient]:
        connected = self.namespace.connected
        if not target.rooms and not target.excepted:
            if target.sender is None:
                return connected.values()
            return [one for key, one in connected.items() if key != target.sender]
        chosen = self._members(target.rooms) if target.rooms else dict.fromkeys(connected)
        for key in self._members(target.excepted):
            chosen.pop(key, None)
        if target.sender is not None:
            chosen.pop(target.sender, None)
        return [connected[key] for key in chosen if key in connected]
