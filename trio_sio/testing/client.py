"""A client in memory, for testing applications: no port, no thread, no waiting.

It speaks packets, so that everything of the server but bytes takes part: heartbeat, outbox,
middleware, handlers, rooms. With pytest-trio's `autojump_clock` a minute of silence costs no
time; the client keeps itself alive by pings meanwhile, unless told not to.
"""

import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast, overload
from urllib.parse import urlencode

import trio

from trio_sio.declared_event import Arguments, Event
from trio_sio.engine.session.session import Session
from trio_sio.exceptions import ConnectionRefused, Disconnected, Refused
from trio_sio.http import Headers, Request
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.server import Server
from trio_sio.testing.limit import WAIT, within
from trio_sio.testing.transport import MemoryTransport

if TYPE_CHECKING:
    from trio_sio.protocol.socketio.packet import JSON

CALL_TIMEOUT = 30.0
SHOWN = 3
"""Packets that a client names when what it waits for does not come."""

_PING = EnginePacket(EnginePacketType.PING)
_counter = itertools.count()


class MemoryClient:
    """One client in one namespace; `connect` makes it.

    Attributes:
        session: the server's end, `session.id` among it.
        namespace: where the client is.
    """

    def __init__(
        self, server: Server, session: Session, transport: MemoryTransport, namespace: str
    ) -> None:
        self.session = session
        self.namespace = namespace
        self._transport = transport
        self._encoder = server.router.encoder
        self._decoder = server.router.make_decoder()
        self._ack_ids = itertools.count()
        self._answers: dict[int, trio.MemorySendChannel[list[Any]]] = {}
        self._put, self._events = trio.open_memory_channel[tuple[Packet, int]](float("inf"))
        self._parts = 0  # of the packet that is incomplete
        self._last: deque[Packet] = deque(maxlen=SHOWN)
        self._joined = trio.Event()
        self._is_in = False
        self._refused: Packet | None = None

    @property
    def id(self) -> str:
        """The id of the server's socket."""
        sid = self.session.id
        return sid if self.namespace == "/" else f"{self.namespace}#{sid}"

    @overload
    async def emit(self, event: Event[Any, *Arguments], *args: *Arguments) -> None: ...
    @overload
    async def emit(self, event: str, *args: object) -> None: ...
    async def emit(self, event: Any, *args: object) -> None:
        """Send an event.

        Raises:
            Disconnected: the session has ended.
        """
        data = cast("JSON", [event, *args])
        await self.send_packet(Packet(PacketType.EVENT, self.namespace, data))

    async def send(self, *args: object) -> None:
        """Send the event "message"."""
        await self.emit("message", *args)

    @overload
    async def call(
        self,
        event: Event[Any, *Arguments],
        *args: *Arguments,
        timeout: float = ...,  # noqa: ASYNC109 - an answer is always bounded
    ) -> list[Any]: ...
    @overload
    async def call(
        self,
        event: str,
        *args: object,
        timeout: float = ...,  # noqa: ASYNC109 - as above
    ) -> list[Any]: ...
    async def call(
        self,
        event: Any,
        *args: object,
        timeout: float = CALL_TIMEOUT,  # noqa: ASYNC109 - as above
    ) -> list[Any]:
        """Send an event and return the arguments of the server's acknowledgement.

        Raises:
            trio.TooSlowError: none came within `timeout` seconds.
            Disconnected: the session ended.
        """
        ack_id = next(self._ack_ids)
        put, get = trio.open_memory_channel[list[Any]](1)
        self._answers[ack_id] = put
        try:
            with within(timeout, f"an acknowledgement of {event!r}", self._came):
                data = cast("JSON", [event, *args])
                await self.send_packet(Packet(PacketType.EVENT, self.namespace, data, ack_id))
                return await get.receive()
        except trio.EndOfChannel:
            raise Disconnected(self.session.reason) from None
        finally:
            self._answers.pop(ack_id, None)

    async def receive(self, *, timeout: float = WAIT) -> list[Any]:  # noqa: ASYNC109 - as above
        """Return the next event: its name and its arguments.

        Args:
            timeout: seconds to wait, by Trio's clock.

        Raises:
            trio.TooSlowError: none came; says what has come before.
            Refused: the server sent an ERROR packet instead.
            Disconnected: the server ended it, and nothing is left to receive.
        """
        packet = await self.receive_packet(timeout=timeout)
        if packet.type is PacketType.ERROR:
            raise _refusal(Refused, packet)
        return [packet.event, *packet.args]

    async def receive_packet(self, *, timeout: float = WAIT) -> Packet:  # noqa: ASYNC109
        """Return the next event or error as a packet; one with an `id` waits for `answer`.

        Args:
            timeout: seconds to wait, by Trio's clock.

        Raises:
            trio.TooSlowError, Disconnected: as `receive`.
        """
        try:
            with within(timeout, f"an event in {self.namespace!r}", self._came):
                packet, parts = await self._events.receive()
        except trio.EndOfChannel:
            raise Disconnected(self.session.reason) from None
        self._transport.client_took(parts)
        return packet

    async def answer(self, packet: Packet, *args: object) -> None:
        """Acknowledge an event that the server sent with `call`."""
        data = cast("JSON", list(args))
        await self.send_packet(Packet(PacketType.ACK, self.namespace, data, packet.id))

    async def leave(self) -> None:
        """Leave the namespace (JS: `socket.disconnect()`); what comes later is not received."""
        await self.send_packet(Packet(PacketType.DISCONNECT, self.namespace))
        self._put.close()

    async def send_packet(self, packet: Packet) -> None:
        """Send any packet."""
        for message in self._encoder.encode(packet):
            await self.send_engine_packet(EnginePacket(EnginePacketType.MESSAGE, message))

    async def send_engine_packet(self, packet: EnginePacket) -> None:
        """Send any Engine.IO packet."""
        try:
            with within(WAIT, f"the server to take {packet.data!r}"[:200], self._came):
                await self._transport.client_send(packet)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise Disconnected(self.session.reason) from None

    # -- tasks, for `connect` ----------------------------------------------------------------

    async def read(self) -> None:
        """Sort what the server sends, until the session ends."""
        async with self._put:
            try:
                while True:
                    self._take(await self._transport.client_receive())
            except trio.EndOfChannel:
                pass
            finally:
                self._joined.set()
                for answer in self._answers.values():
                    answer.close()

    def _came(self) -> str:
        """Say which packets came last, for the error when another one does not come."""
        if not self._last:
            return "nothing came"
        return f"what came last: {', '.join(repr(one)[:200] for one in self._last)}"

    def _take(self, part: str | bytes) -> None:
        if isinstance(part, str) and part[0] != "4":
            self._transport.client_took(1)
            return  # OPEN, PONG, NOOP, CLOSE
        self._parts += 1
        packet = self._decoder.feed(part[1:] if isinstance(part, str) else part)
        if packet is not None:
            self._last.append(packet)
            parts, self._parts = self._parts, 0
            if not self._sort(packet, parts):
                self._transport.client_took(parts)

    def _sort(self, packet: Packet, parts: int) -> bool:
        """Put a packet where it belongs; return whether it waits for `receive`."""
        if packet.namespace != self.namespace:
            return False
        if packet.type is PacketType.CONNECT:
            self._is_in = True
            self._joined.set()
        elif packet.type is PacketType.ERROR and not self._joined.is_set():
            self._refused = packet
            self._joined.set()
        elif packet.type is PacketType.DISCONNECT:
            self._put.close()
            self._joined.set()  # it may be refused before it has joined
        elif packet.type in (PacketType.ACK, PacketType.BINARY_ACK):
            if packet.id in self._answers:
                self._answers[packet.id].send_nowait(packet.args)
        else:
            # The JavaScript client ignores what follows a DISCONNECT, too.
            with contextlib.suppress(trio.ClosedResourceError):
                self._put.send_nowait((packet, parts))
                return True
        return False

    async def beat(self, interval: float) -> None:
        """Ping, as the protocol asks of a client."""
        while True:
            await trio.sleep(interval)
            try:
                await self.send_engine_packet(_PING)
            except Disconnected:
                return

    async def join(self, query: str) -> None:
        """Join the namespace.

        Raises:
            ConnectionRefused: middleware said no, or there is no such namespace.
            Disconnected: the session ended.
        """
        if self.namespace != "/":
            name = f"{self.namespace}?{query}" if query else self.namespace
            await self.send_packet(Packet(PacketType.CONNECT, name))
        with within(WAIT, f"an answer to joining {self.namespace!r}", self._came):
            await self._joined.wait()
        if self._refused is not None:
            raise _refusal(ConnectionRefused, self._refused)
        if not self._is_in:  # it may have joined and been disconnected by now
            raise Disconnected(self.session.reason)


