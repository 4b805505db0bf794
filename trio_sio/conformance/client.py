"""A client of the server that is judged: events and packets, by any transport."""

import base64
import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

import trio

from trio_sio.conformance.expectation import Ended, Unexpected, expect, require, shown
from trio_sio.conformance.target import Target
from trio_sio.conformance.transports import Polling, Transport, WebSocket
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing.wire import PacketText

POLLING = ("polling", "polling-base64", "polling-jsonp")
WEBSOCKETS = ("websocket", "websocket-base64", "upgraded")
TRANSPORTS = POLLING + WEBSOCKETS
"""The names of the ways that a client may talk."""

_QUERIES = {
    "polling": "",
    "polling-base64": "b64=1",
    "polling-jsonp": "j=0&b64=1",  # as JavaScript's client has it
    "websocket": "",
    "websocket-base64": "b64=1",
    "upgraded": "",
}
_QUIET = ("3", "6")
"""PONG and NOOP, which may come at any time."""

_WITH_ATTACHMENTS = ("5", "6")
"""BINARY_EVENT and BINARY_ACK."""

_PLAIN = {PacketType.BINARY_EVENT: PacketType.EVENT, PacketType.BINARY_ACK: PacketType.ACK}


class Client:
    """One session.

    Made by `open_client` and `open_polling`.

    Args:
        target: the server.
        transport: what packets go by at first.

    Attributes:
        transport: what packets go by now.
        opening: what the OPEN packet says.
    """

    def __init__(self, target: Target, transport: Transport) -> None:
        self.transport = transport
        self.opening: dict[str, Any] = {}
        self._target = target
        self._transports = [transport]
        self._decoder = Decoder()
        self._last_id = 0
        self._sending = trio.Lock()  # the heartbeat's task sends, too

    @property
    def sid(self) -> str:
        """The session id."""
        sid: str = self.opening["sid"]
        return sid

    @property
    def silence_limit(self) -> float:
        """Seconds after which a client that says nothing is given up."""
        milliseconds: float = self.opening["pingInterval"] + self.opening["pingTimeout"]
        return milliseconds / 1000

    # -- Engine.IO -----------------------------------------------------------------------------

    async def open(self) -> None:
        """Receive OPEN, and CONNECT for "/".

        Raises:
            Unexpected: the server did not let the client in.
        """
        self.opening = _opening(await self.transport.receive())
        self.transport.begin(self.sid)
        await self.expect_packet("40")

    async def send(self, *packets: PacketText) -> None:
        """Send packets of Engine.IO, as they are.

        Raises:
            Ended: they were refused.
            Unexpected: the server did not take them in time.
        """
        with trio.move_on_after(self._target.patience):
            async with self._sending:
                await self.transport.send(*packets)
            return
        raise Unexpected(f"it did not take {shown(packets)} within {self._target.patience:g} s")

    async def receive(self) -> PacketText:
        """Return the next packet of Engine.IO but PONG and NOOP, binary if it came in base64.

        Raises:
            Ended: the session ended instead.
            Unexpected: nothing came in time.
        """
        with trio.move_on_after(self._target.patience):
            while True:
                packet = await self.transport.receive()
                if isinstance(packet, bytes):
                    return packet
                if packet[:1] == "b":
                    return _from_base64(packet)
                if packet[:1] not in _QUIET:
                    return packet
        raise Unexpected(f"no packet came within {self._target.patience:g} s, but PONG and NOOP")

    async def receive_pong(self) -> PacketText:
        """Return the next packet of Engine.IO but NOOP, which should be a PONG."""
        while (packet := await self.transport.receive()) == "6":
            pass
        return packet

    async def receive_end(
        self, *, behind: Collection[str] = (), seconds: float | None = None
    ) -> str:
        """Wait until the server ends the session, and return how.

        Args:
            behind: packets that may come before.
            seconds: how long to wait, in place of the usual time.

        Raises:
            Unexpected: something else came, or nothing.
        """
        limit = self._target.patience if seconds is None else seconds
        with trio.move_on_after(limit):
            try:
                packet = await self.receive()
                while packet in behind:
                    packet = await self.receive()
            except Ended as end:
                return str(end)
            if packet == "1":
                return "a CLOSE packet came"
            raise Unexpected(f"the session should have ended, but {shown(packet)} came")
        raise Unexpected(f"the session should have ended within {limit:g} s")

    async def probe(self) -> WebSocket:
        """Open a WebSocket for this session, and probe it.

        Raises:
            Ended: it was refused, or closed.
            Unexpected: the answer is no PONG "probe".
        """
        websocket = await WebSocket.open(self._target, sid=self.sid)
        self._transports.append(websocket)
        await websocket.send("2probe")
        expect(await websocket.receive(), "3probe", "the answer to a probe")
        return websocket

    async def move(self, websocket: WebSocket) -> None:
        """Send UPGRADE, and go on by this WebSocket, which was probed."""
        await self.transport.aclose()
        self.transport = websocket
        await websocket.send("5")

    async def upgrade(self) -> None:
        """Probe a WebSocket and go on by it; the server must have nothing else to say.

        Raises:
            Unexpected: other packets came by polling.
        """
        websocket = await self.probe()
        packet: PacketText = ""
        while packet != "6":
            packet = await self.transport.receive()
            require(packet in _QUIET, f"a client that asked for nothing got {shown(packet)}")
        await self.move(websocket)

    # -- Socket.IO -----------------------------------------------------------------------------

    async def emit(self, event: str, *args: object, namespace: str = "/") -> None:
        """Send an event, which asks for no acknowledgement."""
        await self.send_packet(Packet(PacketType.EVENT, namespace, _json([event, *args])))

    async def call(self, event: str, *args: object, namespace: str = "/") -> list[Any]:
        """Send an event and return the arguments of its acknowledgement, which comes next.

        Raises:
            Unexpected: something else came next.
        """
        self._last_id += 1
        packet = Packet(PacketType.EVENT, namespace, _json([event, *args]), self._last_id)
        await self.send_packet(packet)
        answer = await self.receive_packet()
        wanted = Packet(PacketType.ACK, namespace, answer.data, self._last_id)
        expect(answer, wanted, f"the acknowledgement of {event!r}")
        return answer.args

    async def send_packet(self, packet: Packet) -> None:
        """Send any packet of Socket.IO, its attachments in the same request."""
        await self.send(*_as_engine(packet))

    async def receive_packet(self) -> Packet:
        """Return the next packet of Socket.IO, of a plain type if it is binary.

        Raises:
            Ended: the session ended instead.
            Unexpected: nothing came in time, or no packet of Socket.IO.
        """
        while True:
            part = await self.receive()
            if isinstance(part, str):
                require(part[:1] == "4", f"a MESSAGE packet was expected, got {shown(part)}")
            try:
                packet = self._decoder.feed(part[1:])
            except RemoteProtocolError as error:
                raise Unexpected(f"{shown(part)} is no packet of Socket.IO: {error}") from error
            if packet is not None:
                kind = _PLAIN.get(packet.type, packet.type)
                return Packet(kind, packet.namespace, packet.data, packet.id)
            has_begun = isinstance(part, bytes) or part[1:2] in _WITH_ATTACHMENTS
            require(has_begun, f"{shown(part)} is no packet of Socket.IO")

    async def expect_event(self, *data: object, namespace: str = "/") -> None:
        """Receive the next packet, which must be this event with these arguments."""
        wanted = Packet(PacketType.EVENT, namespace, _json(list(data)))
        expect(await self.receive_packet(), wanted, "an event")

    async def expect_packet(self, text: str) -> None:
        """Receive the next packet, which must be this one: `40/chat`."""
        expect(await self.receive_packet(), Decoder().feed(text[1:]), "a packet")

    async def expect_quiet(self) -> None:
        """Check that nothing was sent before the answer to what is asked now."""
        answer = await self.call("ack", "nothing before")
        expect(answer, ["nothing before"], "the arguments of an acknowledgement")

    async def join_namespace(self, namespace: str) -> None:
        """Join a namespace other than "/"."""
        await self.send(f"40{namespace}")
        await self.expect_packet(f"40{namespace.partition('?')[0]}")

    # -- tasks and the end ---------------------------------------------------------------------

    async def beat(self) -> None:
        """Ping until the session ends, twice as often as it has to be: a machine may be busy."""
        interval = self.opening["pingInterval"] / 1000
        while True:
            await trio.sleep(interval / 2)
            try:
                await self.send("2")
            except (Ended, trio.BrokenResourceError, trio.ClosedResourceError):
                return  # the check will notice

    async def aclose(self) -> None:
        """Drop all connections: the session ends by itself."""
        for transport in self._transports:
            await transport.aclose()


