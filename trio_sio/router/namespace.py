"""Namespaces (JS: `Namespace`), and the dynamic ones that make them (JS: `ParentNamespace`)."""

import re
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType
from typing import Any

import trio

from trio_sio.abc import AnswerCollector, Gathered, Room, SocketId, Target
from trio_sio.protocol.socketio.foreign import replace_foreign
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.router.audience import held
from trio_sio.router.context import RouterContext
from trio_sio.router.dialect import Auth
from trio_sio.router.invocation import function_name
from trio_sio.router.namespace_base import BaseNamespace, JoinableNamespace, recovery_group
from trio_sio.router.namespace_handlers import NamespaceHandlers
from trio_sio.router.server_events import ServerEvents
from trio_sio.router.server_side import ServerListener, ServerSide
from trio_sio.router.socket import Socket
from trio_sio.statistics import NamespaceStatistics

Predicate = Callable[[str, Any], Awaitable[object] | object]
"""Says whether a name is one of a dynamic namespace's; its second argument is an `Auth`."""


class Namespace(NamespaceHandlers, ServerSide, JoinableNamespace[Socket]):
    """One namespace (JS: `Namespace`).

    Attributes:
        name: such as "/chat".
        adapter: knows which sockets are in which room.
        connected: the sockets that are here, by id.
        middleware: functions that see each socket before it is let in.
        parent: the dynamic namespace it was made by, if any.
    """

    parent: "ParentNamespace | None"

    @property
    def _here(self) -> "Namespace":
        return self

    @property
    def _is_root(self) -> bool:
        """Whether this is the namespace "/"."""
        return self.name == "/"

    def statistics(self) -> NamespaceStatistics:
        """Return what there is at this moment, and what has been counted.

        Clients choose how many namespaces a dynamic one makes, so these are counted together: each
        of them returns the statistics of all, as the dynamic one does.
        """
        self.home.check_while_serving("namespace.statistics")
        if self.parent is not None:
            return self.parent.statistics()
        return _statistics(self, (self,))


class ParentNamespace(NamespaceHandlers, ServerListener, BaseNamespace):
    """A dynamic namespace: each name that it accepts becomes a namespace (JS: `of(regex)`).

    Emitting reaches every child; handlers and middleware are every child's, whenever they are
    registered.

    Attributes:
        children: the namespaces that exist by now, by name.
    """

    def __init__(
        self,
        name: str,
        accepts: re.Pattern[str] | Predicate,
        context: RouterContext,
        on_deserted: Callable[[str], object] = str,
    ) -> None:
        group = recovery_group(context, on_deserted)
        super().__init__(name, context.home, context.watch, None, group)
        self._validate = context.options.validate
        self._drop_idle = on_deserted
        self._children: dict[str, Namespace] = {}
        self.children: Mapping[str, Namespace] = MappingProxyType(self._children)
        self._accepts = accepts

    @property
    def _is_root(self) -> bool:
        """Whether this is the namespace "/"; it is none."""
        return False

    def __repr__(self) -> str:
        return f"<ParentNamespace {self._accepts!r}>"

    @property
    def _validates(self) -> bool:
        """Option `validate` of the server."""
        return self._validate

    @property
    def label(self) -> str:
        """What its children are called together, where their own names would be too many."""
        if isinstance(self._accepts, re.Pattern):
            return self._accepts.pattern
        return function_name(self._accepts)

    def statistics(self) -> NamespaceStatistics:
        """Return what there is in all its children at this moment, and what has been counted.

        What was counted of a child stays when the child goes.
        """
        self.home.check_while_serving("namespace.statistics")
        return _statistics(self, self._children.values())

    def accepts(self, name: str, auth: Auth) -> object:
        """Whether a client may join the namespace of that name; a pattern must match all of it.

        Returns:
            Something true or false, or an awaitable of it if the function is async.
        """
        if isinstance(self._accepts, re.Pattern):
            return self._accepts.fullmatch(name) is not None
        return self._accepts(name, auth)

    def add(self, child: Namespace) -> None:
        """Add a namespace that was made for a name that this one accepts."""
        self._children[child.name] = child

    def remove(self, child: Namespace) -> None:
        """Forget a child that has been dropped."""
        del self._children[child.name]

    def drop_idle(self, name: str) -> None:
        """Let a child go, if nothing needs it any more."""
        self._drop_idle(name)

    @property
    def _server_events(self) -> ServerEvents:
        return self.server_events

    async def publish(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names, in each child; `emit` calls it."""
        children = tuple(self._children.values())
        if children and children[0].json_default is not None:
            packet = replace_foreign(packet, children[0].json_default)  # once, for all of them
        for child in children:
            await child.publish(packet, target)
        await trio.lowlevel.cancel_shielded_checkpoint()

    def publish_nowait(self, packet: Packet, target: Target) -> None:
        """Send to everyone the target names, in each child; `emit_nowait` calls it."""
        for child in tuple(self._children.values()):
            child.publish_nowait(packet, target)

    @asynccontextmanager
    async def ask(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AsyncIterator[None]:
        """Send to everyone the target names, in each child; take answers as long as this lasts."""
        children = self.parts()
        if children and children[0].json_default is not None:
            packet = replace_foreign(packet, children[0].json_default)  # once, for all of them
        async with AsyncExitStack() as stack:
            stack.enter_context(held(children))
            for child in children:
                await stack.enter_async_context(child.ask(packet, target, answers))
            await trio.lowlevel.checkpoint()
            yield

    def parts(self) -> Sequence[Namespace]:
        """Return its children."""
        return tuple(self._children.values())

    async def find_clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets in any of the rooms of any child; `clients` calls it."""
        found: set[SocketId] = set()
        missing: dict[str, None] = {}
        children = self.parts()
        with held(children):
            for child in children:
                of_child = await child.find_clients(rooms)
                found |= of_child
                missing.update(dict.fromkeys(of_child.missing))
        await trio.lowlevel.checkpoint()
        return Gathered(found, tuple(missing))


def _statistics(owner: BaseNamespace, namespaces: Iterable[Namespace]) -> NamespaceStatistics:
    sockets = pending_acks = 0
    for namespace in namespaces:
        sockets += len(namespace.sockets)
        pending_acks += sum(len(one.sender.acks) for one in namespace.sockets.values())
    group = owner.recovery_group
    kept = None if group is None else group.store.statistics()
    return owner.counters.statistics(sockets, pending_acks, kept)
