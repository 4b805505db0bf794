"""Any body is decoded as a payload of Engine.IO 4, or raises RemoteProtocolError, never else.

What was decoded can be encoded, and decodes to the same again: in a payload, and packet by packet.
There are never more packets than separators and one, and bytes are messages.
"""

import re
from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.engineio import codec_v4
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.errors import RemoteProtocolError

NAME = "payload_4"


def fuzz(data: bytes) -> Hashable:
    """Decode `data`; the outcome is how far that went and what it ended with."""
    packets: list[EnginePacket] = []
    end = RemoteProtocolError("parse error")
    try:
        packets.extend(codec_v4.decode_payload(data))  # which keeps what came before an error
    except RemoteProtocolError as error:
        end = error
    assert end.args == ("parse error",)
    assert len(packets) <= data.count(codec_v4.SEPARATOR) + 1
    if packets:
        _check(packets)
    kinds = frozenset((packet.type, type(packet.data)) for packet in packets)
    return (min(len(packets), 3), kinds, re.sub("'.*'", "…", end.hint))


def _check(packets: list[EnginePacket]) -> None:
    assert list(codec_v4.decode_payload(codec_v4.encode_payload(packets))) == packets
    for packet in packets:
        if isinstance(packet.data, bytes):
            assert packet.type is EnginePacketType.MESSAGE
            assert codec_v4.decode_binary(packet.data) == packet
        else:
            assert "\x1e" not in packet.data
            assert codec_v4.decode_text(f"{packet.type:d}{packet.data}") == packet


if __name__ == "__main__":
    harness.main(fuzz, NAME)