@asynccontextmanager
async def open_client(
    target: Target, how: str = "websocket", *, query: str = "", heartbeat: bool = True
) -> AsyncIterator[Client]:
    """Connect a client, which has joined "/".

    Args:
        target: the server.
        how: one of `TRANSPORTS`.
        query: more for the query of the handshake.
        heartbeat: whether to ping.

    Raises:
        Unexpected: the server did not let it in as the protocol has it.
        OSError: the server cannot be reached.
        trio.TooSlowError: it did not answer in time.
    """
    wanted = "&".join(part for part in (_QUERIES[how], query) if part)
    is_websocket = how.startswith("websocket")
    transport = await (WebSocket if is_websocket else Polling).open(target, wanted)
    async with _session(target, transport, heartbeat=heartbeat) as client:
        if how == "upgraded":
            await client.upgrade()
        yield client


@asynccontextmanager
async def open_polling(
    target: Target, how: str = "polling"
) -> AsyncIterator[tuple[Client, Polling]]:
    """Connect a client that polls when it is told to, and does not ping: the two of them.

    Args:
        target: the server.
        how: one of `POLLING`.

    Raises:
        Exception: as `open_client`.
    """
    polling = await Polling.open(target, _QUERIES[how])
    async with _session(target, polling, heartbeat=False) as client:
        yield client, polling


