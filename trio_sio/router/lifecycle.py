"""The life of a socket: middleware lets it in, its handlers run, it departs.

Its task runs the namespace's middleware, the "connection" handlers and then, one after the other,
the handlers of the events that the client sends. Events wait in a bounded inbox; when that is
full, the client's reader waits, and behind it the client.

The end, whoever brings it about: no more events come in, calls end with `Disconnected`, handlers
that are running get `grace` seconds, tasks in `socket.nursery` are cancelled, "disconnecting" runs
while the rooms are still there, the rooms are left, "disconnect" runs.
"""

import logging
from typing import Protocol

import trio

from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.exceptions import ConnectionRefused, Disconnected, Refused
from trio_sio.failures import (
    KeptFailures,
    await_each,
    check_returned,
    failed_leaves,
    failures,
    keep,
    raised,
    sort,
)
from trio_sio.logs.shown import quoted
from trio_sio.protocol.socketio.packet import PacketType
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.router.departures import Departure, Departures
from trio_sio.router.handlers import Handler
from trio_sio.router.invocation import (
    ADAPTER,
    BROKEN,
    MIDDLEWARE,
    Invoker,
    Role,
    failure,
    function_name,
    handles,
)
from trio_sio.router.recovery import SocketRecovery
from trio_sio.router.socket import Phase, Socket

logger = logging.getLogger("trio_sio.router")

_OF_OUR_DOING = frozenset(
    {DisconnectReason.SERVER_NAMESPACE_DISCONNECT, DisconnectReason.SERVER_SHUTTING_DOWN}
)
"""Ends after which events that still wait are not handled: the client would not notice."""


class LifecycleOwner(Protocol):
    """What a lifecycle reports to: the joins of the client."""

    @property
    def departures(self) -> Departures[Socket]:
        """The client's sockets that are leaving, this one among them at its end."""

    def joined(self, socket: Socket) -> None:
        """The socket has been let in."""

    def departed(self, socket: Socket) -> None:
        """The socket has run its last handler."""


