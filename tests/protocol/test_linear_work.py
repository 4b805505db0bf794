"""No input makes a decoder work more than in proportion to its length.

Nothing here looks at a clock. What a decoder copies out of its input is counted; besides, there
are inputs so long that quadratic work would not end.
"""

import sys
from collections.abc import Callable, Iterator
from typing import SupportsIndex, overload

import pytest

from trio_sio.protocol.engineio.codec_v3 import (
    decode_binary_payload,
    decode_jsonp_payload,
    decode_text_payload,
)
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.packet import MAX_ATTACHMENTS, Packet, PacketType

pytestmark = pytest.mark.slow


class Text(str):
    """Text that notes how much is copied out of it, and out of what is made of it."""

    __slots__ = ("copied",)
    copied: list[int]

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        piece = super().__getitem__(key)
        self.copied.append(len(piece))
        return Text.of(piece, self.copied)

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return Body.of(super().encode(encoding, errors), self.copied)

    @classmethod
    def of(cls, text: str, copied: list[int]) -> "Text":
        made = cls(text)
        made.copied = copied
        return made


class Body(bytes):
    """Bytes that do the same."""

    copied: list[int]

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> bytes: ...
    def __getitem__(self, key: SupportsIndex | slice) -> int | bytes:
        if not isinstance(key, slice):
            self.copied.append(1)
            return super().__getitem__(key)
        piece = super().__getitem__(key)
        self.copied.append(len(piece))
        return Body.of(piece, self.copied)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return Text.of(super().decode(encoding, errors), self.copied)

    @classmethod
    def of(cls, body: bytes, copied: list[int]) -> "Body":
        made = cls(body)
        made.copied = copied
        return made


Decode = Callable[[bytes], Iterator[EnginePacket]]

# One packet of each form, again and again.
PIECES: list[tuple[Decode, bytes]] = [
    (decode_text_payload, b"1:2"),
    (decode_text_payload, b"0:1:2"),
    (decode_text_payload, "2:4\u20ac".encode()),
    (decode_text_payload, "3:4\U0001f600".encode()),
    (decode_text_payload, b"4:b4QQ"),
    (decode_text_payload, b"2:4\xff"),
    (decode_binary_payload, b"\x00\x01\xff2"),
    (decode_binary_payload, b"\x00\x04\xff4\xe2\x82\xac"),
    (decode_binary_payload, b"\x01\x02\xff\x04\x07"),
    (decode_binary_payload, b"\x01\x00\xff"),
]


@pytest.mark.parametrize(("decode", "piece"), PIECES)
@pytest.mark.parametrize("count", [10, 1000])
def test_what_is_copied(decode: Decode, piece: bytes, count: int) -> None:
    copied: list[int] = []
    body = Body.of(piece * count, copied)
    assert len(list(decode(body))) == count
    # Each copy of all that is left would make it `count / 2` times the length.
    assert len(body) / 2 < sum(copied) < 15 * len(body)


@pytest.mark.parametrize(("decode", "piece"), [*PIECES, (decode_jsonp_payload, b"1:2")])
def test_a_payload_of_200_000_packets(decode: Decode, piece: bytes) -> None:
    start = b"d=" if decode is decode_jsonp_payload else b""
    assert sum(1 for _ in decode(start + piece * 200_000)) == 200_000


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (decode_text_payload, b"1" * 1_000_000),
        (decode_text_payload, b":" * 1_000_000),
        (decode_text_payload, b"1:2" * 300_000 + b"x"),
        (decode_text_payload, "\u20ac".encode() * 300_000),
        (decode_binary_payload, b"\x00" * 1_000_000),
        (decode_binary_payload, b"\x01\x00\xff" * 300_000 + b"\x01"),
        (decode_jsonp_payload, b"d=" + b"%5C" * 300_000),
        (decode_jsonp_payload, b"d=" + b"\\n" * 300_000),
        (decode_jsonp_payload, b"=" * 1_000_000 + b"&d=x"),
    ],
)
def test_a_megabyte_of_nonsense(decode: Decode, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        for _ in decode(body):
            pass


@pytest.mark.parametrize("junk", ["=" * 1_000_000, "A" * 1_000_000 + "!", "-" * 1_000_000])
def test_a_megabyte_of_almost_base64(junk: str) -> None:
    body = f"{len(junk) + 2}:b4{junk}".encode()
    (packet,) = decode_text_payload(body)
    assert len(packet.data) <= len(junk) * 3 // 4


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("2/" + "x" * 1_000_000, Packet(PacketType.EVENT, "/" + "x" * 1_000_000)),
        ("2[" + '"x",' * 250_000 + "1]", Packet(PacketType.EVENT, data=["x"] * 250_000 + [1])),
        ("3[" + "[]," * 250_000 + "[]]", Packet(PacketType.ACK, data=[[] for _ in range(250_001)])),
    ],
)
def test_a_long_message(text: str, packet: Packet) -> None:
    assert Decoder().feed(text) == packet


def test_a_placeholder_repeated_shares_its_bytes() -> None:
    """A small packet must not grow into copies of a large attachment."""
    decoder = Decoder()
    placeholder = '{"_placeholder":true,"num":0}'
    assert decoder.feed("51-[0," + ",".join([placeholder] * 10_000) + "]") is None
    attachment = bytes(1_000_000)
    packet = decoder.feed(attachment)
    assert packet is not None
    assert all(value is attachment for value in packet.args)


@pytest.mark.parametrize(
    "text", ["5" + "1" * 1_000_000, "2" + "1" * 1_000_000, "2[" + "1" * 1_000_000]
)
def test_a_megabyte_of_digits(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Decoder().feed(text)


def test_attachments_are_bounded() -> None:
    with pytest.raises(RemoteProtocolError, match="too many attachments"):
        Decoder().feed(f'5{MAX_ATTACHMENTS + 1}-["x"]')


@pytest.mark.parametrize("behind", ["", "2:4€"], ids=["ascii", "wide"])
@pytest.mark.parametrize("empty", ["0:", "00:", "0000000000:"])
def test_packets_of_no_length_cost_one_step(empty: str, behind: str) -> None:
    """No limit counts them, and a body may consist of millions."""
    body = (empty * 30_000 + "1:6" + behind + empty * 2 + "1:2").encode()
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        packets = list(decode_text_payload(body))
    finally:
        sys.setprofile(None)
    assert [packet.type.value for packet in packets] == ([6, 4, 2] if behind else [6, 2])
    assert calls < 200


def test_a_payload_of_packets_of_no_length_alone() -> None:
    assert list(decode_text_payload(b"0:" * 10)) == []
    with pytest.raises(RemoteProtocolError, match="a colon were due"):
        list(decode_text_payload(b"0:0:00000000000:1:6"))
