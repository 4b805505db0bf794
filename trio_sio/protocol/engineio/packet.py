r"""One Engine.IO 3 packet, in its three spellings.

| data          | text               | binary             | base64          |
| ------------- | ------------------ | ------------------ | --------------- |
| `str`         | digit + text `4hi` | —                  | —               |
| `bytes` 01 ff | —                  | `\x04\x01\xff`     | `b4Af8=`        |

The binary spelling carries the type as a raw byte, not as an ASCII digit.
"""

import binascii
import re
from enum import IntEnum
from typing import NamedTuple

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.shown import shown_bytes, shown_text


class EnginePacketType(IntEnum):
    """The seven packet types of Engine.IO 3."""

    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


class EnginePacket(NamedTuple):
    """A packet: its type and its data, `""` if it has none."""

    type: EnginePacketType
    data: str | bytes = ""

    def __repr__(self) -> str:
        r"""Show the wire form: `<EnginePacket 4hi>`, and for bytes `<EnginePacket 4 + b'\xff'>`."""
        if isinstance(self.data, bytes):
            return f"<EnginePacket {self.type:d} + {shown_bytes(self.data)}>"
        return f"<EnginePacket {shown_text(f'{self.type:d}{self.data}')}>"


TYPES = tuple(EnginePacketType)
"""Indexing a tuple takes 8 ns; calling the enum takes 240."""

BY_CHARACTER = {str(int(kind)): kind for kind in EnginePacketType}

IGNORED = EnginePacket(EnginePacketType.NOOP)
"""What a packet of unknown type decodes to where the reference server ignores it: like a noop,
it changes nothing but counts as a sign of life."""

_NOT_BASE64 = re.compile("[^A-Za-z0-9+/]")
_URL_SAFE = str.maketrans("-_", "+/")


def utf8(text: str) -> bytes:
    """Return `text` in UTF-8; a lone surrogate becomes U+FFFD, as in a JavaScript server."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        joined = text.encode("utf-16-le", "surrogatepass")
        return joined.decode("utf-16-le", "replace").encode()


def encode_text(packet: EnginePacket) -> str:
    """Return the text spelling; binary data becomes base64."""
    if isinstance(packet.data, str):
        return f"{packet.type:d}{packet.data}"
    return f"b{packet.type:d}" + binascii.b2a_base64(packet.data, newline=False).decode("ascii")


def encode_binary(packet: EnginePacket) -> bytes:
    """Return the binary spelling: the type as a raw byte, then the data (text as UTF-8)."""
    data = utf8(packet.data) if isinstance(packet.data, str) else packet.data
    return bytes((packet.type,)) + data


def decode_text(text: str) -> EnginePacket:
    """Decode the text spelling, base64 included.

    Raises:
        RemoteProtocolError: empty, or the first character is no packet type.
    """
    kind = BY_CHARACTER.get(text[:1])
    if kind is not None:
        return EnginePacket(kind, text[1:])
    if text[:1] == "b":
        kind = BY_CHARACTER.get(text[1:2])
        return IGNORED if kind is None else EnginePacket(kind, decode_base64(text[2:]))
    raise unknown_type(text)


def unknown_type(text: str) -> RemoteProtocolError:
    """Return the error for a packet that begins like none."""
    return RemoteProtocolError(
        "parse error", f"a packet begins with 0 to 6 or b, this one with {text[:1]!r}"
    )


def decode_binary(data: bytes) -> EnginePacket:
    """Decode the binary spelling; an empty packet or an unknown type is ignored."""
    if not data or data[0] >= len(TYPES):
        return IGNORED
    return EnginePacket(TYPES[data[0]], data[1:])


def decode_base64(text: str) -> bytes:
    """Decode as leniently as the reference server does.

    Padding is optional, the URL-safe alphabet is accepted, everything else is skipped.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        digits = _NOT_BASE64.sub("", text.split("=", 1)[0].translate(_URL_SAFE))
        if len(digits) % 4 == 1:
            digits = digits[:-1]
        return binascii.a2b_base64(digits + "==")  # too much padding is ignored