def _refusal(kind: type[Refused], packet: Packet) -> Refused:
    data = packet.data
    return kind(data) if isinstance(data, str) else kind(str(data), data)


@asynccontextmanager
async def connect(
    io: Server,
    namespace: str = "/",
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    heartbeat: bool = True,
    raise_errors: bool = True,
    buffer: int = 1000,
) -> AsyncIterator[MemoryClient]:
    """Connect a client in memory to a server; leave it to disconnect.

    Args:
        io: the server; opened for as long as the client is here, if it is not open yet.
        namespace: which namespace to join.
        query: the query, of the request or, in a namespace other than "/", of the join.
        headers: header fields of the handshake request.
        heartbeat: send the pings that keep the session alive.
        raise_errors: let errors of the application's handlers come out of this `async with`.
        buffer: how much the client has room for while it does not call `receive`.

    Raises:
        ConnectionRefused: the client was not let in.
    """
    refused: ConnectionRefused | Disconnected | None = None
    async with AsyncExitStack() as stack:
        if not io.engine.serving:
            await stack.enter_async_context(io)
        transport, request = MemoryTransport(buffer), _request(io, query or {}, headers or {})
        nursery = await stack.enter_async_context(trio.open_nursery())
        sid = f"memory-{next(_counter)}"
        serve = partial(io.engine.open_session, raise_errors=raise_errors)
        session = await nursery.start(serve, sid, request, transport, io.serve_session)
        full = namespace if namespace.startswith("/") else "/" + namespace
        client = MemoryClient(io, session, transport, full)
        nursery.start_soon(client.read)
        if heartbeat:
            nursery.start_soon(client.beat, io.engine.options.ping_interval)
        try:
            try:
                await client.join(urlencode(query or {}))
            except (ConnectionRefused, Disconnected) as error:
                refused = error
            else:
                yield client
        finally:
            client._transport.client_close()
        await client.session.wait_application_done()
        nursery.cancel_scope.cancel()
    if refused is not None:  # raised out here, where no nursery makes a group of it
        raise refused


def _request(io: Server, query: Mapping[str, str], headers: Mapping[str, str]) -> Request:
    """Return what a client's handshake request would be."""
    target = f"{io.path}/?" + urlencode({**query, "EIO": "3", "transport": "memory"})
    return Request("GET", target, Headers(headers.items()), remote="127.0.0.1")
