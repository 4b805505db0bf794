"""What namespaces and dynamic namespaces have in common, and what a socket needs of its namespace.

Sockets know their namespace, and namespaces hold their sockets; so that neither file has to import
the other, `JoinableNamespace` is generic in the kind of its sockets.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from trio_sio.abc import (
    Adapter,
    AnswerCollector,
    AnswerServer,
    EventWatch,
    Flags,
    Gathered,
    RecoveringAdapter,
    Room,
    SocketDetails,
    SocketId,
    Target,
)
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.foreign import Default, replace_foreign
from trio_sio.protocol.socketio.packet import JSON, RESERVED_EVENTS_4, Packet
from trio_sio.protocol.socketio.parser import Codec
from trio_sio.router.audience import Part, held
from trio_sio.router.broadcast import Broadcast, Targeting
from trio_sio.router.context import RouterContext
from trio_sio.router.handlers import (
    NEW_NAMESPACE,
    Handler,
    HandlerOwner,
    HandlerTable,
    Registration,
)
from trio_sio.router.handshake import Handshake
from trio_sio.router.recovery import Recoveries, RecoveryGroup
from trio_sio.router.remote_socket import RemoteSocket
from trio_sio.router.server_events import ServerEvents
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
        server_events: the handlers of what other servers say.
        watch: whether the server's application has handlers of every event.
        recovery_group: what is kept for clients that come back; likewise. `None` for nothing.
    """

    def __init__(
        self,
        name: str,
        home: Home,
        watch: EventWatch,
        counters: NamespaceCounters | None = None,
        recovery_group: RecoveryGroup | None = None,
    ) -> None:
        self.name = name
        self.recovery_group = recovery_group
        self.home = home
        self.watch = watch
        self.counters = counters or NamespaceCounters()
        self.handlers = HandlerTable()
        self.middleware: list[Handler] = []
        self.server_events = ServerEvents(self.counters)

    @property
    def _watch(self) -> EventWatch:
        return self.watch

    def _broadcast(self) -> Broadcast:
        return Broadcast(audience=self)

    async def publish(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names; `emit` calls it."""
        raise NotImplementedError

    def publish_nowait(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names, without waiting; `emit_nowait` calls it."""
        raise NotImplementedError

    def ask(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AbstractAsyncContextManager[None]:
        """Send to everyone the target names, and take answers as long as this lasts."""
        raise NotImplementedError

    async def find_clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; `clients` calls it."""
        raise NotImplementedError

    def parts(self) -> Sequence[Part]:
        """Return the namespaces that sockets join: itself, or its children."""
        raise NotImplementedError

    def drop_idle(self, name: str) -> None:
        """Let a child of this name go, if nothing needs it any more."""
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
        recoveries: the sockets that may come back; `None` if none can.
        recovery: what is kept for them, for adapters.
        sockets: what `connected` is a view of.
        users: sockets that are here, or are about to join or to leave; and what is asked here.
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
        codec: Codec,
        make_adapter: Callable[[Any], Adapter],
        context: RouterContext,
        parent: BaseNamespace | None = None,
    ) -> None:
        if parent is None:
            super().__init__(name, context.home, context.watch, None, recovery_group(context))
        else:
            group = parent.recovery_group
            super().__init__(name, context.home, context.watch, parent.counters, group)
        self.parent = parent
        if parent is not None:
            self.server_events = ServerEvents(self.counters, parent.server_events)
        self.users = 0
        self._is_wanted = False
        self.sockets: dict[SocketId, S] = {}
        self.connected: Mapping[SocketId, S] = MappingProxyType(self.sockets)
        self.codec = codec
        self.context = context
        self.json_default: Default | None = context.options.json_default
        self._ack_id = -1
        group = self.recovery_group
        self.recovery = None if group is None else group.store
        self.adapter = make_adapter(self)
        self.recoveries = None if group is None else _recoveries(self.adapter, group)

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
        """Count a socket that is about to join, or something that is asked here."""
        self.users += 1

    def release(self) -> None:
        """Stop counting a socket, which has left or was not let in."""
        self.users -= 1

    def let_go(self) -> None:
        """Stop counting what was asked here; if that was all, a dynamic namespace drops it."""
        self.release()
        if self.parent is not None and not self.users:
            self.parent.drop_idle(self.name)

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
        handlers = self.handlers
        if self.middleware or self.server_events.are_heard:
            return False
        if self.recovery is not None and self.recovery.has_away(self.name):
            return False
        return not (handlers.names() or handlers.incoming or handlers.outgoing)

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
        return names - {*RESERVED_EVENTS_4, "connect", "connection", NEW_NAMESPACE}

    def incoming_watchers(self) -> tuple[Handler, ...]:
        """Return the handlers of every event that clients send: the parent's, then its own."""
        parent = () if self.parent is None else self.parent.handlers.incoming
        return parent + self.handlers.incoming

    def outgoing_watchers(self) -> tuple[Handler, ...]:
        """Return the handlers of every event that is sent: the parent's, then its own."""
        parent = () if self.parent is None else self.parent.handlers.outgoing
        return parent + self.handlers.outgoing

    def is_listened_to(self, event: str) -> bool:
        """Whether an event has handlers here or at the parent."""
        parent = self.parent
        return self.handlers.has(event) or (parent is not None and parent.handlers.has(event))

    async def hear_server(self, args: Sequence[JSON], answer: AnswerServer | None) -> None:
        """Call the handlers of an event that another server has sent; for the adapter."""
        await self.server_events.hear(args, answer)

    # -- sending ---------------------------------------------------------------------------

    def change_adapter(self, make_adapter: Callable[[Any], Adapter]) -> None:
        """Take another adapter; nobody is here yet."""
        former, self.adapter = self.adapter, make_adapter(self)
        group = self.recovery_group
        self.recoveries = None if group is None else _recoveries(self.adapter, group)
        former.close()  # it may listen to other servers

    def change_codec(self, codec: Codec) -> None:
        """Encode packets in another way; nobody is here yet."""
        self.codec = codec

    def next_ack_id(self) -> int:
        """Return a fresh id; as in the reference all sockets of a namespace share the counter."""
        self._ack_id += 1
        return self._ack_id

    def encode(self, packet: Packet, flags: Flags, *, droppable: bool = False) -> Encoded:
        """Serialise a packet; raises `LocalProtocolError` at once, to whoever emits it."""
        codec = self.codec
        messages = codec.encoder.encode(packet, binary=flags.binary)
        item = Encoded.of_messages(
            messages,
            compress=flags.compress,
            droppable=droppable or bool(flags.on_overflow),
            on_overflow=flags.on_overflow,
        )
        if codec.as_5 is not None:
            item.make_otherwise(partial(codec.as_5, messages))
        return item

    async def publish(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names; `emit` calls it."""
        if self.json_default is not None:
            packet = replace_foreign(packet, self.json_default)  # once, for whatever adapter
        await self.adapter.broadcast(packet, target)

    def publish_nowait(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names, without waiting; `emit_nowait` calls it."""
        adapter = self.adapter
        if not _has_for_its_broadcast(adapter, "broadcast_nowait"):
            name = f"{type(adapter).__module__}.{type(adapter).__qualname__}"
            raise NotImplementedError(
                f"emit_nowait needs an adapter with broadcast_nowait, which {name} has not"
                " for its broadcast; use `await ...emit(...)`"
            )
        adapter.broadcast_nowait(packet, target)

    def ask(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AbstractAsyncContextManager[None]:
        """Send to everyone the target names, and take answers as long as this lasts."""
        adapter = self.adapter
        if not _has_for_its_broadcast(adapter, "broadcast_with_ack"):
            name = f"{type(adapter).__module__}.{type(adapter).__qualname__}"
            raise NotImplementedError(
                f"call needs an adapter with broadcast_with_ack, which {name} has not for its"
                " broadcast"
            )
        if self.json_default is not None:
            packet = replace_foreign(packet, self.json_default)
        return self._asking(adapter.broadcast_with_ack(packet, target, answers))

    @asynccontextmanager
    async def _asking(self, asking: AbstractAsyncContextManager[None]) -> AsyncIterator[None]:
        with held((self,)):
            async with asking:
                yield

    async def find_clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; `clients` calls it."""
        with held((self,)):
            return await self.adapter.clients(rooms)

    def parts(self) -> Sequence[Part]:
        """Return itself, alone."""
        return (self,)

    def represent(self, details: SocketDetails) -> RemoteSocket:
        """Return what stands for a socket of another server."""
        handshake = Handshake.of_json(details.handshake)
        room = self.to(details.id)
        return RemoteSocket(details.id, handshake, details.rooms, details.data, room)


def recovery_group(
    context: RouterContext, on_deserted: Callable[[str], object] = str
) -> RecoveryGroup | None:
    """Return what namespaces keep for clients that come back; `None` if the option is off.

    Args:
        context: what the server's namespaces share.
        on_deserted: is told of a namespace to which nobody can come back any more.
    """
    if context.recovery is None:
        return None
    return RecoveryGroup(context.recovery, context.silence, on_deserted)


def _recoveries(adapter: Adapter, group: RecoveryGroup) -> Recoveries:
    if not isinstance(adapter, RecoveringAdapter):
        kind = f"{type(adapter).__module__}.{type(adapter).__qualname__}"
        raise ValueError(
            "option 'connection_state_recovery' needs an adapter that keeps what clients miss;"
            f" {kind} does not: what other servers send while a client is away would be lost."
            " MemoryAdapter does, for a single server"
        )
    return Recoveries(adapter, group)


def _has_for_its_broadcast(adapter: Adapter, method: str) -> bool:
    """Whether an adapter has a method, and not only that of a class below its `broadcast`.

    A subclass that sends to other servers as well, and does not know of the method, would inherit
    one that leaves them out.
    """
    for kind in type(adapter).__mro__:
        if method in kind.__dict__:
            return True
        if "broadcast" in kind.__dict__:
            return False
    return hasattr(adapter, method)
