"""Any body is decoded, as any kind of payload, or raises RemoteProtocolError, never anything else.

What was decoded can be encoded, as text and as binary, and decodes to the same again. There are
never more packets than bytes.
"""

import re
from collections.abc import Callable, Hashable, Iterator

from fuzz import harness
from trio_sio.protocol.engineio.codec_v3 import (
    decode_binary_payload,
    decode_jsonp_payload,
    decode_text_payload,
    encode_binary_payload,
    encode_text_payload,
)
from trio_sio.protocol.engineio.packet import EnginePacket, utf8
from trio_sio.protocol.errors import RemoteProtocolError

NAME = "engineio_payload"

_DECODERS: tuple[Callable[[bytes], Iterator[EnginePacket]], ...] = (
    decode_text_payload,
    decode_binary_payload,
    decode_jsonp_payload,
)


def fuzz(data: bytes) -> Hashable:
    """Decode `data` in each way; the outcome is how far that went and what it ended with."""
    outcomes = []
    for decode in _DECODERS:
        packets: list[EnginePacket] = []
        end = RemoteProtocolError("parse error")
        try:
            packets.extend(decode(data))  # which keeps what came before an error
        except RemoteProtocolError as error:
            end = error
        assert end.args == ("parse error",)
        assert len(packets) <= len(data)
        if packets:
            _check(packets)
        kinds = {(packet.type, type(packet.data)) for packet in packets}
        outcomes.append(
            (min(len(packets), 3), frozenset(kinds), re.sub("[0-9]+|'.*'", "…", end.hint))
        )
    return tuple(outcomes)


def _check(packets: list[EnginePacket]) -> None:
    sent = [_as_sent(packet) for packet in packets]
    assert list(decode_text_payload(encode_text_payload(packets))) == sent
    assert list(decode_binary_payload(encode_binary_payload(packets))) == sent


def _as_sent(packet: EnginePacket) -> EnginePacket:
    """A length may cut a pair of surrogates; UTF-8 has no word for a half."""
    if isinstance(packet.data, bytes):
        return packet
    return EnginePacket(packet.type, utf8(packet.data).decode())


if __name__ == "__main__":
    harness.main(fuzz, NAME)