class Lifecycle:
    """Runs one socket.

    Args:
        socket: the socket.
        owner: is told when the socket has joined and when it has departed.
    """

    __slots__ = ("_begun", "_owner", "_socket")

    def __init__(self, socket: Socket, owner: LifecycleOwner) -> None:
        self._socket = socket
        self._owner = owner
        self._begun: trio.Event | None = None  # the client's reader waits for it

    def doing(self) -> str:
        """Say which of the application's functions was called last, for whom; `""` for none."""
        return self._socket.invoker.doing()

    async def wait_begun(self) -> None:
        """Wait until the middleware has begun, or will not; for whoever has just started `run`.

        The middleware runs up to its first wait before this returns.
        """
        self._begun = trio.Event()
        await self._begun.wait()

    def _tell_begun(self) -> None:
        if self._begun is not None:
            self._begun.set()
            self._begun = None

    async def run(self) -> None:
        """Run the socket: its middleware, its handlers, its end."""
        socket = self._socket
        kept: KeptFailures | None = None
        try:
            async with trio.open_nursery() as nursery:
                socket.open(nursery)
                await self._serve()
                nursery.cancel_scope.cancel()
            if not socket.is_over:
                self._cut_short()
        except* Disconnected as gone:
            if not socket.is_over:
                kept = self._note_failure(gone)
                self._cut_short()
        except* failed_leaves() as errors:
            kept = self._note_failure(errors, kept)
            self._cut_short()
        finally:
            with raised(kept):
                self._tell_begun()
                socket.background.close()
                socket.end(socket.session.reason or DisconnectReason.SERVER_SHUTTING_DOWN)
                socket.inbox.close_receiving()
                await self._depart()

    def _note_failure(
        self, errors: BaseException, kept: KeptFailures | None = None
    ) -> KeptFailures | None:
        """Log that a task in the nursery failed, or a handler whose error is to be raised.

        Returns:
            What is to be raised, with what has been kept before.
        """
        socket = self._socket
        if socket.session.raise_errors:
            return keep(errors, kept)
        log = socket.namespace.context.log
        log.fail(logger, errors, "%r: a task in its nursery failed", socket)
        return kept

    def _cut_short(self) -> None:
        """End the socket and tell the client: a task failed, or the nursery was cancelled."""
        socket = self._socket
        if socket.phase is Phase.CONNECTED:
            socket.kick()
        elif socket.reason is None:
            socket.refuse(ConnectionRefused(BROKEN))

    async def _serve(self) -> None:
        socket = self._socket
        inbox = socket.inbox
        await inbox.wait_turn()
        inbox.order.pass_on(inbox)  # what comes first begins now
        self._tell_begun()
        if socket.phase is Phase.JOINING and not await self._pass_middleware():
            return
        if not await self._greet():
            return
        dispatcher, sender = socket.dispatcher, socket.sender
        while True:
            try:
                packet = await inbox.receive()
            except trio.EndOfChannel:
                return
            if sender.reason in _OF_OUR_DOING:
                inbox.close_receiving()
                return
            await dispatcher.handle(packet)
            del packet  # or it stays until the next one comes

    # -- the beginning ---------------------------------------------------------------------

    async def _pass_middleware(self) -> bool:
        """Run the namespace's middleware; return whether the socket is in."""
        socket = self._socket
        recovery = socket.sender.recovery
        is_free = recovery is not None and recovery.skips_middleware
        try:
            for function in () if is_free else socket.namespace.chain():
                result = await socket.invoker.judge(function)
                check_returned(function_name(function), result)
        except failures() as error:
            self._refuse(error, function, MIDDLEWARE)
            return False
        if socket.is_over:
            return False
        await self.admit()
        return socket.phase is Phase.CONNECTED

    async def admit(self) -> None:
        """Let the socket in, or refuse it if the adapter has no room of its own for it."""
        socket = self._socket
        add = socket.namespace.adapter.add_all
        recovery = socket.sender.recovery
        former = recovery if recovery is not None and recovery.recovered else None
        try:
            await add(socket.id, (socket.id,) if former is None else former.rooms)
        except failures() as error:
            self._refuse(error, add, ADAPTER)
        else:
            if former is not None and not await self._replay(former):
                return
            if not socket.is_over:
                socket.enter(is_told=former is not None)
                self._owner.joined(socket)

    async def _replay(self, recovery: SocketRecovery) -> bool:
        """Send a client that is back what it missed, and then its CONNECT packet.

        Nothing is missed between that and its being connected, which happens in the same step. But
        if the CONNECT packet has to wait for room, it is followed by what is sent meanwhile.

        Returns:
            Whether it is complete. The client is closed if what is left was dropped meanwhile: it
            may come back and go on.
        """
        socket = self._socket
        counters, count, is_told = socket.namespace.counters, 0, False
        while not socket.is_over:
            missed = recovery.missed()
            if isinstance(missed, RecoveryFailure):
                socket.session.explain(Explanation(f"it was being sent what it missed: {missed}"))
                socket.session.close(DisconnectReason.FORCED_CLOSE)
                return False
            if not missed and not is_told:
                opening = socket.client.dialect.opening(socket.id, recovery.session.pid)
                is_told, waiter = True, socket.sender.enqueue_control(PacketType.CONNECT, opening)
                if waiter is not None:
                    await waiter.wait()
                    continue
            if not missed:
                log = socket.client.log
                if log is not None:
                    log.recovered(socket.namespace.name, count)
                return True
            for item in missed:
                if is_told:  # as if it were connected
                    socket.deliver(item)
                else:
                    await socket.session.send(item)
            count += len(missed)
            counters.events_out += len(missed)
        return False

    def _refuse(self, error: BaseException, function: Handler, role: Role) -> None:
        """Tell the client why it is not let in, and the log what failed."""
        socket = self._socket
        log, namespace, name = socket.client.log, socket.namespace, function_name(function)
        found = sort(error, ConnectionRefused, is_over=socket.is_over)
        if log is not None:
            failed = "" if found.refusal is not None else ", which failed"
            log.refused(namespace.name, f"by {name}{failed}")
        if found.refusal is not None:
            namespace.context.counters.refused["middleware"] += 1
        recovery = socket.sender.recovery
        if recovery is not None and found.refusal is None:
            recovery.spare()
        elif recovery is not None:
            recovery.count_refusal()
        if found.exits is None:
            socket.refuse(found.refusal or ConnectionRefused(BROKEN))
        if found.failure is not None:
            namespace.counters.failures += 1
            if socket.session.raise_errors:
                raise error
            line, quoted_name = "%s, %s of %s, failed", quoted(namespace.name)
            namespace.context.log.fail(logger, found.failure, line, name, role, quoted_name)
        if found.exits is not None:
            raise found.exits

    async def _greet(self) -> bool:
        """Run the "connection" handlers; return whether the socket may stay."""
        socket = self._socket
        invoker = socket.invoker
        for event in ("connect", "connection"):
            for registration in socket.namespace.take_handlers(event):
                function, args = registration.function, (socket,)[: registration.takes]
                try:
                    await invoker.guard(invoker.call(function, *args), function, handles(event))
                except Refused as refused:
                    invoker.send_error(refused.answer)
                    socket.kick()
                    return False
        return True

    # -- the end ---------------------------------------------------------------------------

    async def _depart(self) -> None:
        """Leave behind the client's sockets that began to leave before."""
        socket = self._socket
        try:
            departure = self._owner.departures[socket]
            await departure.wait_turn(socket.namespace.context.grace)
            await _Ending(socket, departure).run()
        finally:
            self._owner.departed(socket)


