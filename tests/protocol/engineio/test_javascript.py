"""Engine.IO 3 as engine.io-parser 2.2.1 and the transports around it speak it."""

from collections.abc import Iterable

import pytest
from hypothesis import given, strategies as st

from tests.protocol.oracle import Answer, Oracle, engine_question, engine_view
from trio_sio.protocol.engineio.codec_v3 import (
    decode_binary_payload,
    decode_jsonp_payload,
    decode_text_payload,
    encode_binary_payload,
    encode_jsonp,
    encode_text_payload,
)
from trio_sio.protocol.engineio.handshake import parse_query
from trio_sio.protocol.engineio.packet import (
    EnginePacket,
    EnginePacketType,
    encode_binary,
    encode_text,
)
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node

# What travels as UTF-8 loses lone surrogates; both sides have to lose them alike.
WITH_SURROGATES = st.lists(
    st.builds(EnginePacket, st.sampled_from(EnginePacketType), st.text(st.characters())),
    min_size=1,
    max_size=5,
)
PAYLOADS = st.one_of(sio.payloads(), WITH_SURROGATES)


def views(packets: Iterable[EnginePacket]) -> list[Answer]:
    return [engine_view(packet) for packet in packets]


@given(payload=PAYLOADS)
def test_text_payload(oracle: Oracle, payload: list[EnginePacket]) -> None:
    body = encode_text_payload(payload)
    assert body == oracle.ask("encodeTextPayload", [engine_question(p) for p in payload])
    assert oracle.ask("decodeTextBody", body) == views(decode_text_payload(body))


@given(payload=PAYLOADS)
def test_binary_payload(oracle: Oracle, payload: list[EnginePacket]) -> None:
    body = encode_binary_payload(payload)
    assert body == oracle.ask("encodeBinaryPayload", [engine_question(p) for p in payload])
    assert oracle.ask("decodeBinaryPayload", body) == views(decode_binary_payload(body))


@given(packets=PAYLOADS)
def test_packet(oracle: Oracle, packets: list[EnginePacket]) -> None:
    questions = [(engine_question(packet),) for packet in packets]
    texts = [encode_text(packet) for packet in packets]
    assert oracle.ask_all("encodeText", questions) == texts
    assert oracle.ask_all("decodePacket", [(text,) for text in texts]) == views(packets)
    frames = [encode_text(p) if isinstance(p.data, str) else encode_binary(p) for p in packets]
    assert oracle.ask_all("encodeBinary", questions) == frames
    assert oracle.ask_all("decodePacket", [(frame,) for frame in frames]) == views(packets)


@given(payload=PAYLOADS, index=st.sampled_from(["0", "17", ""]))
def test_jsonp_response(oracle: Oracle, payload: list[EnginePacket], index: str) -> None:
    body = encode_text_payload(payload)
    script = encode_jsonp(index, body)
    assert script == oracle.ask("encodeJsonp", index, body.decode())
    if index:
        assert oracle.ask("runJsonp", index, script.decode()) == [body.decode()]


@given(payload=sio.payloads())
def test_jsonp_request(oracle: Oracle, payload: list[EnginePacket]) -> None:
    form = oracle.ask("encodeJsonpForm", encode_text_payload(payload).decode())
    packets = views(decode_jsonp_payload(form.encode()))
    assert oracle.ask("decodeJsonpForm", form) == until_close(packets)


def until_close(packets: list[Answer]) -> list[Answer]:
    """What a transport in JavaScript gives out, which stops at CLOSE and forgets its data."""
    for index, (_, kind, _) in enumerate(packets):
        if kind == "close":
            return [*packets[:index], ["packet", "close", ""]]
    return packets


PLAIN = ["a", "b", "=", "&", "+", "%20", "%C3%A9", "%3D", "%26", ";", "#", "[]"]
QUERIES = st.one_of(
    st.lists(st.sampled_from([*PLAIN, "\u20ac", "\U0001f600"])),
    # Node.js reads what is no percent-encoding as Latin-1, we as UTF-8; so ASCII only.
    st.lists(st.sampled_from([*PLAIN, "%", "%zz", "%80", "%f0%9f", "%ed%a0%80"])),
)


@given(query=QUERIES.map("".join))
def test_query(oracle: Oracle, query: str) -> None:
    assert parse_query(query) == oracle.ask("parseQuery", query)
