"""Namespaces: the rooms, handlers and middleware of one name, or of every name that matches."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import trio

from trio_sio.abc import Adapter, PacketEncoder, Room, SocketId
from trio_sio.counters import Counters
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import Query
from trio_sio.protocol.socketio.packet import RESERVED_EVENTS, Packet
from trio_sio.router.broadcast import Broadcast, Flags, Targeting
from trio_sio.router.causes import function_name
from trio_sio.router.handlers import Handler, HandlerTable, Listens, Registration

if TYPE_CHECKING:
    from trio_sio.router.socket import Socket

M = TypeVar("M", bound=Handler)

Predicate = Callable[[str, Query], Awaitable[object] | object]


class Gathering(Listens, Targeting):
    """What a namespace and the parent of many have in common.

    Attributes:
        name: such as "/chat"; a parent has one that nobody can join.
        middleware: functions that see each socket before it is let in.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers = HandlerTable()
        self.middleware: list[Handler] = []

    def use(self, function: M) -> M:
        """Register namespace middleware (JS: `use((socket, next) => …)`); a decorator.

        The function gets the socket. Returning lets it pass on; raising `ConnectionRefused`
        refuses it, and the client gets the text or the data of the exception.
        """
        if not callable(function):
            raise TypeError(f"middleware must be callable, not {function!r}")
        self.middleware.append(function)
        return function

    def _target(self) -> Broadcast:
        return Broadcast(self)

    async def publish(self, packet: Packet, target: Broadcast) -> None:
        """Send to everyone the target names; `emit` calls it."""
        raise NotImplementedError

    async def find_clients(self, rooms: Collection[Room]) -> set[SocketId]:
        """Return who is in any of the rooms; `clients` calls it."""
        raise NotImplementedError


class Namespace(Gathering):
    """One namespace (JS: `Namespace`).

    Attributes:
        adapter: who is in which room.
        encoder: makes messages of packets.
        counters: what the server counts.
        parent: the dynamic namespace it was made by, if any.
        users: sockets that are here, or are about to join or to leave.
        is_wanted: whether the application has asked for it by its name.
    """

    def __init__(
        self,
        name: str,
        encoder: PacketEncoder,
        make_adapter: Callable[["Namespace"], Adapter],
        counters: Counters,
        parent: "ParentNamespace | None" = None,
    ) -> None:
        super().__init__(name)
        self.parent = parent
        self.users = 0
        self.is_wanted = False
        self.sockets: dict[SocketId, Socket] = {}
        self.connected: Mapping[SocketId, Socket] = MappingProxyType(self.sockets)
        self.encoder = encoder
        self.counters = counters
        self._ack_id = -1
        self.adapter = make_adapter(self)

    def __repr__(self) -> str:
        return f"<Namespace {self.name!r}>"

    @property
    def is_idle(self) -> bool:
        """Whether nobody would miss it: a dynamic one that has nothing of its own."""
        if self.parent is None or self.users or self.is_wanted:
            return False
        return not self.middleware and not self.handlers.names()

    def chain(self) -> list[Handler]:
        """Return the middleware for a new socket: the parent's, then its own."""
        if self.parent is None:
            return list(self.middleware)
        return [*self.parent.middleware, *self.middleware]

    def take_handlers(self, event: str) -> tuple[Registration, ...]:
        """Return the handlers to call for one event: the parent's, then its own."""
        if self.parent is None:
            return self.handlers.take(event)
        return self.parent.handlers.take(event) + self.handlers.take(event)

    def heard_events(self) -> set[str]:
        """Return the events of clients that have handlers here or at the parent."""
        names = {*self.event_names(), *(self.parent.event_names() if self.parent else ())}
        return names - {*RESERVED_EVENTS, "connect", "connection"}

    def is_listened_to(self, event: str) -> bool:
        """Whether an event has handlers here or at the parent."""
        parent = self.parent
        return self.handlers.has(event) or (parent is not None and parent.handlers.has(event))

    def next_ack_id(self) -> int:
        """Return a fresh id; as in the reference all sockets of a namespace share the counter."""
        self._ack_id += 1
        return self._ack_id

    def encode(self, packet: Packet, flags: Flags, *, droppable: bool = False) -> Encoded:
        """Serialise a packet; raises `LocalProtocolError` at once, to whoever emits it."""
        messages = self.encoder.encode(packet, binary=flags.binary)
        return Encoded.of_messages(
            messages,
            compress=flags.compress,
            droppable=droppable or bool(flags.on_overflow),
            on_overflow=flags.on_overflow,
        )

    async def publish(self, packet: Packet, target: Broadcast) -> None:
        """Send to everyone the target names; `emit` calls it."""
        await self.adapter.broadcast(packet, target)

    async def find_clients(self, rooms: Collection[Room]) -> set[SocketId]:
        """Return who is in any of the rooms; `clients` calls it."""
        return await self.adapter.clients(rooms)


class ParentNamespace(Gathering):
    """A dynamic namespace: each name that it accepts becomes a namespace (JS: `of(regex)`).

    Emitting reaches every child; handlers and middleware are every child's, whenever they are
    registered.

    Attributes:
        children: the namespaces that exist by now, by name.
    """

    def __init__(self, name: str, accepts: re.Pattern[str] | Predicate) -> None:
        super().__init__(name)
        self.children: dict[str, Namespace] = {}
        self._accepts = accepts

    def __repr__(self) -> str:
        return f"<ParentNamespace {self._accepts!r}>"

    @property
    def label(self) -> str:
        """What its children are called together, where their own names would be too many."""
        if isinstance(self._accepts, re.Pattern):
            return self._accepts.pattern
        return function_name(self._accepts)

    def accepts(self, name: str, query: Query) -> object:
        """Whether a client may join the namespace of that name; a pattern must match all of it.

        Returns:
            Something true or false, or an awaitable of it if the function is async.
        """
        if isinstance(self._accepts, re.Pattern):
            return self._accepts.fullmatch(name) is not None
        return self._accepts(name, query)

    async def publish(self, packet: Packet, target: Broadcast) -> None:
        """Send to everyone the target names, in each child; `emit` calls it."""
        for child in tuple(self.children.values()):
            await child.publish(packet, target)
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def find_clients(self, rooms: Collection[Room]) -> set[SocketId]:
        """Return who is in any of the rooms of any child; `clients` calls it."""
        found: set[SocketId] = set()
        for child in tuple(self.children.values()):
            found |= await child.find_clients(rooms)
        await trio.lowlevel.checkpoint()
        return found
