"""The one place through which every packet passes: namespaces by name, and who may join them.

The router is an object, not a task: a task would give an order that nobody needs, and would let
one slow middleware stop every client.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from trio_sio.abc import Adapter, PacketDecoder, PacketEncoder, Session
from trio_sio.protocol.engineio.handshake import Query
from trio_sio.router.client import Client
from trio_sio.router.namespace import Namespace, ParentNamespace, Predicate

_FORBIDDEN = frozenset(",?#")


class Router:
    """Namespaces and clients of one server.

    Args:
        encoder: makes messages of packets, for all sessions.
        make_decoder: makes one decoder for each session.
        make_adapter: makes one adapter for each namespace.
        max_inbox: events that may wait for one socket's handlers.
        grace: seconds that handlers get at the end of their socket.

    Attributes:
        namespaces: by name; never removed.
        clients: those that are here.
    """

    def __init__(
        self,
        *,
        encoder: PacketEncoder,
        make_decoder: Callable[[], PacketDecoder],
        make_adapter: Callable[[Namespace], Adapter],
        max_inbox: int,
        grace: float,
    ) -> None:
        self.encoder = encoder
        self.make_decoder = make_decoder
        self.max_inbox = max_inbox
        self.grace = grace
        self.namespaces: dict[str, Namespace] = {}
        self.parents: list[ParentNamespace] = []
        self.clients: set[Client] = set()
        self._make_adapter = make_adapter
        self.root = self.of("/")

    def of(self, name: str) -> Namespace:
        """Return the namespace of a name, made now if there is none.

        Raises:
            ValueError: the name has a character that would end it on the wire.
        """
        full = name if name.startswith("/") else "/" + name
        if not _FORBIDDEN.isdisjoint(full):
            raise ValueError(f"a namespace's name cannot have any of ',?#': {name!r}")
        namespace = self.namespaces.get(full)
        if namespace is None:
            namespace = Namespace(full, self.encoder, self._make_adapter)
            self.namespaces[full] = namespace
        return namespace

    def of_matching(self, accepts: re.Pattern[str] | Predicate) -> ParentNamespace:
        """Return a dynamic namespace for every name that `accepts` accepts."""
        parent = ParentNamespace(f"/_{len(self.parents)}", accepts)
        self.parents.append(parent)
        return parent

    def may_exist(self, name: str) -> bool:
        """Whether a namespace is there, or some dynamic one might accept the name."""
        return name in self.namespaces or bool(self.parents)

    async def find(self, name: str, query: Query) -> Namespace | None:
        """Return the namespace of a name; dynamic ones are asked in their order, and make it."""
        for parent in self.parents:
            if name in self.namespaces:
                break
            if await parent.accepts(name, query):
                return self._adopt(name, parent)
        return self.namespaces.get(name)

    def _adopt(self, name: str, parent: ParentNamespace) -> Namespace:
        """Make a child, unless another client's request was faster."""
        namespace = self.namespaces.get(name)
        if namespace is None:
            namespace = Namespace(name, self.encoder, self._make_adapter, parent)
            self.namespaces[name] = namespace
            parent.children[name] = namespace
        return namespace

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
