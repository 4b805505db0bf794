"""The namespaces of one server: by name, and the dynamic ones that accept names."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any

from trio_sio.abc import Adapter
from trio_sio.failures import failures, take_each, verdict
from trio_sio.logs.shown import printable, quoted
from trio_sio.protocol.socketio.parser import Codec
from trio_sio.router.context import RouterContext
from trio_sio.router.dialect import Auth
from trio_sio.router.handlers import NEW_NAMESPACE
from trio_sio.router.namespace import Namespace, ParentNamespace, Predicate
from trio_sio.router.namespace_base import JoinableNamespace
from trio_sio.router.socket import Socket
from trio_sio.statistics import NamespaceStatistics

logger = logging.getLogger("trio_sio.router")

_ACCEPTS = "the function of a dynamic namespace"
_FORBIDDEN = frozenset(",?#")

_SHOWN_NAMES = 8
"""Namespaces that a sentence about another one names."""

Found = Namespace | ParentNamespace | None
"""What has a name: a namespace, a dynamic one that would make it, or nothing."""

Report = Callable[[BaseException], object]


class Namespaces(Mapping[str, Namespace]):
    """The namespaces that exist, by name.

    Args:
        encoder: encodes packets, for all namespaces.
        make_adapter: makes one adapter for each namespace.
        cleanup: whether dynamic namespaces go with their last socket.
        context: what the namespaces share.

    Attributes:
        encoder: the same.
        parents: the dynamic namespaces, in the order in which they are asked.
    """

    def __init__(
        self,
        codec: Codec,
        make_adapter: Callable[[Any], Adapter],
        context: RouterContext,
        *,
        cleanup: bool,
    ) -> None:
        self.codec = codec
        self.parents: list[ParentNamespace] = []
        self._by_name: dict[str, Namespace] = {}
        self._make_adapter = make_adapter
        self._context = context
        self._cleanup = cleanup

    def __getitem__(self, name: str) -> Namespace:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    # -- for the application ---------------------------------------------------------------

    def of(self, name: str) -> Namespace:
        """Return the namespace of a name, made now if there is none.

        Raises:
            ValueError: the name has a character that would end it on the wire.
            Exception: what a handler of "new_namespace" raises.
        """
        full = name if name.startswith("/") else "/" + name
        if not _FORBIDDEN.isdisjoint(full):
            raise ValueError(f"a namespace's name cannot have any of ',?#': {name!r}")
        if not _is_encodable(full):
            raise ValueError(f"a namespace's name cannot have a lone surrogate: {name!r}")
        namespace = self._by_name.get(full)
        if namespace is None:
            self._context.home.check_while_serving("io.of")
            namespace = self._make(full, None)
            namespace.keep()
            self.announce(namespace)
        namespace.keep()
        return namespace

    def of_matching(self, accepts: re.Pattern[str] | Predicate) -> ParentNamespace:
        """Return a dynamic namespace for every name that `accepts` accepts."""
        self._context.home.check_while_serving("io.of")
        parent = ParentNamespace(
            f"/_{len(self.parents)}", accepts, self._context, self._drop_deserted
        )
        self.parents.append(parent)
        return parent

    def statistics(self) -> dict[str, NamespaceStatistics]:
        """Return the statistics of each namespace, of those that a dynamic one has made together.

        The names are the application's, never a client's. Where two are the same, or no longer
        differ when they are cut off, the statistics are added up.
        """
        lasting = [one for one in self._by_name.values() if one.parent is None]
        parts = [(one.name, one.statistics()) for one in lasting]
        parts += [(one.label, one.statistics()) for one in self.parents]
        found: dict[str, NamespaceStatistics] = {}
        for name, part in parts:
            shown = printable(name)
            found[shown] = found[shown] + part if shown in found else part
        return found

    def change_adapter(self, make_adapter: Callable[[Any], Adapter]) -> None:
        """Give every namespace, those that exist too, an adapter of another kind."""
        self._make_adapter = make_adapter
        for namespace in self._by_name.values():
            namespace.change_adapter(make_adapter)

    def change_codec(self, codec: Codec) -> None:
        """Give every namespace, those that exist too, other encoders."""
        self.codec = codec
        for namespace in self._by_name.values():
            namespace.change_codec(codec)

    # -- for clients that join -------------------------------------------------------------

    def find(self, name: str, auth: Auth, report: Report) -> Found | Awaitable[Found]:
        """Return what has the namespace of a name: itself, or a dynamic one that accepts it.

        Dynamic ones are asked in their order. That is done at once as long as their functions
        answer at once; from the first that has to be waited for, it is left to an awaitable.

        Args:
            name: the name.
            auth: what the client says with it.
            report: is given what a dynamic namespace's function raises; unless it raises that
                again, the answer is no, and the next one is asked.
        """
        existing = self._by_name.get(name)
        if existing is not None or not _is_encodable(name):
            return existing
        return self._ask(name, auth, iter(self.parents), report)

    def _ask(
        self, name: str, auth: Auth, parents: Iterator[ParentNamespace], report: Report
    ) -> Found | Awaitable[Found]:
        for parent in parents:
            try:
                answer = parent.accepts(name, auth)
                if not isinstance(answer, Awaitable) and verdict(_ACCEPTS, answer):
                    return parent
            except failures() as error:
                report(error)
                continue
            if isinstance(answer, Awaitable):
                return self._wait(name, auth, parent, answer, parents, report)
        return None

    async def _wait(
        self,
        name: str,
        auth: Auth,
        parent: ParentNamespace,
        answer: Awaitable[object],
        parents: Iterator[ParentNamespace],
        report: Report,
    ) -> Found:
        try:
            if verdict(_ACCEPTS, await answer):
                return parent
        except failures() as error:
            report(error)
        existing = self._by_name.get(name)
        if existing is not None:  # another client's request was faster
            return existing
        found = self._ask(name, auth, parents, report)
        return await found if isinstance(found, Awaitable) else found

    def explain_absence(self) -> str:
        """Return which namespaces there are, for a client that asked for another one."""
        wanted = [name for name, one in self._by_name.items() if one.parent is None]
        names = [quoted(name) for name in wanted[:_SHOWN_NAMES]]
        if len(wanted) > len(names):
            names.append(f"{len(wanted) - len(names)} more")
        dynamic = ", and dynamic ones, none of which accepts it" if self.parents else ""
        return f"there are {', '.join(names)}{dynamic}"

    def adopt(self, name: str, found: Namespace | ParentNamespace) -> Namespace:
        """Return the namespace that `find` found, made now if nobody is in it."""
        if isinstance(found, Namespace):
            if found.parent is None or self._by_name.get(name) is found:
                return found
            found = found.parent  # it has gone with its last socket, meanwhile
        namespace = self._by_name.get(name)
        if namespace is None:
            namespace = self._make(name, found)
            found.add(namespace)
        return namespace

    def _make(self, name: str, parent: ParentNamespace | None) -> Namespace:
        namespace = Namespace(name, self.codec, self._make_adapter, self._context, parent)
        self._by_name[name] = namespace
        return namespace

    def acquire(self, name: str, found: Namespace | ParentNamespace) -> Namespace:
        """Adopt a namespace for a socket that is about to join; `release` undoes it."""
        namespace = self.adopt(name, found)
        namespace.acquire()
        return namespace

    def announce(self, namespace: Namespace) -> None:
        """Tell the application of a namespace that is new (JS: `new_namespace`).

        Raises:
            Exception: what handlers raise, when all have been called.
        """
        found = self._by_name["/"].handlers.take(NEW_NAMESPACE)
        take_each(*(partial(one.function, *[namespace][: one.takes]) for one in found))

    def release(self, namespace: JoinableNamespace[Socket], report: Report) -> None:
        """Give back a namespace that a socket has left; an idle one is dropped.

        Clients choose the names of dynamic namespaces, so there may be any number of them.

        Args:
            namespace: the namespace.
            report: is given what its adapter raises when it is closed.
        """
        namespace.release()
        self._drop_idle(namespace, report)

    def _drop_deserted(self, name: str) -> None:
        """Drop a namespace to which nobody can come back any more, if it is idle."""
        namespace = self._by_name.get(name)
        if namespace is not None:
            line, log = "closing the adapter failed for %s", self._context.log
            self._drop_idle(namespace, lambda error: log.fail(logger, error, line, quoted(name)))

    def _drop_idle(self, namespace: JoinableNamespace[Socket], report: Report) -> None:
        if not (self._cleanup and namespace.is_idle):
            return
        own = self._by_name.get(namespace.name)
        if own is namespace and own.parent is not None:
            del self._by_name[own.name]
            own.parent.remove(own)
            try:
                own.adapter.close()
            except failures() as error:
                report(error)


def _is_encodable(name: str) -> bool:
    """Whether a name can be sent: a lone surrogate has no form in UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
