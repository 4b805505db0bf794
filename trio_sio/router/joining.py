"""How one client joins namespaces, in the order in which it asks.

"/" is joined by every client at once; other namespaces wait until it is. What need not wait for
the application joins before the next request is looked at.
"""

import logging
from collections.abc import Awaitable
from functools import partial
from typing import Self

import trio

from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import Refused
from trio_sio.failures import failures, sort
from trio_sio.logs.shown import quoted, short_id
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.router.context import RouterContext
from trio_sio.router.departures import Departures
from trio_sio.router.dialect import Auth
from trio_sio.router.inbound_limits import InboundLimits
from trio_sio.router.invocation import BROKEN
from trio_sio.router.lifecycle import Lifecycle
from trio_sio.router.namespace import Namespace
from trio_sio.router.namespace_base import JoinableNamespace
from trio_sio.router.namespaces import Found, Namespaces
from trio_sio.router.pending_joins import NOTHING, AwaitsRoot, Joinable, Pending, PendingJoins
from trio_sio.router.recovery import Claim, Holder, Recoveries, read_claim, tell_failure
from trio_sio.router.sender import send_control
from trio_sio.router.socket import Socket, SocketOwner
from trio_sio.sync import LazyEvent

logger = logging.getLogger("trio_sio.router")


class Joins:
    """The namespaces that one client has joined, is about to join, or is leaving.

    Args:
        owner: the client.
        sockets: those that are in, by namespace, in the order they joined.
        namespaces: the server's namespaces.
        context: what the server's clients share.
        limits: says when the client may not join another one.

    Attributes:
        sockets: the same.
    """

    __slots__ = (
        "_context",
        "_departures",
        "_former",
        "_is_root_joined",
        "_limits",
        "_namespaces",
        "_owner",
        "_pending",
        "sockets",
    )

    def __init__(
        self,
        owner: SocketOwner,
        sockets: dict[str, Socket],
        namespaces: Namespaces,
        context: RouterContext,
        limits: InboundLimits,
    ) -> None:
        self._owner = owner
        self._namespaces = namespaces
        self._context, self._limits = context, limits
        self.sockets = sockets
        self._departures: Departures[Socket] | None = None  # most leave nothing before the end
        self._pending = NOTHING
        self._is_root_joined = not owner.dialect.joins_root
        self._former: dict[int, None] | None = None  # by hash: names may be long

    def anew(self) -> Self:
        """Return the same for a client of another dialect, which has joined nothing yet."""
        make = type(self)
        return make(self._owner, self.sockets, self._namespaces, self._context, self._limits)

    @property
    def departures(self) -> Departures[Socket]:
        """The sockets that are leaving."""
        if self._departures is None:
            self._departures = Departures()
        return self._departures

    @property
    def pending(self) -> int:
        """How many namespaces the client is about to join."""
        return len(self._pending)

    def _set_pending(self, name: str, pending: Pending) -> None:
        if self._pending is NOTHING:
            self._pending = PendingJoins()
        self._pending[name] = pending

    def has(self, name: str) -> bool:
        """Whether the client has joined a namespace, or is about to."""
        return name in self.sockets or name in self._pending

    def had(self, name: str) -> bool:
        """Whether the client had joined a namespace, or was refused, not so many joins ago."""
        return self._former is not None and hash(name) in self._former

    def _remember(self, name: str) -> None:
        """Remember what a strict client may still send something to, which was on its way."""
        if not self._owner.dialect.is_strict:
            return
        self._former = self._former or {}
        self._former.pop(hash(name), None)
        self._former[hash(name)] = None
        if len(self._former) > self._context.options.max_namespaces:
            del self._former[next(iter(self._former))]

    def all(self) -> list[Socket]:
        """Return the sockets that are in, and then those that are about to be."""
        return [*self.sockets.values(), *self._pending.sockets()]

    # -- requests --------------------------------------------------------------------------

    async def join_root(self) -> None:
        """Join "/"."""
        await self._join("/", {}, self._namespaces["/"])

    async def request(self, name: str, auth: Auth) -> None:
        """Join a namespace or refuse it, in the order of the requests unless that takes time.

        Args:
            name: the namespace, which the client does not have.
            auth: what the client says with it.
        """
        await self._wait_departures()
        refusal = self._limits.refuse_join(len(self._pending))
        if refusal:
            self.refuse(name, refusal)
            return
        claim: Claim | None = None
        if self._context.recovery is not None and self._owner.dialect.can_recover:
            claim, auth = read_claim(auth)  # nobody is shown the secret
        report = partial(self._report, "the function of a dynamic namespace", name)
        found = self._namespaces.find(name, auth, report)
        if isinstance(found, Awaitable):
            scope = trio.CancelScope()
            self._set_pending(name, scope)
            self._owner.session.nursery.start_soon(self._ask, name, auth, claim, found, scope)
        else:
            await self._enter(name, auth, claim, found)

    async def _wait_departures(self) -> None:
        """Wait for sockets that are leaving, if they and the others are too many.

        They count until their last handler has run, or a client that joins and leaves by turns
        could have any number of them.
        """
        while leaving := len(self.departures):
            staying = len(self.sockets) + len(self._pending)
            if staying + leaving < self._context.options.max_namespaces:
                return
            await self.departures.wait_one()

    def _report(self, who: str, name: str, error: BaseException) -> None:
        """Report a failure of what the application makes a namespace with."""
        found = sort(error, Refused)  # a refusal is as good as `False`
        if found.failure is not None:
            if self._owner.session.raise_errors:
                raise error
            self._context.log.fail(logger, found.failure, f"{who} failed for %s", quoted(name))
        if found.exits is not None:
            raise found.exits

    async def _ask(
        self,
        name: str,
        auth: Auth,
        claim: Claim | None,
        answer: Awaitable[Found],
        scope: trio.CancelScope,
    ) -> None:
        """Wait for what the function of a dynamic namespace says, as long as the client stays."""
        found: Found = None
        try:
            with scope:
                found = await answer
        finally:
            self._pending.pop(name, None)
        if not self._owner.session.closed:  # otherwise nobody is refused who has left
            await self._enter(name, auth, claim, found)

    async def _enter(self, name: str, auth: Auth, claim: Claim | None, found: Found) -> None:
        if found is None:
            line, sid = "session %s asked for the namespace %s; %s", short_id(self._owner.id)
            why, log = self._namespaces.explain_absence(), self._context.log
            log.tell(logger, logging.WARNING, "namespace", line, sid, quoted(name), why)
            self.refuse(name)
        elif name == "/" or self._is_root_joined:
            await self._join(name, auth, found, claim)
        else:
            self._set_pending(name, AwaitsRoot(auth, found))

    async def _join(
        self, name: str, auth: Auth, found: Joinable, claim: Claim | None = None
    ) -> None:
        """Join a namespace: at once if there is no middleware, else in a task."""
        session = self._owner.session
        if session.closed:  # nobody would end the socket
            return
        is_new = name not in self._namespaces
        try:
            namespace = self._namespaces.acquire(name, found)
        except failures() as error:  # of what makes its adapter
            self.refuse(name, BROKEN)
            self._report("what makes the adapter", name, error)
            return
        if is_new:
            self._announce(namespace)
        recoveries = namespace.recoveries
        if claim is not None and recoveries is not None:
            scope = trio.CancelScope()
            self._set_pending(name, scope)
            recover = partial(self._recover, namespace, recoveries, claim, auth, scope)
            session.nursery.start_soon(recover)
            return
        socket = Socket(self._owner, namespace, auth)
        former = namespace.connected.get(socket.id)
        if former is not None:
            self._set_pending(name, None)
            freed = self.departures[former].freed
            session.nursery.start_soon(self._succeed, socket, namespace, freed)
            return
        self._set_pending(name, socket)
        lifecycle = Lifecycle(socket, self)
        if namespace.chain():
            self._start(lifecycle, socket)
            if name != "/":  # it is the first: nobody waits for it
                await lifecycle.wait_begun()
            return
        try:
            await lifecycle.admit()
        finally:  # however that went, `run` cleans up
            self._start(lifecycle, socket)

    def _announce(self, namespace: Namespace) -> None:
        """Tell the application of a new namespace; it stays if that fails."""
        is_told = False
        try:
            self._namespaces.announce(namespace)
            is_told = True
        except failures() as error:
            self._report('a handler of "new_namespace"', namespace.name, error)
            is_told = True
        finally:
            if not is_told:
                self._release(namespace)

    def _start(self, lifecycle: Lifecycle, socket: Socket) -> None:
        socket.inbox.expect_reader()
        self._owner.session.nursery.start_soon(lifecycle.run)

    async def _succeed(self, socket: Socket, namespace: Namespace, freed: LazyEvent) -> None:
        """Join when the client's former socket no longer occupies its id there."""
        name = namespace.name
        is_free = False
        try:
            await freed.wait()
            is_free = not self._owner.session.closed  # or nobody would end the socket
        finally:
            if not is_free:
                self._pending.pop(name, None)
                self._release(namespace)
        if not is_free:
            return
        self._set_pending(name, socket)
        socket.inbox.expect_reader()
        await Lifecycle(socket, self).run()

    async def _recover(
        self,
        namespace: Namespace,
        recoveries: Recoveries,
        claim: Claim,
        auth: Auth,
        scope: trio.CancelScope,
    ) -> None:
        """Join as the socket that the client had, or as a new one."""
        name, owner = namespace.name, self._owner
        socket: Socket | None = None
        holder: Holder | None = None
        try:
            with scope:
                report = partial(self._report, "the adapter, which keeps sessions,", name)
                holder, found = await recoveries.take(claim, owner.session, report)
                socket = Socket(owner, namespace, auth, found, holder)
        finally:
            self._pending.pop(name, None)
            if socket is None:
                self._release(namespace)
                if holder is not None:
                    recoveries.release(claim.pid, holder)
        if socket is None:
            return
        if (failure := socket.recovery_failure) is not None:
            tell_failure(failure, name, owner.id, self._context.log, owner.log)
        self._set_pending(name, socket)
        socket.inbox.expect_reader()
        if owner.session.closed:  # nobody would end the socket
            socket.end(owner.session.reason or DisconnectReason.SERVER_SHUTTING_DOWN)
        await Lifecycle(socket, self).run()

    def refuse(self, name: str, text: str = "Invalid namespace") -> None:
        """Send an ERROR packet for a namespace that does not exist, or cannot be joined."""
        owner = self._owner
        if owner.log is not None:
            owner.log.refused(name, text)
        self._context.counters.refused["namespace"] += 1
        self._remember(name)
        packet = Packet(PacketType.ERROR, name, owner.dialect.refusal(text, None))
        send_control(owner.session, self._namespaces.codec, packet)

    # -- what sockets report ---------------------------------------------------------------

    def joined(self, socket: Socket) -> None:
        """Called when a socket has been let in."""
        name, owner = socket.namespace.name, self._owner
        self._pending.pop(name, None)
        if not self._pending:
            self._pending = NOTHING
        self.sockets[name] = socket
        socket.namespace.counters.joined += 1
        if owner.log is not None:
            owner.log.joined(name)
        owner.session.lift_limits()
        self._limits.stop_checking()
        if name == "/" and not self._is_root_joined:
            self._is_root_joined = True
            if self._pending.next_waiting() is not None:
                owner.session.nursery.start_soon(self._join_waiting)

    async def _join_waiting(self) -> None:
        """Join what has waited for "/"; until its turn has come, each counts as pending."""
        while found := self._pending.next_waiting():
            name, waiting = found
            del self._pending[name]
            await self._join(name, waiting.auth, waiting.found)

    def left(self, socket: Socket) -> None:
        """Called when a socket begins to leave."""
        name, log = socket.namespace.name, self._owner.log
        if socket.connected and socket.reason is not None:
            socket.namespace.counters.left[socket.reason] += 1
        self.departures.begin(socket)
        if log is not None:
            log.left(name, socket.reason)
        self._remember(name)
        if self.sockets.get(name) is socket:
            del self.sockets[name]
        if self._pending.get(name) is socket:
            del self._pending[name]

    def departed(self, socket: Socket) -> None:
        """Called when a socket has run its last handler."""
        self.departures.end(socket)
        self._release(socket.namespace)

    def _release(self, namespace: JoinableNamespace[Socket]) -> None:
        report = partial(self._report, "closing the adapter", namespace.name)
        self._namespaces.release(namespace, report)

    def stop(self) -> None:
        """Stop waiting for functions of dynamic namespaces: the client has left."""
        self._pending.cancel()
