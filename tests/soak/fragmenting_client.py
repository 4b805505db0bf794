"""A WebSocket client by hand, which says things in fragments, and comes back when it is cut.

It does all that a Socket.IO client has to: heartbeats, acknowledgements, attachments.
"""

import json
import random
from functools import partial

import trio

from tests.soak.clients import Ear
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket, open_websocket

HEARTBEAT = 2.0
"""Seconds between two pings."""

_EVENTS = (PacketType.EVENT, PacketType.BINARY_EVENT)
_ACKS = (PacketType.ACK, PacketType.BINARY_ACK)


class RawClient:
    """One client in "/".

    Args:
        port: where to.
        name: said in the query.
        ear: hears for it.
        seed: of the fragments.
    """

    def __init__(self, port: int, name: str, ear: Ear, seed: int) -> None:
        self._port = port
        self._target = f"/socket.io/?client={name}&EIO=3&transport=websocket"
        self._ear = ear
        self._random = random.Random(f"{seed} fragments of {name}")
        self._websocket: WireWebSocket
        self._here = trio.Event()
        self._sending = trio.Lock()
        self._scope = trio.CancelScope()

    # -- the line ------------------------------------------------------------------------------

    async def emit(self, event: str, *args: JSON) -> None:
        """Emit, as soon as there is a connection."""
        await self._send(Packet(PacketType.EVENT, data=[event, *args]))

    async def ask(self, number: int, event: str, *args: JSON) -> None:
        """Emit, and report the answer."""
        await self._send(Packet(PacketType.EVENT, data=[event, *args], id=number))

    async def close(self) -> None:
        """Leave for good."""
        self._scope.cancel()
        await trio.lowlevel.checkpoint()

    # -- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Be connected, again and again; a task."""
        with self._scope:
            while True:
                try:
                    await self._connection()
                except* (trio.BrokenResourceError, WebSocketClosed, OSError):
                    self._part()
                await trio.sleep(0.1)
        self._part()

    def _part(self) -> None:
        if self._here.is_set():
            self._here = trio.Event()
            del self._websocket
            self._ear.hear("disconnect", [])

    async def _connection(self) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", self._port)
        async with stream:
            websocket = await open_websocket(WireConnection(stream), self._target)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._beat, websocket)
                await self._listen(websocket)

    async def _beat(self, websocket: WireWebSocket) -> None:
        while True:
            async with self._sending:
                await websocket.send("2")
            await trio.sleep(HEARTBEAT)

    async def _listen(self, websocket: WireWebSocket) -> None:
        decoder = Decoder()
        session_id = ""
        while True:
            message = await websocket.receive()
            if isinstance(message, bytes) or message.startswith("4"):
                packet = decoder.feed(message[1:])
            else:
                if message.startswith("0"):
                    session_id = json.loads(message[1:])["sid"]
                continue
            if packet is not None and packet.type is PacketType.CONNECT:
                self._ear.hear("connect", [session_id])
                self._websocket = websocket
                self._here.set()
            elif packet is not None:
                await self._take(packet)

    async def _take(self, packet: Packet) -> None:
        if packet.type in _EVENTS:
            self._ear.hear(packet.event, packet.args)
            if packet.id is not None:
                await self._send(Packet(PacketType.ACK, data=packet.args, id=packet.id))
        elif packet.type in _ACKS:
            self._ear.hear(f"answer {packet.id}", packet.args)

    async def _send(self, packet: Packet) -> None:
        await self._here.wait()
        async with self._sending:
            if not self._here.is_set():
                return  # the cut took it
            send = partial(self._websocket.send, fragment=self._random.choice((None, None, 40_000)))
            try:
                for part in encode(packet):
                    await send(f"4{part}" if isinstance(part, str) else b"\x04" + part)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # the cut took it, and who listens learns of it
