"""The one place through which every packet passes: namespaces by name, and who may join them.

The router is an object, not a task: a task would give an order that nobody needs, and would let
one slow middleware stop every client.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

from trio_sio.abc import Adapter, PacketDecoder, PacketEncoder, Session
from trio_sio.counters import Counters
from trio_sio.failures import failures, verdict
from trio_sio.logs.shown import quoted
from trio_sio.logs.throttle import LogThrottle
from trio_sio.protocol.engineio.handshake import Query
from trio_sio.router.client import Client
from trio_sio.router.limits import Limits
from trio_sio.router.namespace import Namespace, ParentNamespace, Predicate

_ACCEPTS = "the function of a dynamic namespace"
_FORBIDDEN = frozenset(",?#")

_SHOWN_NAMES = 8
"""Namespaces that a sentence about another one names."""

Found = Namespace | ParentNamespace | None
"""Who has a name: a namespace, a dynamic one that would make it, or nobody."""


class Router:
    """Namespaces and clients of one server.

    Args:
        encoder: makes messages of packets, for all sessions.
        make_decoder: makes one decoder for each session.
        make_adapter: makes one adapter for each namespace.
        max_inbox: events that may wait for one socket's handlers.
        grace: seconds that handlers get at the end of their socket.
        limits: of what one client may send.
        cleanup: whether dynamic namespaces go with their last socket.
        log: where the server's lines go.
        counters: what the server counts.

    Attributes:
        namespaces: by name.
        clients: those that are here.
        log: where the server's lines go.
        counters: what the server counts.
    """

    def __init__(
        self,
        *,
        encoder: PacketEncoder,
        make_decoder: Callable[[], PacketDecoder],
        make_adapter: Callable[[Namespace], Adapter],
        max_inbox: int,
        grace: float,
        limits: Limits,
        cleanup: bool,
        log: LogThrottle,
        counters: Counters,
    ) -> None:
        self.encoder = encoder
        self.make_decoder = make_decoder
        self.max_inbox = max_inbox
        self.grace = grace
        self.limits = limits
        self.log = log
        self.counters = counters
        self.namespaces: dict[str, Namespace] = {}
        self.parents: list[ParentNamespace] = []
        self.clients: set[Client] = set()
        self._make_adapter = make_adapter
        self._cleanup = cleanup
        self.root = self.of("/")

    def of(self, name: str) -> Namespace:
        """Return the namespace of a name, made now if there is none.

        Raises:
            ValueError: the name has a character that would end it on the wire.
        """
        full = name if name.startswith("/") else "/" + name
        if not _FORBIDDEN.isdisjoint(full):
            raise ValueError(f"a namespace's name cannot have any of ',?#': {name!r}")
        if not _is_text(full):
            raise ValueError(f"a namespace's name cannot have a lone surrogate: {name!r}")
        namespace = self.namespaces.get(full)
        if namespace is None:
            namespace = Namespace(full, self.encoder, self._make_adapter, self.counters)
            self.namespaces[full] = namespace
        namespace.is_wanted = True
        return namespace

    def of_matching(self, accepts: re.Pattern[str] | Predicate) -> ParentNamespace:
        """Return a dynamic namespace for every name that `accepts` accepts."""
        parent = ParentNamespace(f"/_{len(self.parents)}", accepts)
        self.parents.append(parent)
        return parent

    def find(
        self, name: str, query: Query, report: Callable[[BaseException], object]
    ) -> Found | Awaitable[Found]:
        """Return who has the namespace of a name: itself, or a dynamic one that accepts it.

        Dynamic ones are asked in their order. That is done at once as long as their functions
        answer at once; from the first that has to be waited for, it is left to an awaitable.

        Args:
            name: the name.
            query: what the client said behind it.
            report: is given what a dynamic namespace's function raises; unless it raises that
                again, the answer is no, and the next one is asked.
        """
        existing = self.namespaces.get(name)
        if existing is not None or not _is_text(name):
            return existing
        return self._ask(name, query, iter(self.parents), report)

    def _ask(
        self,
        name: str,
        query: Query,
        parents: Iterator[ParentNamespace],
        report: Callable[[BaseException], object],
    ) -> Found | Awaitable[Found]:
        for parent in parents:
            try:
                answer = parent.accepts(name, query)
                if not isinstance(answer, Awaitable) and verdict(_ACCEPTS, answer):
                    return parent
            except failures() as error:
                report(error)
                continue
            if isinstance(answer, Awaitable):
                return self._wait(name, query, parent, answer, parents, report)
        return None

    async def _wait(
        self,
        name: str,
        query: Query,
        parent: ParentNamespace,
        answer: Awaitable[object],
        parents: Iterator[ParentNamespace],
        report: Callable[[BaseException], object],
    ) -> Found:
        try:
            if verdict(_ACCEPTS, await answer):
                return parent
        except failures() as error:
            report(error)
        existing = self.namespaces.get(name)
        if existing is not None:  # another client's request was faster
            return existing
        found = self._ask(name, query, parents, report)
        return await found if isinstance(found, Awaitable) else found

    def explain_absence(self) -> str:
        """Return which namespaces there are, for a client that asked for another one."""
        wanted = [name for name, one in self.namespaces.items() if one.parent is None]
        names = [quoted(name) for name in wanted[:_SHOWN_NAMES]]
        if len(wanted) > len(names):
            names.append(f"{len(wanted) - len(names)} more")
        dynamic = ", and dynamic ones, none of which accepts it" if self.parents else ""
        return f"there are {', '.join(names)}{dynamic}"

    def adopt(self, name: str, found: Namespace | ParentNamespace) -> Namespace:
        """Return the namespace that `find` found, made now if nobody is in it."""
        if isinstance(found, Namespace):
            if found.parent is None or self.namespaces.get(name) is found:
                return found
            found = found.parent  # it has gone with its last socket, meanwhile
        namespace = self.namespaces.get(name)
        if namespace is None:
            namespace = Namespace(name, self.encoder, self._make_adapter, self.counters, found)
            self.namespaces[name] = namespace
            found.children[name] = namespace
        return namespace

    def release(self, namespace: Namespace) -> None:
        """Note that a socket has done with a namespace; an idle one is forgotten.

        Clients choose the names of dynamic namespaces, so there may be any number of them.
        """
        namespace.users -= 1
        if not (self._cleanup and namespace.is_idle):
            return
        name, parent = namespace.name, namespace.parent
        if parent is not None and self.namespaces.get(name) is namespace:
            del self.namespaces[name]
            del parent.children[name]

    def change_adapter(self, make_adapter: Callable[[Namespace], Adapter]) -> None:
        """Give every namespace, those that exist too, an adapter of another kind."""
        self._make_adapter = make_adapter
        for namespace in self.namespaces.values():
            namespace.adapter = make_adapter(namespace)

    def change_codec(
        self, encoder: PacketEncoder, make_decoder: Callable[[], PacketDecoder]
    ) -> None:
        """Speak by another parser, in the namespaces that exist, too."""
        self.encoder = encoder
        self.make_decoder = make_decoder
        for namespace in self.namespaces.values():
            namespace.encoder = encoder

    def serve(self, session: Session) -> Coroutine[Any, Any, None]:
        """Serve one session until it ends; the engine's handler, to be awaited."""
        return Client(self, session).run()


def _is_text(name: str) -> bool:
    """Whether a name can be written down: a lone surrogate has no form in UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
