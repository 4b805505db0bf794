"""What a client sends: packet middleware, then the handlers, then the answer."""

from collections.abc import Coroutine, Sequence
from inspect import isawaitable
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from trio_sio.exceptions import LocalProtocolError, Refused
from trio_sio.failures import failures
from trio_sio.logs.events import EventLog
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.protocol.socketio.unsendable import type_name
from trio_sio.router.answer import Answer
from trio_sio.router.calls import FAILED, client_error
from trio_sio.router.causes import PACKET_MIDDLEWARE, function_name, handles, returned
from trio_sio.router.concurrency import Concurrency
from trio_sio.router.handlers import Handler, Registration

if TYPE_CHECKING:
    from trio_sio.router.socket import Socket


def _answer_nobody(*_: object) -> None:
    """What a handler with `ack` is given when the client has not asked for an answer."""


class Events:
    """Handles the events of one socket, one after the other.

    Each begins when the socket has its turn among the client's, and passes that on as soon as
    the application's first function has begun.

    Args:
        socket: the socket.
        max_concurrent: handlers that may run beside the others.

    Attributes:
        middleware: functions that see each event first.
        beside: the handlers and callbacks that run beside the others.
        latest: which of the application's functions was called last.
    """

    __slots__ = ("_socket", "beside", "latest", "middleware")

    def __init__(self, socket: "Socket", max_concurrent: int) -> None:
        self._socket = socket
        self.middleware: tuple[Handler, ...] = ()
        self.beside = Concurrency(max_concurrent)
        self.latest: Handler | None = None

    def handle(self, packet: Packet) -> Coroutine[Any, Any, None]:
        """Handle an EVENT, or an ERROR that the client reports; to be awaited at once."""
        socket = self._socket
        if packet.type is PacketType.ERROR:
            self._pass_on()
            return socket.calls.report(client_error(packet.data))
        if self.middleware:
            return self._handle_changed(packet)
        return self._handle(packet)

    def _pass_on(self) -> None:
        """Let the client's next event begin; nothing happens if that has been done."""
        inbox = self._socket.inbox
        inbox.order.pass_on(inbox)

    async def _handle_changed(self, packet: Packet) -> None:
        changed = None
        try:
            changed = await self._pass_middleware(packet)
        finally:
            if changed is None:
                self._pass_on()
        if changed is not None:
            await self._handle(changed)

    def _handle(self, packet: Packet) -> Coroutine[Any, Any, None]:
        """Run the handlers; with one, as nearly always, without a coroutine around it."""
        socket = self._socket
        event = packet.event
        # A namespace's "connection" handlers are for sockets, not for a client's event.
        common = () if event == "connection" else socket.namespace.take_handlers(event)
        own = socket.handlers.take(event)
        if socket.client.log is not None:
            self._write(socket.client.log, event, len(packet.args), (*common, *own))
        answer = None
        if packet.id is not None:
            handlers, log = len(common) + len(own), socket.client.log
            answer = Answer(socket.namespace, socket.session, packet.id, handlers, log)
        if common and not (own or common[1:] or common[0].concurrent):
            inbox = socket.inbox
            inbox.order.pass_on(inbox)
            return self._run(event, common[0], (socket, *packet.args), answer)
        return self._run_all(event, common, own, packet.args, answer)

    def _write(
        self, log: EventLog, event: str, arguments: int, handlers: Sequence[Registration]
    ) -> None:
        socket = self._socket
        names = [function_name(one.function) for one in handlers]
        namespace = socket.namespace
        others = {*namespace.heard_events(), *socket.event_names()}
        log.event(namespace.name, event, arguments, names, others)

    async def _run_all(
        self,
        event: str,
        common: Sequence[Registration],
        own: Sequence[Registration],
        args: Sequence[object],
        answer: Answer | None,
    ) -> None:
        socket = self._socket
        calls = [(registration, (socket, *args)) for registration in common]
        calls += [(registration, (*args,)) for registration in own]
        try:
            for registration, its_args in calls:
                if registration.concurrent:
                    await self._run_beside(event, registration, its_args, answer)
                else:
                    self._pass_on()
                    await self._run(event, registration, its_args, answer)
        finally:
            self._pass_on()

    async def _run_beside(
        self,
        event: str,
        registration: Registration,
        args: tuple[object, ...],
        answer: Answer | None,
    ) -> None:
        """Begin a concurrent handler, when there is room for it."""
        socket, beside = self._socket, self.beside
        if beside.is_full:
            self._pass_on()
            await beside.wait_room()
        await socket.inbox.wait_turn()
        run, name = self._run, registration.function
        await beside.begin_handler(
            socket.nursery, run, event, registration, args, answer, name=name
        )

    async def _pass_middleware(self, packet: Packet) -> Packet | None:
        """Run the packet middleware; return the event to handle, `None` if there is none."""
        calls = self._socket.calls
        for function in self.middleware:
            self.latest = function
            try:
                result = await calls.guarded(
                    self._call(function, packet), function, PACKET_MIDDLEWARE
                )
            except Refused as refused:
                self._socket.send_error(refused.answer)
                return None
            if result is FAILED:
                return None
            problem = "" if result is None else _problem_of(result)
            if problem:
                text = f"{function_name(function)}, {PACKET_MIDDLEWARE}, returned {problem}"
                await calls.report(TypeError(text))
                return None
            if isinstance(result, Packet):
                packet = result
        return packet

    async def _call(self, function: Handler, packet: Packet) -> object:
        """Call middleware; one that may wait lets the client's other sockets begin."""
        result = function(packet)
        if isawaitable(result):
            self._pass_on()
            return await result
        return result

    def _run(
        self,
        event: str,
        registration: Registration,
        args: tuple[object, ...],
        answer: Answer | None,
    ) -> Coroutine[Any, Any, None]:
        """Run one handler; to be awaited."""
        if registration.ack:
            return self._run_with_ack(event, registration, args, answer)
        return self._call_handler(event, registration, args, answer)

    async def _run_with_ack(
        self,
        event: str,
        registration: Registration,
        args: tuple[object, ...],
        answer: Answer | None,
    ) -> None:
        """Run a handler that answers by its last argument."""
        if answer is None:
            await self._call_handler(event, registration, (*args, _answer_nobody), None)
            return
        answer.begin()
        try:
            await self._call_handler(event, registration, (*args, answer.send), answer)
        finally:
            answer.end()

    async def _call_handler(
        self,
        event: str,
        registration: Registration,
        args: tuple[object, ...],
        answer: Answer | None,
    ) -> None:
        # Each layer of coroutines between a task and the application's costs 0.3 µs for each
        # event, so this does not go through `Calls.guarded`.
        socket = self._socket
        counters = socket.namespace.counters
        begun = counters.turn
        self.latest = registration.function
        try:
            try:
                result = registration.function(*args)
                if type(result) is CoroutineType or isawaitable(result):
                    result = await result
            finally:
                counters.calls += 1
                counters.call_seconds += counters.turn - begun
        except failures() as error:
            refused = await socket.calls.settle(error, registration.function, handles(event))
            if refused is not None:
                socket.send_error(refused.answer)
        else:
            if answer is not None and not registration.ack:
                await self._offer(answer, result, registration.function, event)
        if answer is not None and answer.waiter is not None:
            await answer.wait_sent()

    async def _offer(self, answer: Answer, result: object, function: Handler, event: str) -> None:
        try:
            answer.offer(result)
        except failures() as error:  # a result that cannot be sent
            await self._tell_unsendable(error, function, event)

    async def _tell_unsendable(self, error: BaseException, function: Handler, event: str) -> None:
        calls = self._socket.calls
        if isinstance(error, LocalProtocolError):
            await calls.report(LocalProtocolError(f"{returned(function, event)} {error}"))
        else:
            await calls.settle(error, function, handles(event))


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
