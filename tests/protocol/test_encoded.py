"""One packet, and its bytes for each transport, each made once."""

import base64
import tracemalloc

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.encoded import (
    LARGE,
    POLL3_BINARY,
    POLL3_TEXT,
    WS3,
    WS3_BASE64,
    Encoded,
    WireFormat,
)
from trio_sio.protocol.engineio.codec_v3 import (
    decode_binary_payload,
    decode_text_payload,
    encode_binary_payload,
    encode_text_payload,
)
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.protocol.websocket.frame import BINARY, TEXT, frame
from trio_sio.testing import strategies as sio

FORMATS = (WS3, WS3_BASE64, POLL3_TEXT, POLL3_BINARY)
TEXT_PART = '42["x","é😀"]'  # 12 characters, 13 UTF-16 code units, 16 bytes
MESSAGES = (TEXT_PART[1:], b"\x01\x02\x03\xff")

# What one packet is on each transport; design, section 5.1.
WIRES: list[tuple[WireFormat, bytes]] = [
    (WS3, b"\x81\x10" + TEXT_PART.encode() + b"\x82\x05\x04\x01\x02\x03\xff"),
    (WS3_BASE64, b"\x81\x10" + TEXT_PART.encode() + b"\x81\x0ab4AQID/w=="),
    (POLL3_TEXT, b"13:" + TEXT_PART.encode() + b"10:b4AQID/w=="),
    (
        POLL3_BINARY,
        b"\x00\x01\x06\xff" + TEXT_PART.encode() + b"\x01\x05\xff\x04\x01\x02\x03\xff",
    ),
]


@pytest.mark.parametrize(("wire_format", "wire"), WIRES, ids=lambda value: repr(value)[:24])
def test_wire(wire_format: WireFormat, wire: bytes) -> None:
    assert Encoded.of_messages(MESSAGES).wire(wire_format) == wire


@pytest.mark.parametrize("first", FORMATS, ids=repr)
@pytest.mark.parametrize("then", FORMATS, ids=repr)
def test_bytes_are_made_once_for_each_format(first: WireFormat, then: WireFormat) -> None:
    """python-engineio keeps one form whatever it is for, and sends base64 to WebSockets."""
    item = Encoded.of_messages(MESSAGES)
    made = item.wire(first)
    other = item.wire(then)
    assert other == Encoded.of_messages(MESSAGES).wire(then)
    assert item.wire(first) is made
    assert item.wire(then) is other


@pytest.mark.parametrize("first", FORMATS, ids=repr)
@pytest.mark.parametrize("then", FORMATS, ids=repr)
@pytest.mark.parametrize("padding", [LARGE - 20, LARGE, 70_000])
def test_a_large_packet_is_kept_in_one_form(
    first: WireFormat, then: WireFormat, padding: int
) -> None:
    """Whatever is asked of it, in which order."""
    messages = (TEXT_PART[1:] + "é" * (padding // 2), b"\x01\x02\xff" * (padding // 3), "", b"")
    parts = Encoded.of_messages(messages).parts
    wires = [Encoded.of_messages(messages).wire(kind) for kind in FORMATS]
    item = Encoded.of_messages(messages)
    tracemalloc.start()
    try:
        for kind in (first, then, *FORMATS):
            assert item.wire(kind) == wires[FORMATS.index(kind)]
            assert item.parts == parts
            assert item.wire(WS3) is item.wire(WS3)
        del kind
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert item.size - LARGE < kept < item.size + LARGE  # the frames; what was its parts is ours


def test_a_lone_surrogate_in_a_large_packet() -> None:
    """It leaves as U+FFFD, whatever it is asked for first."""
    message = "\ud800" + "x" * LARGE
    expected = Encoded.of_messages([message]).wire(POLL3_TEXT)
    item = Encoded.of_messages([message])
    assert b"\xef\xbf\xbd" in item.wire(WS3)
    assert item.wire(POLL3_TEXT) == expected


@given(binary=st.binary(min_size=1))
def test_no_base64_goes_to_a_websocket(binary: bytes) -> None:
    item = Encoded.of_messages([binary])
    assert base64.b64encode(binary) in item.wire(POLL3_TEXT)
    assert item.wire(WS3) == frame(BINARY, b"\x04" + binary)


@given(items=st.lists(sio.socketio_packets(), min_size=1, max_size=4))
def test_a_batch_is_a_payload(items: list[Packet]) -> None:
    messages = [encode(packet) for packet in items]
    batch = [Encoded.of_messages(parts) for parts in messages]
    packets = [
        EnginePacket(EnginePacketType.MESSAGE, message) for parts in messages for message in parts
    ]
    assert POLL3_TEXT.join(batch) == encode_text_payload(packets)
    assert POLL3_BINARY.join(batch) == encode_binary_payload(packets)
    assert list(decode_text_payload(POLL3_TEXT.join(batch))) == packets
    assert list(decode_binary_payload(POLL3_BINARY.join(batch))) == packets
    assert WS3.join(batch) == b"".join(
        frame(TEXT, f"4{packet.data}".encode())
        if isinstance(packet.data, str)
        else frame(BINARY, b"\x04" + packet.data)
        for packet in packets
    )


def test_lone_surrogates_are_replaced_on_every_transport() -> None:
    item = Encoded.of_messages(["2[\ud800]"])
    replaced = "42[\ufffd]".encode()
    assert item.wire(WS3) == frame(TEXT, replaced)
    assert item.wire(POLL3_TEXT) == b"5:" + replaced
    assert item.wire(POLL3_BINARY) == b"\x00\x07\xff" + replaced


@pytest.mark.parametrize(
    ("parts", "size", "has_binary"),
    [
        (("2",), 1, False),
        ((TEXT_PART,), 16, False),
        (('451-["b"]', b"\x01\x02"), 11, True),
        ((b"",), 0, True),
        ((), 0, False),
    ],
)
def test_size(parts: tuple[str | bytes, ...], size: int, has_binary: bool) -> None:
    item = Encoded(parts)
    assert item.size == size
    assert item.has_binary is has_binary
    assert item.parts == parts


def test_flags() -> None:
    for item in (Encoded(("2",)), Encoded.of_messages(["2"])):
        assert item.compress
        assert not item.droppable
    item = Encoded.of_messages(["2"], compress=False, droppable=True)
    assert not item.compress
    assert item.droppable


def test_raw_is_for_one_format_and_adds_nothing_elsewhere() -> None:
    item = Encoded.raw(WS3, b"\x88\x00")
    assert item.wire(WS3) == b"\x88\x00"
    assert item.size == 2
    assert WS3.join([Encoded(("3",)), item]) == b"\x81\x013\x88\x00"
    assert item.wire(POLL3_TEXT) == b""


def test_repr() -> None:
    assert repr(Encoded(("3",))) == "<Encoded ('3',)>"
    assert [repr(one) for one in FORMATS] == [
        "<WireFormat ws3>",
        "<WireFormat ws3-base64>",
        "<WireFormat poll3-text>",
        "<WireFormat poll3-binary>",
    ]
