"""Payloads, and bodies of them: each body holds the packets that are drawn with it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.support.drawn import Condition, is_drawn, simplest
from trio_sio.protocol.engineio import codec_v4
from trio_sio.protocol.engineio.codec_v3 import (
    decode_binary_payload,
    decode_jsonp_payload,
    decode_text_payload,
)
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.testing import strategies as sio
from trio_sio.testing.strategies.payloads import ENCODINGS, ENCODINGS_4


def encoded_as(encoding: sio.Encoding) -> Callable[[sio.EncodedPayload], bool]:
    return lambda payload: payload.encoding == encoding


def has_wide_text(packets: list[EnginePacket]) -> bool:
    return any(
        isinstance(one.data, str) and max(one.data, default="") > "\uffff" for one in packets
    )


DRAWN: dict[str, tuple[st.SearchStrategy[Any], Condition]] = {
    "a mixed payload": (
        sio.payloads(),
        lambda p: len({type(packet.data) for packet in p}) == 2,
    ),
    "a wide payload": (sio.payloads(), has_wide_text),
    "a form with LF": (sio.encoded_payloads("jsonp form"), lambda p: b"%5Cn" in p.body),
    "a form with an escaped LF": (
        sio.encoded_payloads("jsonp form"),
        lambda p: b"%5C%5Cn" in p.body,
    ),
    "a wide form": (sio.encoded_payloads("jsonp form"), lambda p: has_wide_text(p.packets)),
}
DRAWN["a mixed payload of Engine.IO 4"] = (
    sio.payloads(version=4),
    lambda p: len({type(packet.data) for packet in p}) == 2,
)
DRAWN |= {one: (sio.encoded_payloads(), encoded_as(one)) for one in ENCODINGS}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_drawn(name: str) -> None:
    assert is_drawn(*DRAWN[name])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "condition", "body"),
    [
        ("text", lambda p: len(p.packets) == 2, b"1:01:0"),
        ("text", lambda p: p.packets[-1].type is EnginePacketType.MESSAGE, b"1:4"),
        ("base64", lambda p: isinstance(p.packets[0].data, bytes), b"2:b0"),
        ("binary", lambda p: True, b"\0\1\xff0"),
        ("jsonp form", lambda p: True, b"d=1%3A0"),
        ("jsonp script", lambda p: True, b'___eio[0]("1:0");'),
        ("separated", lambda p: len(p.packets) == 2, b"0\x1e0"),
        ("separated", lambda p: isinstance(p.packets[0].data, bytes), b"b"),
    ],
)
def test_simplest(
    encoding: sio.Encoding, condition: Callable[[sio.EncodedPayload], bool], body: bytes
) -> None:
    assert simplest(sio.encoded_payloads(encoding), condition).body == body


def decode_script(body: bytes) -> Iterator[EnginePacket]:
    text = body.decode().removeprefix("___eio[0](").removesuffix(");")
    return decode_text_payload(json.loads(text).encode())


DECODERS: dict[sio.Encoding, Callable[[bytes], Iterator[EnginePacket]]] = {
    "text": decode_text_payload,
    "base64": decode_text_payload,
    "binary": decode_binary_payload,
    "jsonp form": decode_jsonp_payload,
    "jsonp script": decode_script,
    "separated": codec_v4.decode_payload,
}


def test_each_encoding_is_decoded() -> None:
    assert tuple(DECODERS) == ENCODINGS + ENCODINGS_4


@pytest.mark.parametrize("encoding", DECODERS)
@given(data=st.data())
def test_a_body_holds_its_packets(encoding: sio.Encoding, data: st.DataObject) -> None:
    drawn = data.draw(sio.encoded_payloads(encoding))
    assert drawn.encoding == encoding
    assert drawn.packets
    assert list(DECODERS[encoding](drawn.body)) == drawn.packets
    if encoding == "text":
        assert all(isinstance(packet.data, str) for packet in drawn.packets)


@given(payload=sio.payloads(binary=False))
def test_without_binary(payload: list[EnginePacket]) -> None:
    assert payload
    assert all(isinstance(packet.data, str) for packet in payload)


@given(payload=sio.payloads(version=4), encoded=sio.encoded_payloads(version=4))
def test_those_of_engine_io_4(payload: list[EnginePacket], encoded: sio.EncodedPayload) -> None:
    assert encoded.encoding == "separated"
    for packet in (*payload, *encoded.packets):
        if isinstance(packet.data, bytes):
            assert packet.type is EnginePacketType.MESSAGE
        else:
            assert "\x1e" not in packet.data
