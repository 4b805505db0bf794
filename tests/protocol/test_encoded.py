"""One packet, and its bytes for each transport, each made once."""

import base64
import tracemalloc

import pytest
from hypothesis import example, given, strategies as st

from tests.support.examples import examples
from trio_sio.protocol.encoded import (
    LARGE,
    POLL3_BINARY,
    POLL3_TEXT,
    POLL4,
    WS3,
    WS3_BASE64,
    WS4,
    WS4_BASE64,
    Encoded,
    WireFormat,
)
from trio_sio.protocol.engineio.codec_v3 import (
    decode_binary_payload,
    decode_text_payload,
    encode_binary_payload,
    encode_text_payload,
)
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType, utf8
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.protocol.websocket.frame import BINARY, TEXT, frame
from trio_sio.testing import strategies as sio

FORMATS = (WS3, WS3_BASE64, POLL3_TEXT, POLL3_BINARY)
FORMATS_4 = (WS4, WS4_BASE64, POLL4)
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
    assert [repr(one) for one in (*FORMATS, *FORMATS_4)] == [
        "<WireFormat ws3>",
        "<WireFormat ws3-base64>",
        "<WireFormat poll3-text>",
        "<WireFormat poll3-binary>",
        "<WireFormat ws4>",
        "<WireFormat ws4-base64>",
        "<WireFormat poll4>",
    ]


TEXTS = st.text(st.characters(), max_size=5)
SHORT: st.SearchStrategy[str | bytes] = TEXTS | st.binary(max_size=5)
LONG = st.tuples(SHORT.filter(bool), st.sampled_from([LARGE // 5, LARGE])).map(
    lambda one: one[0] * one[1]
)


MANY = st.lists(SHORT | LONG, min_size=1, max_size=4)
ORDERS = st.lists(st.sampled_from([*FORMATS, *FORMATS_4]), min_size=1, max_size=6)


def spelled(part: str | bytes, wire_format: WireFormat) -> bytes:
    """One part as the table of the module says."""
    packet = EnginePacket(EnginePacketType.MESSAGE, part[1:] if isinstance(part, str) else part)
    if wire_format is POLL3_TEXT:
        return encode_text_payload([packet])
    if wire_format is POLL3_BINARY:
        return encode_binary_payload([packet])
    if isinstance(part, str):
        return utf8(part) if wire_format is POLL4 else frame(TEXT, utf8(part))
    text = (b"b4" if wire_format is WS3_BASE64 else b"b") + base64.b64encode(part)
    if wire_format in (WS3, WS4):
        return frame(BINARY, part if wire_format is WS4 else b"\x04" + part)
    return text if wire_format is POLL4 else frame(TEXT, text)


@examples(50)
@given(MANY, ORDERS, st.booleans(), st.booleans())
def test_whatever_is_asked_for_in_whatever_order(
    messages: list[str | bytes], order: list[WireFormat], compress: bool, droppable: bool
) -> None:
    item = Encoded.of_messages(messages, compress=compress, droppable=droppable, on_overflow="x")
    assert (item.compress, item.droppable, item.on_overflow) == (compress, droppable, "x")
    parts = [f"4{one}" if isinstance(one, str) else one for one in messages]
    for kind in order:
        joiner = b"\x1e" if kind is POLL4 else b""
        assert item.wire(kind) == joiner.join(spelled(part, kind) for part in parts)
    sent = [utf8(one).decode() if isinstance(one, str) else one for one in parts]
    assert [*item.parts] in (parts, sent)
    assert item.size == sum(len(utf8(one) if isinstance(one, str) else one) for one in parts)
    assert item.has_binary == any(isinstance(one, bytes) for one in messages)
    assert repr(item) == f"<Encoded {item.parts!r}>"
    assert repr(order[0]) == f"<WireFormat {order[0].name}>"


@examples(50)
@given(MANY, ORDERS)
@example([b"a" * LARGE], [WS4, WS3])
@example([b"a" * LARGE], [WS3, WS4])
@example([b"a", "b"], [WS4, WS4_BASE64, POLL4])
def test_other_binary_messages_go_to_clients_of_engineio_4(
    messages: list[str | bytes], order: list[WireFormat]
) -> None:
    others = [one if isinstance(one, str) else b"\xff" + one for one in messages]
    item = Encoded.of_messages(messages)
    item.make_otherwise(lambda: others)
    for kind in order:
        expected = Encoded.of_messages(others if kind in FORMATS_4 else messages)
        assert item.parts_for(kind) == expected.parts
        assert item.wire(kind) == expected.wire(kind)
        assert item.parts == Encoded.of_messages(messages).parts


@pytest.mark.parametrize("kind", [WS3_BASE64, POLL3_TEXT, POLL3_BINARY, WS4_BASE64, POLL4])
def test_from_which_size_on_a_packet_is_large(kind: WireFormat) -> None:
    """Only frames of it are kept then, and the last byte counts."""
    small, large = Encoded.of(bytes(LARGE - 1)), Encoded.of(bytes(LARGE))
    assert small.wire(kind) is small.wire(kind)
    assert large.wire(kind) is not large.wire(kind)
    assert large.wire(WS3) is large.wire(WS3)


@given(SHORT, st.none() | st.integers() | st.lists(SHORT))
def test_a_message_is_text_or_bytes(message: str | bytes, other: object) -> None:
    item = Encoded.of(message)
    assert Encoded.of(item) is item
    assert item.parts == Encoded.of_messages([message]).parts
    with pytest.raises(TypeError, match="a message is str or bytes, not "):
        Encoded.of(other)  # type: ignore[arg-type]


@given(st.sampled_from([*FORMATS, *FORMATS_4]), st.binary())
def test_finished_bytes_stay_as_they_are(wire_format: WireFormat, data: bytes) -> None:
    item = Encoded.raw(wire_format, data)
    assert item.wire(wire_format) is data
    assert item.size == len(data)
    assert item.parts == ()
