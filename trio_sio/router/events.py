"""What a client sends: packet middleware, then the handlers, then the answer."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from inspect import isawaitable
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING, Any

import trio

from trio_sio.exceptions import Disconnected, LocalProtocolError, Refused
from trio_sio.logs.events import EventLog
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.protocol.socketio.unsendable import type_name
from trio_sio.router.broadcast import NO_FLAGS
from trio_sio.router.calls import FAILED, client_error
from trio_sio.router.causes import PACKET_MIDDLEWARE, function_name, handles, returned
from trio_sio.router.handlers import Handler, Registration, as_arguments, call

if TYPE_CHECKING:
    from trio_sio.router.socket import Socket


class Events:
    """Handles the events of one socket, one after the other.

    Args:
        socket: the socket.

    Attributes:
        middleware: functions that see each event first.
        running: how many handlers and callbacks run beside the others.
        latest: which of the application's functions was called last.
    """

    __slots__ = ("_done", "_socket", "latest", "middleware", "running")

    def __init__(self, socket: "Socket") -> None:
        self._socket = socket
        self.middleware: tuple[Handler, ...] = ()
        self.running = 0
        self.latest: Handler | None = None
        self._done: trio.Event | None = None

    def handle(self, packet: Packet) -> Coroutine[Any, Any, None]:
        """Handle an EVENT, or an ERROR that the client reports; to be awaited."""
        if packet.type is PacketType.ERROR:
            return self._socket.calls.report(client_error(packet.data))
        if self.middleware:
            return self._handle_changed(packet)
        return self._handle(packet)

    async def _handle_changed(self, packet: Packet) -> None:
        changed = await self._pass_middleware(packet)
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
        answer = Answer(socket, event, packet.id, len(common) + len(own))
        if len(common) == 1 and not own and not common[0].concurrent:
            return self._run(common[0], (socket, *packet.args), answer)
        return self._run_all(common, own, packet.args, answer)

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
        common: Sequence[Registration],
        own: Sequence[Registration],
        args: Sequence[object],
        answer: "Answer",
    ) -> None:
        socket = self._socket
        for registration in common:
            if registration.concurrent:
                self._start(registration, (socket, *args), answer)
            else:
                await self._run(registration, (socket, *args), answer)
        for registration in own:
            if registration.concurrent:
                self._start(registration, (*args,), answer)
            else:
                await self._run(registration, (*args,), answer)

    def _start(
        self, registration: Registration, args: tuple[object, ...], answer: "Answer"
    ) -> None:
        self.start(self._run, registration, args, answer, name=registration.function)

    def start(
        self, function: Callable[..., Awaitable[object]], *args: object, name: Handler
    ) -> None:
        """Run something beside the handlers, in the socket's nursery; `name` names the task."""
        self.running += 1
        self._socket.nursery.start_soon(self._run_beside, function, args, name=name)

    async def _run_beside(
        self, function: Callable[..., Awaitable[object]], args: tuple[object, ...]
    ) -> None:
        try:
            await function(*args)
        finally:
            self.running -= 1
            if not self.running and self._done is not None:
                self._done.set()
                self._done = None

    async def wait_done(self) -> None:
        """Return when no handler runs beside the others, or did not a moment ago."""
        if not self.running:
            await trio.lowlevel.checkpoint()
            return
        if self._done is None:
            self._done = trio.Event()
        await self._done.wait()

    async def _pass_middleware(self, packet: Packet) -> Packet | None:
        """Run the packet middleware; return the event to handle, `None` if there is none."""
        calls = self._socket.calls
        for function in self.middleware:
            self.latest = function
            try:
                result = await calls.guarded(call(function, packet), function, PACKET_MIDDLEWARE)
            except Refused as refused:
                self._socket.send_error(refused.answer)
                return None
            if isinstance(result, Packet):
                packet = result
            elif result is not None:
                if result is not FAILED:
                    text = f"{function_name(function)}, {PACKET_MIDDLEWARE}, returned"
                    text += f" {type_name(result)}, not a Packet or None"
                    await calls.report(TypeError(text))
                return None
        return packet

    async def _run(
        self, registration: Registration, args: tuple[object, ...], answer: "Answer"
    ) -> None:
        # Each layer of coroutines between a task and the application's costs 0.3 µs for each
        # event, so this does not go through `Calls.guarded`.
        socket = self._socket
        self.latest = registration.function
        if registration.ack:
            args = (*args, answer.send)
        begun = perf_counter()
        try:
            result = registration.function(*args)
            if type(result) is CoroutineType or isawaitable(result):
                result = await result
        except Refused as refused:
            socket.send_error(refused.answer)
            return
        except Exception as error:
            await socket.calls.failed(error, registration.function, handles(answer.event))
            return
        finally:
            counters = socket.client.router.counters
            counters.calls += 1
            counters.call_seconds += perf_counter() - begun
        if registration.ack:
            return
        try:
            answer.offer(result)
        except LocalProtocolError as error:
            text = f"{returned(registration.function, answer.event)} {error}"
            await socket.calls.report(LocalProtocolError(text))


class Answer:
    """The one acknowledgement of one event, whoever of its handlers gives it.

    Handlers that return give theirs to `offer`: the first that is not `None` is sent, and an
    empty one when all have returned `None`.

    Attributes:
        event: the event's name.
    """

    __slots__ = ("_id", "_left", "_socket", "event")

    def __init__(self, socket: "Socket", event: str, ack_id: int | None, handlers: int) -> None:
        self._socket = socket
        self.event = event
        self._id = ack_id
        self._left = handlers

    def offer(self, result: object) -> None:
        """Take what a handler returned."""
        if self._id is None:
            return
        self._left -= 1
        if result is not None or self._left == 0:
            self.send(*as_arguments(result))

    def send(self, *args: object) -> None:
        """Send the answer; only the first counts (JS: the last argument of a listener).

        Raises:
            LocalProtocolError: the arguments cannot be sent.
        """
        if self._id is None:
            return
        socket = self._socket
        packet = Packet(PacketType.ACK, socket.namespace.name, [*args], self._id)  # type: ignore[list-item]  # the encoder judges
        item = socket.namespace.encode(packet, NO_FLAGS)
        if socket.client.log is not None:
            socket.client.log.acknowledged(socket.namespace.name, self._id, by_client=False)
        self._id = None
        try:
            socket.session.send_nowait(item)
        except trio.WouldBlock:
            socket.nursery.start_soon(socket.calls.run, socket.session.send, item)
        except Disconnected:
            pass
