"""Handles the events that a client sends: packet middleware, the handlers, the acknowledgement."""

from bisect import bisect_left
from collections.abc import Coroutine, Sequence
from inspect import isawaitable
from time import perf_counter
from types import CoroutineType
from typing import Any

from trio_sio.exceptions import LocalProtocolError, Refused, WrongArguments
from trio_sio.failures import failures
from trio_sio.logs.events import EventLog
from trio_sio.logs.shown import quoted
from trio_sio.protocol.socketio.packet import BACKLOG, Packet, PacketType
from trio_sio.protocol.socketio.unsendable import type_name
from trio_sio.router.acknowledgement import Acknowledgement
from trio_sio.router.argument_check import ArgumentRefused
from trio_sio.router.arity import wrong_arguments
from trio_sio.router.background import BackgroundTasks
from trio_sio.router.handlers import CATCH_ALL, NEW_NAMESPACE, Handler, Registration
from trio_sio.router.inbox import Inbox
from trio_sio.router.invocation import (
    FAILED,
    PACKET_MIDDLEWARE,
    WATCHER,
    Invoker,
    Role,
    client_error,
    function_name,
    handles,
)
from trio_sio.statistics import DURATIONS

_NOT_OF_CLIENTS = frozenset({"connection", CATCH_ALL, NEW_NAMESPACE})
"""Events of a namespace whose handlers are for sockets, namespaces, or for other events."""


def _answer_nobody(*_: object) -> None:
    """What a handler with `ack` is given when the client has not asked for an answer."""


