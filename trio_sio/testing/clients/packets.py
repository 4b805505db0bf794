"""Packets of Engine.IO as clients read and write them.

A packet is `str` or `bytes` as on a WebSocket: "4hello", and b"\\x04\\x00" in Engine.IO 3, where a
binary packet has its type in front, or b"\\x00" in Engine.IO 4.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from trio_sio.testing.clients.expectation import Unexpected, require, shown
from trio_sio.testing.wire import PacketText


@dataclass(frozen=True, slots=True)
class Opening:
    """What an OPEN packet says.

    Attributes:
        sid: the session id.
        upgrades: the transports that the client may move to.
        ping_interval: seconds between two pings, of the client or, in Engine.IO 4, of the server.
        ping_timeout: seconds that an answer may take.
        fields: all of it, as it came.
    """

    sid: str
    upgrades: tuple[str, ...]
    ping_interval: float
    ping_timeout: float
    fields: dict[str, Any]

    @classmethod
    def of(cls, packet: PacketText) -> Self:
        """Read it.

        Raises:
            Unexpected: it is no OPEN packet, or lacks something.
        """
        is_open = isinstance(packet, str) and packet[:1] == "0"
        require(is_open, f"the first packet must be OPEN, not {shown(packet)}")
        try:
            fields: dict[str, Any] = json.loads(packet[1:])
            for name, kind in (("sid", str), ("pingInterval", int), ("pingTimeout", int)):
                require(isinstance(fields[name], kind), f"{name} in OPEN: {fields[name]!r}")
        except (ValueError, TypeError, KeyError) as error:
            what = f"what OPEN says is unreadable: {shown(packet)}: {error}"
            raise Unexpected(what) from error
        upgrades = tuple(map(str, fields.get("upgrades") or ()))
        interval, timeout = fields["pingInterval"] / 1000, fields["pingTimeout"] / 1000
        return cls(fields["sid"], upgrades, interval, timeout, fields)


def from_base64(packet: str, eio: int = 3) -> bytes:
    """Return the binary packet that came in base64, as "b4…" or, in Engine.IO 4, as "b…".

    Raises:
        Unexpected: it is none.
    """
    try:
        if eio == 4:
            return base64.b64decode(packet[1:], validate=True)
        return int(packet[1]).to_bytes() + base64.b64decode(packet[2:], validate=True)
    except (ValueError, IndexError) as error:
        raise Unexpected(f"{shown(packet)} is no packet in base64: {error}") from error


def messages(parts: Iterable[str | bytes], eio: int = 3) -> list[PacketText]:
    """Return the MESSAGE packets that carry the parts of a packet of Socket.IO."""
    mark = b"" if eio == 4 else b"\x04"
    return [f"4{part}" if isinstance(part, str) else mark + part for part in parts]


def part_of(packet: PacketText, eio: int = 3) -> str | bytes:
    """Return the part of a packet of Socket.IO that a MESSAGE packet carries.

    Raises:
        Unexpected: the packet begins with "b", and no base64 follows.
    """
    if isinstance(packet, str) and packet[:1] == "b":
        packet = from_base64(packet, eio)
    return packet if eio == 4 and isinstance(packet, bytes) else packet[1:]
