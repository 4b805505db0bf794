"""A client of Socket.IO packets over a WebSocket of bytes: it may send any packet, in any order.

In Engine.IO 4 it answers the server's pings; in 3 it is up to the test to ping.
"""

from contextlib import suppress

import trio

from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.testing.clients.packets import messages, part_of
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket

GONE = (trio.BrokenResourceError, trio.ClosedResourceError, WebSocketClosed)
"""What a WebSocket raises when it has ended."""


class PacketClient:
    """A client of packets.

    Args:
        websocket: its connection.
        eio: the revision of Engine.IO, 3 or 4.

    Attributes:
        packets: what has come and was not taken, in its order.
        is_over: whether the connection has ended.
        pings: how often the server has pinged it.
    """

    def __init__(self, websocket: WireWebSocket, eio: int = 3) -> None:
        self.packets: list[Packet] = []
        self.is_over = False
        self.pings = 0
        self._websocket = websocket
        self._eio = eio
        self._decoder = Decoder()

    async def run(self) -> None:
        """Receive until the connection ends."""
        with suppress(*GONE):
            while True:
                text = await self._websocket.receive()
                if text == "2":
                    self.pings += 1
                    await self._websocket.send("3")
                self._take(text)
        self.is_over = True

    def _take(self, text: str | bytes) -> None:
        if isinstance(text, str) and not text.startswith("4"):
            return
        packet = self._decoder.feed(part_of(text, self._eio))
        if packet is not None:
            self.packets.append(packet)

    def take(self) -> list[Packet]:
        """Return what has come since this was called last."""
        packets, self.packets = self.packets, []
        return packets

    async def send(self, packet: Packet) -> None:
        """Send a packet."""
        for message in messages(encode(packet), self._eio):
            await self.send_text(message)

    async def send_text(self, text: str | bytes) -> None:
        """Send an Engine.IO packet, as it is in a frame; nothing once the connection has ended."""
        with suppress(*GONE):
            await self._websocket.send(text)

    async def close(self) -> None:
        """Close in order: a CLOSE packet, and a close frame."""
        with suppress(*GONE):
            await self._websocket.send("1")
            await self._websocket.send_close(1000)

    async def cut(self) -> None:
        """Drop the connection without a word."""
        await self._websocket.aclose()
