"""Engine.IO 4 as engine.io-parser 5.2.3 speaks it: the same bytes both ways, and of garbage."""

import re

import pytest
from hypothesis import assume, given, strategies as st

from tests.protocol.oracle import Answer, Oracle, engine_question, engine_view
from tests.support.examples import examples
from trio_sio.protocol.engineio import codec_v4
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType, encode_text
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node

ERROR = ["error", "parser error"]

# What travels as UTF-8 loses lone surrogates; both sides have to lose them alike.
WITH_SURROGATES = st.lists(
    st.builds(
        EnginePacket,
        st.sampled_from(EnginePacketType),
        st.text(st.characters(exclude_characters="\x1e")),
    ),
    min_size=1,
    max_size=5,
)
PAYLOADS = st.one_of(sio.payloads(version=4), WITH_SURROGATES)


@given(payload=PAYLOADS)
def test_payload(oracle: Oracle, payload: list[EnginePacket]) -> None:
    body = codec_v4.encode_payload(payload)
    assert body == oracle.ask("encodePayload4", [engine_question(one) for one in payload])
    decoded = [engine_view(one) for one in codec_v4.decode_payload(body)]
    assert oracle.ask("decodePayload4", body) == decoded


@given(packet=sio.engineio_packets(version=4))
def test_frame(oracle: Oracle, packet: EnginePacket) -> None:
    frame = oracle.ask("encodeFrame4", engine_question(packet))
    assert frame == (packet.data if isinstance(packet.data, bytes) else encode_text(packet))
    assert oracle.ask("decodeFrame4", frame) == engine_view(decode_frame(frame))


def decode_frame(frame: str | bytes) -> EnginePacket:
    decode_text, decode_binary = codec_v4.decode_text, codec_v4.decode_binary
    return decode_text(frame) if isinstance(frame, str) else decode_binary(frame)


def ours(body: bytes) -> list[Answer]:
    """What the engine sees of a body, up to the first error."""
    seen: list[Answer] = []
    try:
        for packet in codec_v4.decode_payload(body):
            seen += [engine_view(packet)]  # and keep what came before an error
    except RemoteProtocolError:
        seen.append(ERROR)
    return seen


TOKENS = [*"0123456789abx:=/+-_ \n", "\x1e", "\x1e", "b", "bAQI=", "4", "\ufeff", "€", "\U0001f600"]
GARBAGE = st.one_of(
    sio.garbage(version=4),
    st.lists(st.sampled_from(TOKENS), max_size=12).map(lambda found: "".join(found).encode()),
)
BEYOND_LATIN_1 = re.compile("(^|\x1e)b[^\x1e]*[\u0100-\U0010ffff]")
"""In base64, Node.js looks at the low byte only of such a character; to us it is no base64."""


@given(body=GARBAGE)
@examples(500)
def test_garbage(oracle: Oracle, body: bytes) -> None:
    assume(BEYOND_LATIN_1.search(body.decode("utf-8", "replace")) is None)
    assert ours(body) == oracle.ask("decodePayload4", body)


def test_the_one_difference(oracle: Oracle) -> None:
    body = "bQQ\u0141\u0142".encode()
    assert BEYOND_LATIN_1.search(body.decode())
    assert ours(body) != oracle.ask("decodePayload4", body)


@given(text=st.one_of(st.text(max_size=5), st.sampled_from(TOKENS)))
def test_any_text_frame(oracle: Oracle, text: str) -> None:
    assume(BEYOND_LATIN_1.search(text) is None)
    try:
        seen = engine_view(codec_v4.decode_text(text))
    except RemoteProtocolError:
        seen = ERROR
    assert oracle.ask("decodeFrame4", text) == seen
