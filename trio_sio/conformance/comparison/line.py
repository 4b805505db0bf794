"""What the packets of a script's client go by, whatever they are."""

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

import trio

from trio_sio.conformance.comparison.visitor import BROKEN, Visitor
from trio_sio.conformance.target import Target
from trio_sio.protocol.engineio.codec_v3 import code_units
from trio_sio.protocol.engineio.jsonp_form import encode_jsonp_form
from trio_sio.protocol.engineio.packet import utf8
from trio_sio.testing.clients.transports import QUERIES
from trio_sio.testing.wire import BINARY_PAYLOAD, TEXT_PAYLOAD, PacketText, text_payload
from trio_sio.testing.wire_http import WireConnection, WireResponse
from trio_sio.testing.wire_websocket import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    WireWebSocket,
    frame_bytes,
)

_MARK = b"trio_sio mark"

FORM = "application/x-www-form-urlencoded"


class Line(Protocol):
    """What packets go by."""

    async def send(self, packets: Iterable[PacketText]) -> list[str]:
        """Send packets, and return what is remarkable of the answer.

        Raises:
            trio.BrokenResourceError: the connection has ended.
        """

    async def aclose(self) -> None:
        """Drop the connections."""


class PollingLine:
    """Long polling: the connection for POST.

    Args:
        connection: the connection.
        target: where POSTs go.
        how: the transport's name.
        eio: the revision of Engine.IO, 3 or 4.
    """

    def __init__(self, connection: WireConnection, target: str, how: str, eio: int = 3) -> None:
        self._connection = connection
        self._target = target
        self._how = how
        self._eio = eio

    async def send(self, packets: Iterable[PacketText]) -> list[str]:
        """Send packets in one POST."""
        packets = list(packets)
        if self._eio == 4:
            return await self.post(text_payload(packets, eio=4), TEXT_PAYLOAD)
        if self._how == "polling" and any(isinstance(packet, bytes) for packet in packets):
            return await self.post(_binary(packets), BINARY_PAYLOAD)
        payload = b"".join(map(_text_piece, packets))
        if self._how != "polling-jsonp":
            return await self.post(payload, TEXT_PAYLOAD)
        return await self.post(encode_jsonp_form(payload), FORM)

    async def post(self, body: bytes, content_type: str) -> list[str]:
        """Send any body, and return its answer if it is not "ok"."""
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        response = await self._connection.request("POST", self._target, headers, body)
        if (response.status, response.body) == (200, b"ok"):
            return []
        return [f"a POST was answered {response.status} {response.text}"]

    async def aclose(self) -> None:
        """Drop the connection."""
        await self._connection.aclose()


class WebSocketLine:
    """A WebSocket.

    Args:
        websocket: its handshake done.
    """

    def __init__(self, websocket: WireWebSocket) -> None:
        self._websocket = websocket
        self._sending = trio.Lock()  # whoever reads answers, too
        self._pongs = 0
        self._has_ended = False
        self._changed = trio.Event()

    async def send(self, packets: Iterable[PacketText]) -> list[str]:
        """Send packets, each in a frame."""
        async with self._sending:
            for packet in packets:
                await self._websocket.send(packet)
        return []

    async def send_frame(self, frame: bytes) -> None:
        """Send the bytes of a frame."""
        async with self._sending:
            await self._websocket.connection.send(frame)

    async def read(self, visitor: Visitor) -> None:
        """Take what comes, until the end; a close frame is answered."""
        try:
            while (frame := await self._websocket.receive_frame()).opcode != CLOSE:
                if frame.opcode == PING:
                    await self.send_frame(frame_bytes(PONG, frame.payload))
                elif frame.opcode == PONG and frame.payload == _MARK:
                    self._pongs -= 1
                    self._tell()
                elif frame.opcode == PONG:
                    visitor.take(f"a pong frame with {frame.payload!r}")
                else:
                    is_text = frame.opcode == TEXT
                    visitor.take(frame.payload.decode() if is_text else frame.payload)
        except BROKEN:
            self._end(visitor, "the connection ended")
            return
        code = int.from_bytes(frame.payload[:2]) if frame.payload else None
        with suppress(*BROKEN):
            await self.send_frame(frame_bytes(CLOSE, frame.payload))
            await self._websocket.connection.receive_rest()
        self._end(visitor, f"close frame, {'no code' if code is None else f'code {code}'}")

    def _end(self, visitor: Visitor, how: str) -> None:
        self._pongs = 0
        self._has_ended = True
        visitor.end(how)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def settle(self) -> None:
        """Wait until the server has read all that was sent: it answers a ping frame."""
        with suppress(*BROKEN):
            if not self._has_ended:
                self._pongs += 1
                await self.send_frame(frame_bytes(PING, _MARK))
            while self._pongs:
                await self._changed.wait()

    async def aclose(self) -> None:
        """Drop the connection."""
        await self._websocket.aclose()


def session_target(target: Target, how: str, sid: str = "") -> str:
    """Return where a client's requests go.

    Args:
        target: the server.
        how: the transport's name.
        sid: the session's id; none for the handshake.
    """
    return target.request_target(how.partition("-")[0], QUERIES[how], sid)


def body_of(response: WireResponse) -> bytes:
    """Return the payload of a poll's response, which may be JSONP.

    Raises:
        ValueError: it begins like JSONP, and is none.
    """
    if not response.body.startswith(b"___eio["):
        return response.body
    text = response.text
    payload: str = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    return payload.encode("utf-8", "surrogatepass")


def _text_piece(packet: PacketText) -> bytes:
    if isinstance(packet, bytes):
        packet = f"b{packet[0] if packet else ''}{base64.b64encode(packet[1:]).decode()}"
    return b"%d:%b" % (code_units(packet), utf8(packet))


def _binary(packets: Iterable[PacketText]) -> bytes:
    pieces = []
    for packet in packets:
        data = utf8(packet) if isinstance(packet, str) else packet
        digits = bytes(map(int, str(len(data))))
        pieces.append(bytes((isinstance(packet, bytes),)) + digits + b"\xff" + data)
    return b"".join(pieces)
