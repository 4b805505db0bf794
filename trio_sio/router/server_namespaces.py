"""What a server does with its namespaces: it makes them, and has the verbs of "/" itself."""

import re
from typing import overload

from trio_sio.abc import EventWatch
from trio_sio.router.broadcast import Broadcast, Targeting
from trio_sio.router.handlers import HandlerTable
from trio_sio.router.method_handlers import Handlers, add_methods, methods
from trio_sio.router.namespace import Namespace, ParentNamespace, Predicate
from trio_sio.router.namespace_handlers import ConnectionH, NamespaceHandlers
from trio_sio.router.router import Router
from trio_sio.router.server_side import ServerSide


class ServerNamespaces(NamespaceHandlers, ServerSide, Targeting):
    """A server's namespaces, as its application sees them; the server makes its `router`."""

    router: Router

    @property
    def sockets(self) -> Namespace:
        """The namespace "/" (JS: `sockets`)."""
        return self.router.root

    @property
    def _validates(self) -> bool:
        """Option `validate`."""
        return self.router.context.options.validate

    @property
    def _watch(self) -> EventWatch:
        return self.router.context.watch

    @property
    def handlers(self) -> HandlerTable:  # type: ignore[override]  # those of "/"
        """The handlers of the namespace "/"."""
        return self.router.root.handlers

    @property
    def _here(self) -> Namespace:
        return self.router.root

    def _broadcast(self) -> Broadcast:
        return Broadcast(audience=self.router.root)

    def use(self, function: ConnectionH) -> ConnectionH:
        """Register middleware of the namespace "/"; see `Namespace.use`."""
        return self.router.root.use(function)

    @overload
    def of(self, name: str) -> Namespace: ...

    @overload
    def of(self, name: re.Pattern[str] | Predicate) -> ParentNamespace: ...

    def of(self, name: str | re.Pattern[str] | Predicate) -> Namespace | ParentNamespace:
        """Return a namespace; the first call with a name makes it (JS: `of`).

        Args:
            name: a name; or, for a dynamic namespace, a compiled pattern that has to match all of a
                name, or a function `(name, query) -> bool`, async or not. A namespace is made for
                each name that a client asks for and that is accepted.

        Raises:
            TypeError: `name` is none of these.
        """
        if isinstance(name, str):
            return self.router.namespaces.of(name)
        if isinstance(name, re.Pattern) or callable(name):
            return self.router.namespaces.of_matching(name)
        raise TypeError(f"of() takes a name, a compiled pattern or a function, not {name!r}")

    @overload
    def register(self, name: str, handlers: Handlers) -> Namespace: ...

    @overload
    def register(
        self, name: re.Pattern[str] | Predicate, handlers: Handlers
    ) -> ParentNamespace: ...

    def register(
        self, name: str | re.Pattern[str] | Predicate, handlers: Handlers
    ) -> Namespace | ParentNamespace:
        """Register the methods of an object as the handlers of a namespace.

        Args:
            name: as for `of`.
            handlers: an object of a class of `Handlers`.

        Returns:
            The namespace.

        Raises:
            TypeError: `handlers` is no such object, or has no handlers; or one of them cannot be
                called with what there is.
        """
        found = methods(handlers)
        namespace = self.of(name)
        add_methods(found, namespace)
        return namespace
