"""Engine.IO packets, in and out, for whoever wants to see what client and server say to each other.

    DEBUG trio_sio.wire pMx0aB… polling out OPEN {"sid":"pMx0aBcDeFgHiJkLmNoP","upgrades":[],…
    DEBUG trio_sio.wire pMx0aB… websocket in MESSAGE 2["chat message","Hello"]
    DEBUG trio_sio.wire pMx0aB… websocket in MESSAGE 1,024 bytes

This shows what users say, and session ids. So it is not part of what a level for all of `trio_sio`
or for the root logger turns on: the logger has a level of its own, which has to be set. It is asked
when a session begins; sessions that are there already do not change.
"""

import logging
from collections.abc import Iterable
from typing import Protocol

from trio_sio.logs.shown import printable, short_id, without_pid
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType

logger = logging.getLogger("trio_sio.wire")

if logger.level == logging.NOTSET:  # or somebody was faster, who knows what he wants
    logger.setLevel(logging.INFO)

SHOWN = 200
"""Characters of a packet that are shown."""


class PacketTap(Protocol):
    """Takes the packets of one session, while somebody watches them; it must not wait or raise."""

    def incoming(self, transport: str, packet: EnginePacket) -> None:
        """A packet has come."""

    def outgoing(self, transport: str, items: Iterable[Encoded]) -> None:
        """Items are handed to the transport."""


class WireLog:
    """Writes the packets of one session.

    Args:
        sid: the session's id.
    """

    def __init__(self, sid: str) -> None:
        self._sid = short_id(sid)

    def incoming(self, transport: str, packet: EnginePacket) -> None:
        """A packet has come."""
        self._write(transport, "in", packet.type, packet.data)

    def outgoing(self, transport: str, items: Iterable[Encoded]) -> None:
        """Items are handed to the transport."""
        for item in items:
            for part in item.parts:
                if isinstance(part, str):
                    self._write(transport, "out", EnginePacketType(int(part[0])), part[1:])
                else:
                    self._write(transport, "out", EnginePacketType.MESSAGE, part)

    def _write(
        self, transport: str, direction: str, kind: EnginePacketType, data: str | bytes
    ) -> None:
        if isinstance(data, str):
            is_connect = kind is EnginePacketType.MESSAGE and data.startswith("0")
            text = printable(without_pid(data) if is_connect else data, SHOWN)
        else:
            text = f"{len(data):,} bytes"
        logger.debug("%s %s %s %s %s", self._sid, transport, direction, kind.name, text)


def wire_log(sid: str) -> WireLog | None:
    """Return what writes the packets of a new session; `None` if nobody wants to see them."""
    return WireLog(sid) if logger.isEnabledFor(logging.DEBUG) else None
