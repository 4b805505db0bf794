"""Packets and payloads of Engine.IO 4, against golden vectors, and in any order and cut."""

import base64
from contextlib import suppress

import pytest
from hypothesis import example, given, strategies as st

from trio_sio.protocol.encoded import LARGE, POLL4, WS3, WS4, WS4_BASE64, Encoded, WireFormat
from trio_sio.protocol.engineio.codec_v4 import (
    decode_binary,
    decode_payload,
    decode_text,
    encode_payload,
    payload_piece,
)
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType, utf8
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.websocket.frame import BINARY, TEXT, frame
from trio_sio.testing import strategies as sio

MESSAGE = EnginePacketType.MESSAGE

# From the official suite, and from bytes of engine.io 6.6.
PAYLOADS: list[tuple[bytes, list[EnginePacket]]] = [
    (b"4hello", [EnginePacket(MESSAGE, "hello")]),
    (b"4", [EnginePacket(MESSAGE, "")]),
    (b"4x\x1ebAQI=", [EnginePacket(MESSAGE, "x"), EnginePacket(MESSAGE, b"\x01\x02")]),
    (b"6\x1e1", [EnginePacket(EnginePacketType.NOOP), EnginePacket(EnginePacketType.CLOSE)]),
    (b"bAQIDBA==", [EnginePacket(MESSAGE, b"\x01\x02\x03\x04")]),
    (b"b", [EnginePacket(MESSAGE, b"")]),
    (
        "4a\x1e4b€😀".encode(),
        [EnginePacket(MESSAGE, "a"), EnginePacket(MESSAGE, "b€😀")],
    ),
    (
        b"2\x1e4a\x1ebAQ==",
        [
            EnginePacket(EnginePacketType.PING),
            EnginePacket(MESSAGE, "a"),
            EnginePacket(MESSAGE, b"\x01"),
        ],
    ),
]


@pytest.mark.parametrize(("payload", "packets"), PAYLOADS)
def test_payload(payload: bytes, packets: list[EnginePacket]) -> None:
    assert encode_payload(packets) == payload
    assert list(decode_payload(payload)) == packets


@pytest.mark.parametrize("body", ["bAQIDBA", "bAQ\nIDBA", "bAQIDBA==", "b AQIDBA=="])
def test_base64_is_read_as_leniently_as_the_reference_does(body: str) -> None:
    assert decode_text(body) == EnginePacket(MESSAGE, b"\x01\x02\x03\x04")


def test_the_urls_alphabet_of_base64() -> None:
    assert decode_text("b-_8") == EnginePacket(MESSAGE, b"\xfb\xff")


@pytest.mark.parametrize(
    ("body", "good", "seen"),
    [
        (b"", 0, ""),
        (b"\x1e", 0, ""),
        (b"4a\x1e", 1, ""),
        (b"\x1e4a", 0, ""),
        (b"4a\x1e\x1e4b", 1, ""),
        (b"4a\x1e7x\x1e4b", 1, "7"),
        (b"abc", 0, "a"),
        (b"cba", 0, "c"),
        ("\ufeff4a".encode(), 0, "\ufeff"),
        (b"\x044a", 0, "\x04"),
    ],
)
def test_what_comes_before_an_error_is_good(body: bytes, good: int, seen: str) -> None:
    packets = decode_payload(body)
    for _ in range(good):
        next(packets)
    with pytest.raises(RemoteProtocolError) as error:
        next(packets)
    assert error.value.args == ("parse error",)
    assert error.value.hint == f"a packet begins with 0 to 6 or b, this one with {seen!r}"


def test_bytes_that_are_no_text() -> None:
    assert list(decode_payload(b"4a\xff")) == [EnginePacket(MESSAGE, "a\ufffd")]


@given(st.binary(max_size=9))
@example(b"")
@example(b"\x04")
@example(b"4a")
def test_a_binary_frame_is_a_message(data: bytes) -> None:
    assert decode_binary(data) == EnginePacket(MESSAGE, data)


def _sendable(packet: EnginePacket) -> bool:
    """Whether a packet can be written: binary ones are messages, `\\x1e` is no text."""
    if isinstance(packet.data, bytes):
        return packet.type is MESSAGE
    return "\x1e" not in packet.data


@given(st.lists(sio.engineio_packets().filter(_sendable), min_size=1, max_size=8))
def test_what_is_encoded_is_decoded(packets: list[EnginePacket]) -> None:
    assert list(decode_payload(encode_payload(packets))) == packets


@given(sio.garbage())
def test_garbage_is_packets_or_refused(body: bytes) -> None:
    packets: list[EnginePacket] = []
    with suppress(RemoteProtocolError):
        packets.extend(decode_payload(body))  # which keeps what came before an error
    assert len(packets) <= body.count(b"\x1e") + 1
    assert all(isinstance(one.data, str) or one.type is MESSAGE for one in packets)


@given(st.one_of(st.text(max_size=20), st.binary(max_size=20)))
def test_pieces(message: str | bytes) -> None:
    (part,) = Encoded.of_messages([message]).parts
    piece = payload_piece(part)
    packet = decode_text(piece.decode())
    assert packet.type is MESSAGE
    assert packet.data == (message if isinstance(message, bytes) else utf8(message).decode())


# -- on their way out ---------------------------------------------------------------------------

TEXT_PART = '42["x","é😀"]'
DATA = b"\x01\x02\x03\xff"
MESSAGES = (TEXT_PART[1:], DATA)
TEXT_FRAME = frame(TEXT, TEXT_PART.encode())


def test_wire() -> None:
    item = Encoded.of_messages(MESSAGES)
    assert item.wire(WS4) == TEXT_FRAME + frame(BINARY, DATA)
    assert item.wire(WS4_BASE64) == TEXT_FRAME + frame(TEXT, b"bAQID/w==")
    assert item.wire(POLL4) == TEXT_PART.encode() + b"\x1ebAQID/w=="
    assert POLL4.join([item, Encoded.of("b")]) == item.wire(POLL4) + b"\x1e4b"


@given(st.text(), st.booleans())
def test_text_frames_are_the_same_bytes_for_all(text: str, is_first: bool) -> None:
    item = Encoded.of(text)
    frames = item.wire(WS3) if is_first else item.wire(WS4)
    assert item.wire(WS4) is item.wire(WS3) is item.wire(WS4_BASE64) is frames


@pytest.mark.parametrize("size", [10, LARGE, 3 * LARGE])
@pytest.mark.parametrize("formats", [(WS3, WS4), (WS4, WS3), (WS4, POLL4, WS3)])
def test_frames_are_made_once_for_each_version(size: int, formats: tuple[WireFormat, ...]) -> None:
    messages = ("2x", bytes(size))
    item = Encoded.of_messages(messages)
    made = {one: item.wire(one) for one in formats}
    for one, data in made.items():
        assert data == Encoded.of_messages(messages).wire(one)
        assert one is POLL4 or item.wire(one) is data
    assert item.parts == ("42x", bytes(size))


def test_base64_of_a_large_packet() -> None:
    data = bytes(range(256)) * 40
    item = Encoded.of(data)
    assert item.wire(POLL4) == b"b" + base64.b64encode(data)
