"""A client by bytes, for tests of what goes over the wire; no port, no client library.

    async with open_wire(engine, handler) as wire:
        session = await wire.handshake()
        await session.post("4hello")
        assert await session.poll() == ["4hello"]
        websocket = await session.upgrade()

A packet is written as on a WebSocket: `str` for a text packet, "4hello", and `bytes` for a binary
one. In Engine.IO 3 both have their type in front: b"\\x04\\x00\\x01"; in Engine.IO 4 (`eio=4`) a
binary packet is bare, b"\\x00\\x01". There the server pings, and it is up to the test to answer.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import trio
import trio.testing

from trio_sio.engine.engine import Engine
from trio_sio.engine.session.session import Handler
from trio_sio.failures import ungrouped
from trio_sio.protocol.engineio import codec_v3, codec_v4
from trio_sio.protocol.engineio.packet import (
    EnginePacket,
    decode_binary,
    decode_text,
    encode_binary,
    encode_text,
)
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.server import Server
from trio_sio.testing.clients.symptom import Symptom
from trio_sio.testing.wire_http import WireConnection, WireResponse
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket, open_websocket

StreamPair = tuple[trio.abc.Stream, trio.abc.Stream]
PacketText = str | bytes

TEXT_PAYLOAD = "text/plain;charset=UTF-8"
BINARY_PAYLOAD = "application/octet-stream"

CLOSE_TIME = 5.0
"""Seconds that closing the connections may take at the end, even of a cancelled test."""


class WireClient:
    """A client machine: opens as many connections to one server as a test wants.

    Made by `open_wire`.

    Attributes:
        engine: the engine that is spoken to.
    """

    def __init__(
        self,
        engine: Engine,
        serve: Callable[[trio.abc.Stream], Any],
        nursery: trio.Nursery,
        streams: Callable[[], StreamPair],
    ) -> None:
        self.engine = engine
        self._serve = serve
        self._nursery = nursery
        self._streams = streams
        self._connections: list[WireConnection] = []

    def connect(self) -> WireConnection:
        """Open a connection."""
        ours, theirs = self._streams()
        self._nursery.start_soon(self._serve, theirs)
        connection = WireConnection(ours)
        self._connections.append(connection)
        return connection

    def target(self, transport: str, query: str = "", sid: str = "", *, eio: int = 3) -> str:
        """Return a request-target of the engine, such as `/engine.io/?EIO=3&transport=polling`."""
        path = self.engine.options.path.removesuffix("/")
        parts = [f"{path}/?EIO={eio}&transport={transport}", query, f"sid={sid}" if sid else ""]
        return "&".join(part for part in parts if part)

    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> WireResponse:
        """Send a request on a connection of its own, and close that."""
        connection = self.connect()
        response = await connection.request(method, target, headers, body)
        await connection.aclose()
        return response

    async def handshake(
        self, query: str = "", headers: Mapping[str, str] | None = None, *, eio: int = 3
    ) -> "WireSession":
        """Begin a session by polling.

        Args:
            query: more for the query, such as "b64=1".
            headers: more header fields.
            eio: the revision of Engine.IO, 3 or 4.
        """
        session = WireSession(self, query, headers or {}, eio)
        await session.open()
        return session

    async def websocket(
        self,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        sid: str = "",
        eio: int = 3,
    ) -> WireWebSocket:
        """Open a WebSocket: a new session, or one that `sid` may be upgraded to."""
        target = self.target("websocket", query, sid, eio=eio)
        return await open_websocket(self.connect(), target, headers)

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            await connection.aclose()


class WireSession:
    """A session that polls, over two connections as in a browser: one for GET, one for POST.

    Made by `WireClient.handshake`.

    Attributes:
        sid: the session id.
        eio: the revision of Engine.IO, 3 or 4.
        opening: what the OPEN packet says.
        first: the packets that came along with it.
        response: the answer to the handshake.
        poller: the connection for GET.
        poster: the connection for POST.
    """

    def __init__(
        self, wire: WireClient, query: str, headers: Mapping[str, str], eio: int = 3
    ) -> None:
        self.sid = ""
        self.eio = eio
        self.opening: dict[str, Any] = {}
        self.first: list[PacketText] = []
        self.response: WireResponse
        self.poller = wire.connect()
        self.poster = wire.connect()
        self._wire = wire
        self._query = query
        self._headers = headers

    async def open(self) -> None:
        """Do the handshake."""
        self.response = await self.poll_response()
        opening, *self.first = packets_of(self.response, self.eio)
        assert isinstance(opening, str), repr(opening)
        assert opening.startswith("0"), opening
        self.opening = json.loads(opening[1:])
        self.sid = self.opening["sid"]

    @property
    def target(self) -> str:
        """The request-target of polls and POSTs."""
        return self._wire.target("polling", self._query, self.sid, eio=self.eio)

    async def poll(self) -> list[PacketText]:
        """Poll, and return the packets; held by the server until there are some."""
        return packets_of(await self.poll_response(), self.eio)

    async def poll_response(self) -> WireResponse:
        """Poll, and return the whole response."""
        return await self.poller.request("GET", self.target, self._headers)

    def poll_by_another_connection(self) -> None:
        """Open another connection for polls; the server closes one that has been idle."""
        self.poller = self._wire.connect()

    async def post(self, *packets: PacketText) -> None:
        """Send packets; binary ones go as base64."""
        response = await self.post_body(text_payload(packets, self.eio))
        assert (response.status, response.body) == (200, b"ok"), repr(response)

    async def post_body(self, body: bytes, kind: str = TEXT_PAYLOAD) -> WireResponse:
        """Send any body, of any `Content-Type`, and return the response."""
        headers = {"Content-Type": kind, **self._headers}
        return await self.poster.request("POST", self.target, headers, body)

    async def open_websocket(self, query: str = "") -> WireWebSocket:
        """Open a WebSocket for this session, and send nothing by it."""
        return await self._wire.websocket(query, self._headers, sid=self.sid, eio=self.eio)

    async def probe(self, query: str = "") -> WireWebSocket:
        """Open a WebSocket for this session and probe it."""
        websocket = await self.open_websocket(query)
        await websocket.send("2probe")
        answer = await websocket.receive()
        assert answer == "3probe", answer
        return websocket

    async def upgrade(self, query: str = "") -> WireWebSocket:
        """Go on by WebSocket; no poll may be under way."""
        websocket = await self.probe(query)
        await websocket.send("5")
        await trio.testing.wait_all_tasks_blocked()
        return websocket

    async def aclose(self) -> None:
        """Drop both connections, without an end of the session."""
        await self.poller.aclose()
        await self.poster.aclose()


def text_payload(packets: Iterable[PacketText], eio: int = 3) -> bytes:
    """Return the text payload of packets, in this revision of Engine.IO."""
    if eio == 4:
        return codec_v4.SEPARATOR.join(map(codec_v4.payload_piece, packets))
    return codec_v3.encode_text_payload(map(_packet, packets))


def binary_payload(packets: Iterable[PacketText]) -> bytes:
    """Return the binary payload of packets; to be sent as `BINARY_PAYLOAD`."""
    return codec_v3.encode_binary_payload(map(_packet, packets))


def packets_of(response: WireResponse, eio: int = 3) -> list[PacketText]:
    """Return the packets of an answered poll, which is neither compressed nor JSONP."""
    assert response.status == 200, repr(response)
    binary = response.headers["content-type"] == BINARY_PAYLOAD
    return payload_packets(response.body, binary=binary, eio=eio)


def payload_packets(payload: bytes, *, binary: bool = False, eio: int = 3) -> list[PacketText]:
    """Return the packets of a payload.

    Args:
        payload: the payload.
        binary: whether it is a binary one, which Engine.IO 4 does not know.
        eio: the revision of Engine.IO, 3 or 4.

    Raises:
        RemoteProtocolError: it is none.
    """
    if eio == 4:
        return _packets_4(payload)
    decode = codec_v3.decode_binary_payload if binary else codec_v3.decode_text_payload
    packets = decode(payload)
    return [
        encode_text(packet) if isinstance(packet.data, str) else encode_binary(packet)
        for packet in packets
    ]


def _packets_4(payload: bytes) -> list[PacketText]:
    packets = list(codec_v4.decode_payload(payload))
    if codec_v4.encode_payload(packets) != payload:  # the decoder is lenient, as servers are
        raise RemoteProtocolError("parse error", "this is not how packets are written")
    return [
        packet.data if isinstance(packet.data, bytes) else encode_text(packet) for packet in packets
    ]


def _packet(text: PacketText) -> EnginePacket:
    return decode_text(text) if isinstance(text, str) else decode_binary(text)


@asynccontextmanager
async def open_wire(
    server: Engine | Server,
    handler: Handler | None = None,
    *,
    streams: Callable[[], StreamPair] = trio.testing.memory_stream_pair,
) -> AsyncIterator[WireClient]:
    """Let a test speak to a server by bytes; its connections are closed at the end.

    Args:
        server: an engine or a server; opened for as long, if it is not open yet.
        handler: for an engine, what is called with each session.
        streams: makes both ends of a connection; the second one is the server's.

    Raises:
        BaseException: what handlers raise, if the server's option `raise_errors` is on: one as it
            was raised, several in one group.
    """
    symptom = Symptom(trio.BrokenResourceError, WebSocketClosed)
    engine = server.engine if isinstance(server, Server) else server

    async def serve(stream: trio.abc.Stream) -> None:
        if isinstance(server, Server):
            await server.serve_stream(stream)
        else:
            assert handler is not None, "an engine needs a handler"
            await server.serve_stream(stream, handler)

    with ungrouped():
        async with AsyncExitStack() as stack:
            if not engine.serving:
                await stack.enter_async_context(server)
            async with trio.open_nursery() as nursery:
                wire = WireClient(engine, serve, nursery, streams)
                try:
                    with symptom:
                        yield wire
                finally:
                    with trio.move_on_after(CLOSE_TIME, shield=True):
                        await wire.aclose()
            if symptom.is_there:  # a session that has failed needs no more than this to raise it
                await trio.testing.wait_all_tasks_blocked()
    symptom.show()
