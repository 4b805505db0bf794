"""What one HTTP body carries: packets, and bodies of them in each encoding."""

from typing import Literal, NamedTuple, get_args

from hypothesis import strategies as st

from trio_sio.protocol.engineio import codec_v4
from trio_sio.protocol.engineio.codec_v3 import (
    encode_binary_payload,
    encode_jsonp,
    encode_text_payload,
)
from trio_sio.protocol.engineio.jsonp_form import encode_jsonp_form
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.testing.strategies.packets import engineio_packets

Encoding = Literal["text", "base64", "binary", "jsonp form", "jsonp script", "separated"]
"""How a body carries its packets:

text            lengths and packets as text; no packet has bytes
base64          the same, and bytes as base64
binary          types and lengths as raw bytes
jsonp form      what a JSONP client posts: base64 in the field `d` of an HTML form
jsonp script    what a JSONP client gets: base64 in a call of a function
separated       that of Engine.IO 4: packets and 0x1E between them, bytes as base64
"""

ENCODINGS_4: tuple[Encoding, ...] = ("separated",)
"""Those of Engine.IO 4."""

ENCODINGS: tuple[Encoding, ...] = tuple(one for one in get_args(Encoding) if one not in ENCODINGS_4)
"""Those of Engine.IO 3."""


class EncodedPayload(NamedTuple):
    """A body, and what is in it.

    Attributes:
        encoding: how the body carries its packets.
        body: the bytes of the HTTP body.
        packets: what a decoder makes of them.
    """

    encoding: Encoding
    body: bytes
    packets: list[EnginePacket]


def payloads(*, binary: bool = True, version: int = 3) -> st.SearchStrategy[list[EnginePacket]]:
    """The packets that one HTTP body carries: at least one.

    Args:
        binary: whether some have bytes.
        version: the revision of Engine.IO; in 4, text has no 0x1E, which would end the packet.
    """
    packets = engineio_packets(binary=binary, version=version)
    if version == 4:
        packets = packets.map(_in_one_piece)
    return st.lists(packets, min_size=1, max_size=8)


def _in_one_piece(packet: EnginePacket) -> EnginePacket:
    if isinstance(packet.data, bytes):
        return packet
    return packet._replace(data=packet.data.replace("\x1e", " "))


@st.composite
def encoded_payloads(draw: st.DrawFn, *encodings: Encoding, version: int = 3) -> EncodedPayload:
    """Bodies, together with the packets in them.

    Args:
        draw: given by Hypothesis.
        encodings: one of these; of all that the revision has, if none is named.
        version: the revision of Engine.IO, if none is named.
    """
    encoding = draw(st.sampled_from(encodings or (ENCODINGS if version == 3 else ENCODINGS_4)))
    drawn_as = 4 if encoding in ENCODINGS_4 else 3
    packets = draw(payloads(binary=encoding != "text", version=drawn_as))
    if encoding == "jsonp form":
        packets = [_writable(packet) for packet in packets]
    return EncodedPayload(encoding, encode_payload(encoding, packets), packets)


def encode_payload(encoding: Encoding, packets: list[EnginePacket]) -> bytes:
    """Return the body that carries these packets.

    Args:
        encoding: how it does.
        packets: without bytes, if the encoding is "text"; otherwise they become base64.
    """
    if encoding == "binary":
        return encode_binary_payload(packets)
    if encoding == "separated":
        return codec_v4.encode_payload(packets)
    payload = encode_text_payload(packets)
    if encoding == "jsonp form":
        return encode_jsonp_form(payload)
    return encode_jsonp("0", payload) if encoding == "jsonp script" else payload


def _writable(packet: EnginePacket) -> EnginePacket:
    r"""Return a packet that survives a form: `\` in front of LF is the one thing that does not."""
    if isinstance(packet.data, bytes):
        return packet
    return packet._replace(data=packet.data.replace("\\\n", "\\ "))
