"""A client of the server that is judged: events and packets, by any transport."""

import base64
import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

import trio

from trio_sio.conformance.expectation import Ended, Unexpected, expect, require
from trio_sio.conformance.target import Target
from trio_sio.conformance.transports import PacketText, Polling, Transport, WebSocket
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType

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
_PLAIN = {PacketType.BINARY_EVENT: PacketType.EVENT, PacketType.BINARY_ACK: PacketType.ACK}


class Client:
    """One session.

    Made by `open_client`.

    Attributes:
        transport: what packets go by now.
        opening: what the OPEN packet says.
    """

    def __init__(self, target: Target, transport: Transport, opening: dict[str, Any]) -> None:
        self.transport = transport
        self.opening = opening
        self._target = target
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

    async def send(self, *packets: PacketText) -> None:
        """Send packets of Engine.IO, as they are."""
        async with self._sending:
            await self.transport.send(*packets)

    async def receive(self) -> PacketText:
        """Return the next packet of Engine.IO but PONG and NOOP."""
        while True:
            packet = await self.transport.receive()
            if isinstance(packet, bytes):
                return packet
            if packet[:1] == "b":  # binary, by a transport that has text alone
                return _from_base64(packet)
            if packet[:1] not in ("3", "6"):
                return packet

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
            raise Unexpected(f"the session should have ended, but {packet!r} came")
        raise Unexpected(f"the session should have ended within {limit:g} s")

    async def probe(self) -> WebSocket:
        """Open a WebSocket for this session, and probe it."""
        websocket = await WebSocket.open(self._target, sid=self.sid)
        await websocket.send("2probe")
        expect(await websocket.receive(), "3probe", "the answer to a probe")
        return websocket

    async def upgrade(self) -> None:
        """Go on by WebSocket."""
        polling = self.transport
        websocket = await self.probe()
        async with trio.open_nursery() as nursery:
            released: list[PacketText] = []

            async def poll_until_released() -> None:
                while "6" not in released:
                    released.append(await polling.receive())

            nursery.start_soon(poll_until_released)
        await websocket.send("5")
        early = [packet for packet in released if packet not in ("6", "3")]
        expect(early, [], "packets during the upgrade, of a client that asked for none")
        self.transport = websocket
        await polling.aclose()

    # -- Socket.IO -----------------------------------------------------------------------------

    async def emit(self, event: str, *args: object, namespace: str = "/") -> None:
        """Send an event."""
        await self.send_packet(Packet(PacketType.EVENT, namespace, _json([event, *args])))

    async def call(self, event: str, *args: object, namespace: str = "/") -> list[Any]:
        """Send an event and return the arguments of its acknowledgement, which comes next."""
        self._last_id += 1
        packet = Packet(PacketType.EVENT, namespace, _json([event, *args]), self._last_id)
        await self.send_packet(packet)
        answer = await self.receive_packet()
        expect(
            (answer.type, answer.namespace, answer.id),
            (PacketType.ACK, namespace, self._last_id),
            f"type, namespace and id of the acknowledgement of {event!r}",
        )
        return answer.args

    async def send_packet(self, packet: Packet) -> None:
        """Send any packet of Socket.IO, its attachments in the same request."""
        await self.send(*_as_engine(packet))

    async def receive_packet(self) -> Packet:
        """Return the next packet of Socket.IO, of a plain type if it is binary."""
        while True:
            part = await self.receive()
            if isinstance(part, str):
                require(part[:1] == "4", f"a MESSAGE packet was expected, got {part!r}")
            try:
                packet = self._decoder.feed(part[1:])
            except RemoteProtocolError as error:
                raise Unexpected(f"{part!r} is no packet of Socket.IO: {error}") from error
            if packet is not None:
                kind = _PLAIN.get(packet.type, packet.type)
                return Packet(kind, packet.namespace, packet.data, packet.id)

    async def expect_event(self, *data: object, namespace: str = "/") -> None:
        """Receive the next packet, which must be this event with these arguments."""
        packet = await self.receive_packet()
        expect((packet.type, packet.namespace), (PacketType.EVENT, namespace), "an event")
        expect(packet.data, list(data), "event and arguments")

    async def expect_packet(self, text: str) -> None:
        """Receive the next packet, which must be this one: `40/chat`."""
        packet = await self.receive_packet()
        wanted = Decoder().feed(text[1:])
        expect(packet, wanted, "a packet")

    async def expect_quiet(self) -> None:
        """Check that nothing was sent before the answer to what is asked now."""
        expect(await self.call("ack", "nothing before"), ["nothing before"], "an acknowledgement")

    async def join_namespace(self, namespace: str) -> None:
        """Join a namespace other than "/"."""
        await self.send(f"40{namespace}")
        await self.expect_packet(f"40{namespace.partition('?')[0]}")

    # -- tasks ---------------------------------------------------------------------------------

    async def beat(self) -> None:
        """Ping, as the protocol asks of a client."""
        interval = self.opening["pingInterval"] / 1000
        while True:
            await trio.sleep(interval)
            try:
                await self.send("2")
            except (Ended, trio.BrokenResourceError, trio.ClosedResourceError):
                return


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
    """
    wanted = "&".join(part for part in (_QUERIES[how], query) if part)
    transport: Polling | WebSocket
    if how.startswith("websocket"):
        transport = await WebSocket.open(target, wanted)
    else:
        transport = await Polling.open(target, wanted)
    client: Client | None = None
    try:
        first = await transport.receive()
        client = Client(target, transport, _opening(first))
        if isinstance(transport, Polling):
            transport.sid = client.sid
        await client.expect_packet("40")
        if how == "upgraded":
            await client.upgrade()
        async with trio.open_nursery() as nursery:
            if heartbeat:
                nursery.start_soon(client.beat)
            yield client
            nursery.cancel_scope.cancel()
    finally:
        await _goodbye(client, transport)


async def _goodbye(client: Client | None, transport: Transport) -> None:
    """Close the connections; the session ends by itself."""
    if client is not None:
        transport = client.transport
    await transport.aclose()


def _opening(first: PacketText) -> dict[str, Any]:
    require(
        isinstance(first, str) and first[:1] == "0", f"the first packet must be OPEN, not {first!r}"
    )
    try:
        opening: dict[str, Any] = json.loads(first[1:])
        for name, kind in (("sid", str), ("pingInterval", int), ("pingTimeout", int)):
            require(isinstance(opening[name], kind), f"{name} in OPEN: {opening[name]!r}")
    except (ValueError, TypeError, KeyError) as error:
        raise Unexpected(f"what OPEN says is unreadable: {first!r}: {error}") from error
    return opening


def _from_base64(packet: str) -> bytes:
    try:
        return int(packet[1]).to_bytes() + base64.b64decode(packet[2:], validate=True)
    except (ValueError, IndexError) as error:
        raise Unexpected(f"{packet!r} is no packet in base64: {error}") from error


def _as_engine(packet: Packet) -> list[PacketText]:
    return [f"4{part}" if isinstance(part, str) else b"\x04" + part for part in encode(packet)]


def _json(data: list[object]) -> JSON:
    return cast("JSON", data)
