r"""Packets and payloads of Engine.IO 4: no lengths, and no type before binary data.

    payload        = packet *( %x1e packet )
    text packet    = digit text                  "4hello"
    binary packet  = "b" base64                  "bAQID"; a WebSocket has a binary frame instead

Every binary packet is a message.
"""

import binascii
from collections.abc import Iterable, Iterator
from typing import Final

from trio_sio.protocol.engineio.packet import (
    BY_CHARACTER,
    EnginePacket,
    EnginePacketType,
    decode_base64,
    unknown_type,
    utf8,
)

SEPARATOR: Final = b"\x1e"


def payload_piece(part: str | bytes) -> bytes:
    """Return one packet of a payload; `part` is as in `trio_sio.protocol.encoded`."""
    if isinstance(part, str):
        return utf8(part)
    return b"b" + binascii.b2a_base64(part, newline=False)


def encode_payload(packets: Iterable[EnginePacket]) -> bytes:
    """Return the payload of `packets`; those with binary data are messages."""
    return SEPARATOR.join([payload_piece(_part(packet)) for packet in packets])


def _part(packet: EnginePacket) -> str | bytes:
    return packet.data if isinstance(packet.data, bytes) else f"{packet.type:d}{packet.data}"


def decode_text(text: str) -> EnginePacket:
    """Decode a packet of a payload, or of a text frame.

    Raises:
        RemoteProtocolError: empty, or the first character is neither a packet type nor `b`.
    """
    kind = BY_CHARACTER.get(text[:1])
    if kind is not None:
        return EnginePacket(kind, text[1:])
    if text[:1] == "b":
        return EnginePacket(EnginePacketType.MESSAGE, decode_base64(text[1:]))
    raise unknown_type(text)


def decode_binary(data: bytes) -> EnginePacket:
    """Return the packet of a binary frame: a message."""
    return EnginePacket(EnginePacketType.MESSAGE, data)


def decode_payload(body: bytes) -> Iterator[EnginePacket]:
    """Yield the packets of a payload, and raise where it stops making sense.

    The packets before the error are good, and the reference server delivers them. Invalid UTF-8 is
    replaced.

    Raises:
        RemoteProtocolError: an empty packet, or one of no known type.
    """
    start = 0
    while True:
        end = body.find(SEPARATOR, start)
        if end < 0:
            yield decode_text(body[start:].decode("utf-8", "replace"))
            return
        yield decode_text(body[start:end].decode("utf-8", "replace"))
        start = end + 1