@asynccontextmanager
async def _session(
    target: Target, transport: Transport, *, heartbeat: bool
) -> AsyncIterator[Client]:
    client = Client(target, transport)
    try:
        await client.open()
        async with trio.open_nursery() as nursery:
            if heartbeat:
                nursery.start_soon(client.beat)
            yield client
            nursery.cancel_scope.cancel()
    finally:
        await client.aclose()


def _opening(first: PacketText) -> dict[str, Any]:
    is_open = isinstance(first, str) and first[:1] == "0"
    require(is_open, f"the first packet must be OPEN, not {shown(first)}")
    try:
        opening: dict[str, Any] = json.loads(first[1:])
        for name, kind in (("sid", str), ("pingInterval", int), ("pingTimeout", int)):
            require(isinstance(opening[name], kind), f"{name} in OPEN: {opening[name]!r}")
    except (ValueError, TypeError, KeyError) as error:
        raise Unexpected(f"what OPEN says is unreadable: {shown(first)}: {error}") from error
    return opening


def _from_base64(packet: str) -> bytes:
    try:
        return int(packet[1]).to_bytes() + base64.b64decode(packet[2:], validate=True)
    except (ValueError, IndexError) as error:
        raise Unexpected(f"{shown(packet)} is no packet in base64: {error}") from error


def _as_engine(packet: Packet) -> list[PacketText]:
    return [f"4{part}" if isinstance(part, str) else b"\x04" + part for part in encode(packet)]


def _json(data: list[object]) -> JSON:
    return cast("JSON", data)
