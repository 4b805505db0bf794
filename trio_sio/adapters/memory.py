"""The adapter of a single server: rooms in memory, and the loop of a broadcast.

Rooms by socket and sockets by room are plain dictionaries. No other task runs between two
checkpoints, so there are no locks; and since the loop of a broadcast has no `await`, two broadcasts
cannot overtake each other.
"""

from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import cast

import trio

from trio_sio.abc import (
    AdapterNamespace,
    AnswerCollector,
    CustomHook,
    Gathered,
    GatheredList,
    HookT,
    Recipient,
    Room,
    SocketDetails,
    SocketId,
    Target,
)
from trio_sio.adapters.keeper import Keeper
from trio_sio.adapters.question import asked
from trio_sio.exceptions import LimitReached, NoAnswer
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.sync import THREAD

WORK_LIMIT = 32768
"""Deliveries after which a broadcast lets other tasks run. The first delivery to a client in a tick
takes a system call, 4 µs, but those after it are queued in 0.8; letting others run after each
broadcast would keep the events of a burst from leaving each client's socket together."""

BROADCAST_WORK = 8
"""What encoding a broadcast counts as, in deliveries."""


class MemoryAdapter(Keeper):
    """The rooms of one namespace on one server (JS: socket.io-adapter).

    Args:
        namespace: the namespace.
    """

    def __init__(self, namespace: AdapterNamespace) -> None:
        super().__init__(namespace)
        self.rooms: dict[Room, dict[SocketId, None]] = {}
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
        if self._recorder is not None:
            self._recorder.entered(socket_id, rooms)
        return new

    def leave(self, socket_id: SocketId, room: Room) -> bool:
        """Take a socket out of a room, now; return whether nobody is left there."""
        self.sids.get(socket_id, {}).pop(room, None)
        if self._recorder is not None:
            self._recorder.left(socket_id, room)
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

    # -- many sockets at once ----------------------------------------------------------------

    async def fetch_sockets(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
        """Return the sockets that a target names."""
        self.namespace.home.check("adapter.fetch_sockets")
        await trio.lowlevel.checkpoint()
        return GatheredList(self.find(target).values())

    async def add_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names join rooms; raises `LimitReached` after all."""
        self.namespace.home.check("adapter.add_sockets")
        await trio.lowlevel.checkpoint()
        reached: LimitReached | None = None
        for socket in self.find(target).values():
            try:
                await socket.join(*rooms)
            except LimitReached as error:
                reached = reached or error
        if reached is not None:
            raise reached

    async def remove_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names leave rooms."""
        self.namespace.home.check("adapter.remove_sockets")
        await trio.lowlevel.checkpoint()
        for socket in self.find(target).values():
            for room in rooms:
                await socket.leave(room)

    async def disconnect_sockets(self, target: Target, close: bool = False) -> None:
        """Have the sockets that a target names leave the namespace."""
        self.namespace.home.check("adapter.disconnect_sockets")
        await trio.lowlevel.checkpoint()
        for socket in self.find(target).values():
            await socket.disconnect(close)

    # -- what asks other servers, where there are any ----------------------------------------

    async def server_count(self) -> int:
        """Return 1."""
        self.namespace.home.check("adapter.server_count")
        await trio.lowlevel.checkpoint()
        return 1

    async def server_side_emit(self, args: Sequence[JSON]) -> None:
        """Send an event to the other servers: there are none."""
        self.namespace.home.check("adapter.server_side_emit")
        await trio.lowlevel.checkpoint()

    async def server_side_call(self, args: Sequence[JSON], seconds: float) -> list[JSON]:
        """Return the answers of the other servers: there are none."""
        self.namespace.home.check("adapter.server_side_call")
        await trio.lowlevel.checkpoint()
        return []

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

    def broadcast_with_ack(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AbstractAsyncContextManager[None]:
        """Send to the sockets of the target, and tell of their answers as long as this lasts."""
        self.namespace.home.check("adapter.broadcast_with_ack")
        return self._asking(packet, target, answers)

    @asynccontextmanager
    async def _asking(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AsyncIterator[None]:
        await trio.lowlevel.checkpoint_if_cancelled()
        with self.ask(packet, target, answers) as deliveries:
            await self.pause_after(deliveries)
            yield

    @contextmanager
    def ask(self, packet: Packet, target: Target, answers: AnswerCollector) -> Iterator[int]:
        """Do what `broadcast_with_ack` does, without waiting; yield how many are asked."""
        namespace, ack_id = self.namespace, self.namespace.next_ack_id()
        own = Packet(packet.type, namespace.name, packet.data, ack_id)
        item = namespace.encode(own, target.flags, droppable=True)
        sockets, volatile = self.find(target), target.flags.volatile
        watched = own if namespace.watch.outgoing else None
        with asked(sockets, item, ack_id, answers, volatile=volatile, watched=watched) as count:
            namespace.counters.events_out += count
            yield count

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
        return self._send(packet, target, self._recipients(target))

    def pass_on(self, packet: Packet, target: Target) -> int:
        """As `deliver`, of what another server has sent: it costs nothing if nobody gets it."""
        recipients = self._recipients(target)
        return self._send(packet, target, recipients) if recipients else 0

    def _send(self, packet: Packet, target: Target, recipients: Collection[Recipient]) -> int:
        if self._recorder is not None:
            self._recorder.deliver(packet, target, recipients)
            self.namespace.counters.events_out += len(recipients)
            return len(recipients)
        flags = target.flags
        own = Packet(packet.type, self.namespace.name, packet.data)
        item = self.namespace.encode(own, flags, droppable=True)
        if self.namespace.watch.outgoing:
            _deliver_watched(item, own, recipients, volatile=flags.volatile)
        elif flags.volatile:
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
        return [connected[key] for key in self._named(target) if key in connected]

    def _named(self, target: Target) -> dict[SocketId, None]:
        """Return whom a target names, those among them who are about to come or to leave."""
        everybody = self.namespace.connected
        chosen = self._members(target.rooms) if target.rooms else dict.fromkeys(everybody)
        for key in self._members(target.excepted):
            chosen.pop(key, None)
        if target.sender is not None:
            chosen.pop(target.sender, None)
        return chosen

    def find(self, target: Target) -> dict[SocketId, Recipient]:
        """Return the sockets that a target names, now."""
        connected = self.namespace.connected
        return {key: connected[key] for key in self._named(target) if key in connected}


def _deliver_watched(
    item: Encoded, packet: Packet, recipients: Iterable[Recipient], *, volatile: bool
) -> None:
    """Send to each recipient, and have it tell those who watch."""
    event, args = packet.event, packet.args
    for socket in tuple(recipients):
        if not volatile:
            socket.notify_outgoing(event, args)
            socket.deliver(item)
        elif socket.deliver_volatile(item):
            socket.notify_outgoing(event, args)
