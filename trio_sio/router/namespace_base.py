"""What namespaces and dynamic namespaces have in common, and what a socket needs of its namespace.

Sockets know their namespace, and namespaces hold their sockets; so that neither file has to import
the other, `JoinableNamespace` is generic in the kind of its sockets.
"""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from trio_sio.abc import Adapter, Flags, Gathered, PacketEncoder, Room, SocketId, Target
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.foreign import Default, replace_foreign
from trio_sio.protocol.socketio.packet import RESERVED_EVENTS, Packet
from trio_sio.router.broadcast import Broadcast, Targeting
from trio_sio.router.context import RouterContext
from trio_sio.router.handlers import Handler, HandlerOwner, HandlerTable, Registration
from trio_sio.statistics import NamespaceCounters
from trio_sio.sync import Home

S = TypeVar("S")


class BaseNamespace(HandlerOwner, Targeting):
    """The handlers and the middleware of a namespace, or of all that a dynamic one has made.

    Attributes:
        name: such as "/chat"; a dynamic namespace has one that nobody can join.
        middleware: functions that see each socket before it is let in.
        home: the Trio run in which the server serves.
        counters: what is counted; all that a dynamic namespace has made have the same.
    """

    def __init__(self, name: str, home: Home, counters: NamespaceCounters | None = None) -> None:
        self.name = name
        self.home = home
        self.counters = counters or NamespaceCounters()
        self.handlers = HandlerTable()
        self.middleware: list[Handler] = []

    def _broadcast(self) -> Broadcast:
        return Broadcast(audience=self)

    async def publish(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names; `emit` calls it."""
        raise NotImplementedError

    def publish_nowait(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names, without waiting; `emit_nowait` calls it."""
        raise NotImplementedError

    async def find_clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; `clients` calls it."""
        raise NotImplementedError


class JoinableNamespace(BaseNamespace, Generic[S]):
    """A namespace that sockets of one kind can join.

    Args:
        name: such as "/chat".
        encoder: encodes packets.
        make_adapter: makes the adapter.
        context: what the server's namespaces share.
        parent: the dynamic namespace it was made by, if any.

    Attributes:
        adapter: knows which sockets are in which room.
        connected: the sockets that are here, by id.
        context, parent: the same.
        encoder: encodes packets.
        json_default: the option, for adapters.
        sockets: what `connected` is a view of.
        users: sockets that are here, or are about to join or to leave.
    """

    # Methods of `NamespaceHandlers`, which knows the kind of the sockets; for `socket.namespace`.
    on: Any
    once: Any
    event: Any
    on_backlog: Any
    use: Any

    def __init__(
        self,
        name: str,
        encoder: PacketEncoder,
        make_adapter: Callable[[Any], Adapter],
        context: RouterContext,
        parent: BaseNamespace | None = None,
    ) -> None:
        super().__init__(name, context.home, None if parent is None else parent.counters)
        self.parent = parent
        self.users = 0
        self._is_wanted = False
        self.sockets: dict[SocketId, S] = {}
        self.connected: Mapping[SocketId, S] = MappingProxyType(self.sockets)
        self.encoder = encoder
        self.context = context
        self.json_default: Default | None = context.options.json_default
        self._ack_id = -1
        self.adapter = make_adapter(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    # -- its sockets -----------------------------------------------------------------------

    def add(self, socket_id: SocketId, socket: S) -> None:
        """Let a socket in."""
        self.sockets[socket_id] = socket

    def discard(self, socket_id: SocketId) -> None:
        """Forget a socket, if it is here."""
        self.sockets.pop(socket_id, None)

    def acquire(self) -> None:
        """Count a socket that is about to join."""
        self.users += 1

    def release(self) -> None:
        """Stop counting a socket, which has left or was not let in."""
        self.users -= 1

    @property
    def _validates(self) -> bool:
        """Option `validate` of the server."""
        return self.context.options.validate

    def keep(self) -> None:
        """Stay without sockets, too: the application has asked for it by its name."""
        self._is_wanted = True

    @property
    def is_idle(self) -> bool:
        """Whether it can be dropped: a dynamic one that has nothing of its own."""
        if self.parent is None or self.users or self._is_wanted:
            return False
        return not self.middleware and not self.handlers.names()

    # -- handlers and middleware -----------------------------------------------------------

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

    # -- sending ---------------------------------------------------------------------------

    def change_adapter(self, make_adapter: Callable[[Any], Adapter]) -> None:
        """Take another adapter; nobody is here yet."""
        former, self.adapter = self.adapter, make_adapter(self)
        former.close()  # it may listen to other servers

    def change_encoder(self, encoder: PacketEncoder) -> None:
        """Encode packets in another way; nobody is here yet."""
        self.encoder = encoder

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

    async def publish(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names; `emit` calls it."""
        if self.json_default is not None:
            packet = replace_foreign(packet, self.json_default)  # once, for whatever adapter
        await self.adapter.broadcast(packet, target)

    def publish_nowait(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names, without waiting; `emit_nowait` calls it."""
        adapter = self.adapter
        if not _can_broadcast_nowait(adapter):
            name = f"{type(adapter).__module__}.{type(adapter).__qualname__}"
            raise NotImplementedError(
                f"emit_nowait needs an adapter with broadcast_nowait, which {name} has not"
                " for its broadcast; use `await ...emit(...)`"
            )
        adapter.broadcast_nowait(packet, target)

    async def find_clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; `clients` calls it."""
        return await self.adapter.clients(rooms)


def _can_broadcast_nowait(adapter: Adapter) -> bool:
    """Whether an adapter has the method, and not only that of a class below its `broadcast`.

    A subclass that sends to other servers as well, and does not know of the method, would inherit
    one that leaves them out.
    """
    for kind in type(adapter).__mro__:
        if "broadcast_nowait" in kind.__dict__:
            return True
        if "broadcast" in kind.__dict__:
            return False
    return hasattr(adapter, "broadcast_nowait")
