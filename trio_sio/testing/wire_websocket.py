"""A WebSocket client by hand: its own masking, frames of any kind, good and bad."""

import base64
import itertools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from trio_sio.testing.wire_http import WireConnection, WireResponse

if TYPE_CHECKING:
    from trio_sio.http import Headers

CONTINUATION = 0x0
TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA

_FIN = 0x80
_MASKED = 0x80
MASK = b"\x01\x80\x0f\xff"


class Frame(NamedTuple):
    """One frame, as the server sent it.

    Attributes:
        opcode: such as `TEXT`.
        payload: the payload as it came, compressed if it is.
        fin: whether it ends a message.
        rsv: the three reserved bits; 4 says that the payload is compressed.
    """

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0


class WebSocketClosed(Exception):
    """The server sent a close frame.

    Attributes:
        code: its status code, `None` if it has none.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class WireWebSocket:
    """A WebSocket whose opening handshake is done; `open_websocket` does it.

    A packet is `str` in a text frame, `bytes` in a binary frame.

    Args:
        connection: the connection.
        response: the server's answer to the handshake.

    Attributes:
        connection: the connection.
        headers: the header fields of the server's answer.
    """

    def __init__(self, connection: WireConnection, response: WireResponse) -> None:
        self.connection = connection
        self.headers: Headers = response.headers

    # -- out ---------------------------------------------------------------------------------

    async def send(self, packet: str | bytes, *, fragment: int | None = None) -> None:
        """Send a packet.

        Args:
            packet: the packet, with its type.
            fragment: cut it into fragments of so many bytes.
        """
        await self.connection.send(packet_frames(packet, fragment))

    async def send_frame(
        self,
        opcode: int,
        payload: bytes = b"",
        *,
        fin: bool = True,
        rsv: int = 0,
        mask: bytes | None = MASK,
    ) -> None:
        """Send one frame, also one that no client may send."""
        await self.connection.send(frame_bytes(opcode, payload, fin=fin, rsv=rsv, mask=mask))

    async def send_close(self, code: int | None = None, reason: str = "") -> None:
        """Send a close frame."""
        payload = b"" if code is None else code.to_bytes(2, "big") + reason.encode()
        await self.send_frame(CLOSE, payload)

    # -- in ----------------------------------------------------------------------------------

    async def receive(self) -> str | bytes:
        """Return the server's next packet.

        Raises:
            WebSocketClosed: a close frame came instead.
            trio.BrokenResourceError: the connection ended without one.
        """
        frame = await self.receive_frame()
        if frame.opcode == CLOSE:
            raise WebSocketClosed(_code(frame))
        assert frame.opcode in (TEXT, BINARY), repr(frame)
        assert (frame.fin, frame.rsv) == (True, 0), repr(frame)
        return frame.payload.decode() if frame.opcode == TEXT else frame.payload

    async def receive_frame(self) -> Frame:
        """Return the server's next frame of any kind.

        Raises:
            trio.BrokenResourceError: the connection ended.
        """
        first, second = await self.connection.receive_exactly(2)
        assert not second & _MASKED, "a server masks nothing"
        size = second
        if size >= 126:
            size = int.from_bytes(await self.connection.receive_exactly(2 if size == 126 else 8))
        payload = await self.connection.receive_exactly(size)
        return Frame(first & 0x0F, payload, bool(first & _FIN), first >> 4 & 7)

    async def receive_close(self) -> int | None:
        """Receive a close frame, and then the end; return the frame's code, `None` without one."""
        frame = await self.receive_frame()
        assert frame.opcode == CLOSE, f"a close frame was due, not {frame}"
        rest = await self.connection.receive_rest()
        assert not rest, f"behind the close frame: {rest!r}"
        return _code(frame)

    async def close(self, code: int | None = None) -> int | None:
        """Close in order: send a close frame and return the code of the server's."""
        await self.send_close(code)
        return await self.receive_close()

    async def aclose(self) -> None:
        """Drop the connection without a word."""
        await self.connection.aclose()


def frame_bytes(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = MASK,
) -> bytes:
    """Return the bytes of one frame; without `mask` it is not masked, which a client must."""
    size = len(payload)
    short, extended = size, b""
    if size >= 126:
        short = 126 if size < 0x10000 else 127
        extended = size.to_bytes(2 if short == 126 else 8, "big")
    first = (_FIN if fin else 0) | rsv << 4 | opcode
    head = bytes((first, short | (_MASKED if mask else 0))) + extended
    if mask is None:
        return head + payload
    return head + mask + bytes(a ^ b for a, b in zip(payload, itertools.cycle(mask)))


def packet_frames(packet: str | bytes, fragment: int | None = None) -> bytes:
    """Return a packet's frame, or its frames if it is to be cut into fragments."""
    opcode = TEXT if isinstance(packet, str) else BINARY
    data = packet.encode("utf-8", "surrogatepass") if isinstance(packet, str) else packet
    if fragment is None:
        return frame_bytes(opcode, data)
    pieces = [data[start : start + fragment] for start in range(0, len(data), fragment)]
    return b"".join(
        frame_bytes(CONTINUATION if number else opcode, piece, fin=number == len(pieces) - 1)
        for number, piece in enumerate(pieces)
    )


def handshake_headers(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the header fields that ask for a WebSocket; `more` replaces and adds."""
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        **(more or {}),
    }


async def open_websocket(
    connection: WireConnection, target: str, headers: Mapping[str, str] | None = None
) -> WireWebSocket:
    """Do the opening handshake; for one that is refused use `connection.request`."""
    response = await connection.request("GET", target, handshake_headers(headers))
    assert response.status == 101, repr(response)
    return WireWebSocket(connection, response)


def _code(frame: Frame) -> int | None:
    return int.from_bytes(frame.payload[:2]) if frame.payload else None