class Dispatcher:
    """Handles the events of one socket, one after the other.

    Each begins when the socket has its turn among the client's, and passes that on as soon as
    the application's first function has begun.

    Args:
        invoker: calls the application's functions.
        inbox: the socket's place in the order of the client's events.
        background: where concurrent handlers run.
        log: of the client's events, `None` if nobody wants one.

    Attributes:
        middleware: functions that see each event first.
    """

    __slots__ = ("_background", "_inbox", "_invoker", "_log", "_namespace", "middleware")

    def __init__(
        self, invoker: Invoker, inbox: Inbox, background: BackgroundTasks, log: EventLog | None
    ) -> None:
        self._invoker = invoker
        self._namespace = invoker.sender.namespace
        self._inbox = inbox
        self._background = background
        self._log = log
        self.middleware: tuple[Handler, ...] = ()

    def use(self, function: Handler) -> None:
        """Add packet middleware."""
        self.middleware += (function,)

    def handle(self, packet: Packet) -> Coroutine[Any, Any, None]:
        """Handle an EVENT, or an ERROR that the client reports; to be awaited at once."""
        if packet.type is PacketType.ERROR:
            self._pass_on()
            return self._invoker.report(client_error(packet.data))
        if self._namespace.watch.incoming:
            return self._handle_watched(packet)
        if self.middleware:
            return self._handle_through_middleware(packet)
        return self._handle(packet)

    def _pass_on(self) -> None:
        """Let the client's next event begin; nothing happens if that has been done."""
        inbox = self._inbox
        inbox.order.pass_on(inbox)

    # -- handlers --------------------------------------------------------------------------

    def _handle(self, packet: Packet) -> Coroutine[Any, Any, None]:
        """Run the handlers; with one, as nearly always, without a coroutine around it."""
        invoker = self._invoker
        event = packet.event
        common = () if event in _NOT_OF_CLIENTS else self._namespace.take_handlers(event)
        own = () if event == CATCH_ALL else invoker.handlers.take(event)
        if not (common or own):
            return self._handle_unheard(packet)
        if self._log is not None:
            self._write(self._log, event, len(packet.args), (*common, *own))
        ack = None if packet.id is None else self._acknowledgement(packet.id, common, own)
        if common and not (own or common[1:] or common[0].concurrent):
            inbox = self._inbox
            inbox.order.pass_on(inbox)
            run = self._run_with_ack if common[0].ack else self._call
            return run(common[0], (invoker.subject, *packet.args), ack)
        return self._run_all(self._calls(common, own, packet.args), ack)

    def _handle_unheard(self, packet: Packet) -> Coroutine[Any, Any, None]:
        """Run the handlers of "*" for an event that has none of its own."""
        common = self._namespace.take_handlers(CATCH_ALL)
        own = self._invoker.handlers.take(CATCH_ALL)
        event = packet.event
        if self._log is not None:
            self._write(self._log, event, len(packet.args), (*common, *own))
        ack = None if packet.id is None else self._acknowledgement(packet.id, common, own)
        return self._run_all(self._calls(common, own, [event, *packet.args]), ack)

    def _calls(
        self, common: Sequence[Registration], own: Sequence[Registration], args: Sequence[object]
    ) -> list[tuple[Registration, tuple[object, ...]]]:
        calls = [(one, (self._invoker.subject, *args)) for one in common]
        return [*calls, *((one, (*args,)) for one in own)]

    def _acknowledgement(
        self, ack_id: int, common: Sequence[Registration], own: Sequence[Registration]
    ) -> Acknowledgement:
        session, handlers = self._invoker.sender.session, len(common) + len(own)
        return Acknowledgement(self._namespace, session, ack_id, handlers, self._log)

    def _write(
        self, log: EventLog, event: str, arguments: int, handlers: Sequence[Registration]
    ) -> None:
        names = [function_name(one.function) for one in handlers]
        others = {*self._namespace.heard_events(), *self._invoker.handlers.names()} - {BACKLOG}
        log.event(self._namespace.name, event, arguments, names, others)

    async def _run_all(
        self,
        calls: Sequence[tuple[Registration, tuple[object, ...]]],
        ack: Acknowledgement | None,
    ) -> None:
        try:
            for registration, args in calls:
                if registration.concurrent:
                    await self._run_beside(registration, args, ack)
                else:
                    self._pass_on()
                    await self._run(registration, args, ack)
        finally:
            self._pass_on()

    async def _run_beside(
        self, registration: Registration, args: tuple[object, ...], ack: Acknowledgement | None
    ) -> None:
        """Begin a concurrent handler, when there is room for it."""
        background = self._background
        if background.is_full:
            self._pass_on()
            await background.wait_room()
        await self._inbox.wait_turn()
        await background.begin_handler(
            self._run, registration, args, ack, name=registration.function
        )

    def _run(
        self, registration: Registration, args: tuple[object, ...], ack: Acknowledgement | None
    ) -> Coroutine[Any, Any, None]:
        """Run one handler; to be awaited."""
        if registration.ack:
            return self._run_with_ack(registration, args, ack)
        return self._call(registration, args, ack)

    async def _run_with_ack(
        self, registration: Registration, args: tuple[object, ...], ack: Acknowledgement | None
    ) -> None:
        """Run a handler that answers by its last argument."""
        if ack is None:
            await self._call(registration, (*args, _answer_nobody), None)
            return
        ack.begin()
        try:
            await self._call(registration, (*args, ack.send), ack)
        finally:
            ack.end()

    async def _call(
        self, registration: Registration, args: tuple[object, ...], ack: Acknowledgement | None
    ) -> None:
        # Each layer of coroutines between a task and the application's costs 0.3 µs for each
        # event, so this does not go through `Invoker.guard`.
        counters = self._namespace.counters
        begun = perf_counter()
        function = registration.function
        try:
            try:
                if registration.check is not None:
                    args = registration.check.convert(args)
                result = self._invoker.begin(function, args)
                if type(result) is CoroutineType or isawaitable(result):
                    result = await result
            finally:
                seconds = perf_counter() - begun
                counters.durations[bisect_left(DURATIONS, seconds)] += 1
                counters.call_seconds += seconds
        except failures() as error:
            await self._settle(error, registration, args)
        else:
            if ack is not None and not registration.ack:
                await self._acknowledge(ack, result, registration)
        if ack is not None and ack.waiter is not None:
            await ack.wait_sent()

    async def _settle(
        self, error: BaseException, registration: Registration, args: tuple[object, ...]
    ) -> None:
        invoker, function, event = self._invoker, registration.function, registration.event
        if isinstance(error, ArgumentRefused):
            name, shown = function_name(function), quoted(event)
            text = f"refused {shown}, and did not call {name}: {error.loggable}"
            invoker.send_error(error.answer)
            await invoker.report(WrongArguments(text), name)
            return
        lead = int(bool(args) and args[0] is invoker.subject)
        role = handles(event)
        if event == CATCH_ALL:
            event, lead = str(args[lead]), lead + 1
            role = Role(f"{handles(event)} as {quoted(CATCH_ALL)}", event)
        wrong = wrong_arguments(error, function, event, args, lead=lead, ack=registration.ack)
        if wrong is not None:
            await invoker.report(wrong, function_name(function))
            return
        refused = await invoker.settle(error, function, role)
        if refused is not None:
            invoker.send_error(refused.answer)

    async def _acknowledge(
        self, ack: Acknowledgement, result: object, registration: Registration
    ) -> None:
        try:
            ack.offer(result)
        except failures() as error:  # a result that cannot be sent
            await self._report_unsendable(error, registration)

    async def _report_unsendable(self, error: BaseException, registration: Registration) -> None:
        function, event = registration.function, registration.event
        if not isinstance(error, LocalProtocolError):
            await self._invoker.settle(error, function, handles(event))
            return
        returned = f"what {function_name(function)} returned for {quoted(event)}"
        try:
            raise LocalProtocolError(f"{returned} {error}") from error.__cause__
        except LocalProtocolError as unsendable:
            await self._invoker.report(unsendable)

    # -- handlers of every event -----------------------------------------------------------

    async def _handle_watched(self, packet: Packet) -> None:
        """Let those see an event who see every one, and handle it."""
        is_seen = False
        try:
            await self._show(packet)
            is_seen = True
        finally:
            if not is_seen:
                self._pass_on()
        if self.middleware:
            await self._handle_through_middleware(packet)
        else:
            await self._handle(packet)

    async def _show(self, packet: Packet) -> None:
        invoker, args = self._invoker, (packet.event, *packet.args)
        common = [(one, (invoker.subject, *args)) for one in self._namespace.incoming_watchers()]
        for function, given in [*common, *((one, args) for one in invoker.handlers.incoming)]:
            try:
                await invoker.guard(self._call_watcher(function, given), function, WATCHER)
            except Refused as refused:
                invoker.send_error(refused.answer)

    async def _call_watcher(self, function: Handler, args: tuple[object, ...]) -> None:
        try:
            await self._call_before(function, args)
        except TypeError as error:  # clients choose how many arguments there are
            lead = 1 + int(args[0] is self._invoker.subject)
            event = str(args[lead - 1])
            wrong = wrong_arguments(error, function, event, args, lead=lead, ack=False, frames=3)
            if wrong is None:
                raise
            raise wrong from None

    # -- middleware ------------------------------------------------------------------------

    async def _handle_through_middleware(self, packet: Packet) -> None:
        changed = None
        try:
            changed = await self._pass_middleware(packet)
        finally:
            if changed is None:
                self._pass_on()
        if changed is not None:
            await self._handle(changed)

    async def _pass_middleware(self, packet: Packet) -> Packet | None:
        """Run the packet middleware; return the event to handle, `None` if there is none."""
        invoker = self._invoker
        for function in self.middleware:
            try:
                result = await invoker.guard(
                    self._call_before(function, (packet,)), function, PACKET_MIDDLEWARE
                )
            except Refused as refused:
                invoker.send_error(refused.answer)
                return None
            if result is FAILED:
                return None
            problem = "" if result is None else _problem_of(result)
            if problem:
                self._pass_on()
                text = f"{function_name(function)}, {PACKET_MIDDLEWARE}, returned {problem}"
                await invoker.report(TypeError(text))
                return None
            if isinstance(result, Packet):
                packet = result
        return packet

    async def _call_before(self, function: Handler, args: tuple[object, ...]) -> object:
        """Call what comes before handlers; if it waits or fails, the client's others can begin."""
        has_passed = False
        try:
            result = self._invoker.begin(function, args)
            if not isawaitable(result):
                has_passed = True
                return result
        finally:
            if not has_passed:
                self._pass_on()
        return await result


def _problem_of(result: object) -> str:
    """Return what is wrong with what packet middleware returned, `""` if nothing is."""
    if not isinstance(result, Packet):
        return f"{type_name(result)}, not a Packet or None"
    if result.type not in (PacketType.EVENT, PacketType.BINARY_EVENT):
        return f"the Packet of {result.type.name}, not of an event"
    if not isinstance(result.data, list) or not result.data:
        wanted = "a list, the event's name and its arguments"
        return f"a Packet with {type_name(result.data)} as data, which must be {wanted}"
    return ""