class _Ending:
    """Runs a socket's last handlers and takes it out of its rooms, whatever has been cancelled.

    Handlers get `grace` seconds together, and the adapter has as many of its own.

    Args:
        socket: a socket whose reason is known.
        departure: its departure, whose turn it is.
    """

    def __init__(self, socket: Socket, departure: Departure[Socket]) -> None:
        self._socket = socket
        self._departure = departure
        self._context = socket.namespace.context
        self._deadline = trio.current_time() + self._context.grace
        self._was_in = socket.connected

    async def run(self) -> None:
        """Take the last steps, each even if another one fails."""
        await await_each(
            self._tell_error,
            self._tell_disconnecting,
            self._keep,
            self._leave_rooms,
            self._tell_disconnect,
        )

    async def _tell_error(self) -> None:
        """Tell all the client's sockets of a broken packet before the first of them leaves."""
        announced = self._departure.take_announcement()
        if announced is not None:
            for one in announced[1]:
                if one.connected:
                    await self._tell(one.invoker, "error", announced[0])

    async def _tell_disconnecting(self) -> None:
        if self._was_in:
            await self._tell(self._socket.invoker, "disconnecting", self._socket.reason)

    async def _keep(self) -> None:
        """Have kept what the client needs to come back, for `grace` seconds at most."""
        socket = self._socket
        recovery = socket.sender.recovery
        if recovery is None or socket.reason is None:
            return
        leave = recovery.leave(socket.reason, socket.data, socket.session.timers)
        deadline = trio.current_time() + self._context.grace
        with trio.CancelScope(shield=True, deadline=deadline):
            await socket.invoker.guard(leave, recovery.leave, ADAPTER)

    async def _leave_rooms(self) -> None:
        """Leave all rooms; handlers are not blamed for the time that this takes.

        An adapter does its local work before it waits. It is cancelled after `grace` seconds.
        """
        socket = self._socket
        socket.mark_ended()
        begun = trio.current_time()
        with trio.CancelScope(shield=True, deadline=begun + self._context.grace) as scope:
            remove = socket.namespace.adapter.remove_all
            await socket.invoker.guard(remove(socket.id), remove, ADAPTER)
        if scope.cancelled_caught:
            line = "%r: the adapter did not take it out of its rooms within grace"
            self._context.log.tell(logger, logging.WARNING, "rooms", line, socket)
        self._deadline += trio.current_time() - begun

    async def _tell_disconnect(self) -> None:
        socket = self._socket
        socket.namespace.discard(socket.id)
        self._departure.freed.set()
        if socket.sender.recovery is not None:
            socket.sender.recovery.release()
        if self._was_in:
            await self._tell(socket.invoker, "disconnect", socket.reason)

    async def _tell(self, invoker: Invoker, event: str, argument: object) -> None:
        """Run the handlers of one of the last events, shielded until the deadline."""
        listeners = invoker.listeners(event, argument)
        if not listeners:
            return  # a scope costs 5 µs, and most applications have none of these
        with trio.CancelScope(shield=True, deadline=self._deadline) as scope:
            for function, args in listeners:
                try:
                    await invoker.guard(invoker.call(function, *args), function, handles(event))
                except Refused as refused:  # there is nothing left that it could refuse
                    await invoker.report(refused, failure(function, handles(event)))
        if scope.cancelled_caught:
            line = "%r: a %r handler was cut off after grace"
            kind = "grace", event
            self._context.log.tell(logger, logging.WARNING, kind, line, invoker.subject, event)
