"""Socket.IO packets and their messages, both ways; protocol reference, sections 6.1 to 6.5."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.protocol.oracle import null_view
from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import Encoder, encode
from trio_sio.protocol.socketio.packet import JSON, MAX_ATTACHMENTS, Packet, PacketType
from trio_sio.testing import strategies as sio

CONNECT, DISCONNECT, EVENT, ACK, ERROR, BINARY_EVENT, BINARY_ACK = PacketType

Messages = list[str | bytes]


def placeholder(number: int) -> str:
    return f'{{"_placeholder":true,"num":{number}}}'


# Both ways.
GOLDEN: list[tuple[Packet, Messages]] = [
    (Packet(CONNECT), ["0"]),
    (Packet(CONNECT, "/admin"), ["0/admin,"]),
    (Packet(CONNECT, "/admin?token=1234&uid=abcd"), ["0/admin?token=1234&uid=abcd,"]),
    (Packet(CONNECT, "/admin?a=b&c=%2C&EIO=9&a=2"), ["0/admin?a=b&c=%2C&EIO=9&a=2,"]),
    # Of Socket.IO 5.
    (Packet(CONNECT, "/adm", {"sid": "S"}), ['0/adm,{"sid":"S"}']),
    (Packet(ERROR, "/mid", {"message": "no", "data": 0}), ['4/mid,{"message":"no","data":0}']),
    (Packet(ERROR, "/mid", {"message": "no"}), ['4/mid,{"message":"no"}']),
    (
        Packet(BINARY_EVENT, data=["m2", b"\x02", "Q.0"]),
        [f'51-["m2",{placeholder(0)},"Q.0"]', b"\x02"],
    ),
    (Packet(DISCONNECT), ["1"]),
    (Packet(DISCONNECT, "/admin"), ["1/admin,"]),
    (Packet(EVENT, data=["hello", 1]), ['2["hello",1]']),
    (Packet(EVENT, data=["ferret", "tobi"], id=0), ['20["ferret","tobi"]']),
    (
        Packet(EVENT, "/admin", ["project:delete", 123], 456),
        ['2/admin,456["project:delete",123]'],
    ),
    (Packet(EVENT, "/admin", ["x"], 12), ['2/admin,12["x"]']),
    (Packet(EVENT, data=[1, "z"]), ['2[1,"z"]']),
    (Packet(EVENT, data=[""]), ['2[""]']),
    (Packet(EVENT, data=["__proto__", {"__proto__": 1}]), ['2["__proto__",{"__proto__":1}]']),
    (Packet(EVENT), ["2"]),
    (Packet(EVENT, "/a", id=7), ["2/a,7"]),
    (Packet(ACK, data=[], id=456), ["3456[]"]),
    (Packet(ACK, "/admin", [], 456), ["3/admin,456[]"]),
    (Packet(ACK, data=["r", {"a": 1}], id=12), ['312["r",{"a":1}]']),
    (Packet(ACK, id=0), ["30"]),
    (Packet(ERROR, data="Not authorized"), ['4"Not authorized"']),
    (Packet(ERROR, "/admin", "Not authorized"), ['4/admin,"Not authorized"']),
    (Packet(ERROR, data={"code": 7}), ['4{"code":7}']),
    (Packet(ERROR, data=[]), ["4[]"]),
    (Packet(ERROR), ["4"]),
    (Packet(ERROR, "/a"), ["4/a,"]),
    (
        Packet(BINARY_EVENT, data=["hello", b"\x01\x02\x03"]),
        [f'51-["hello",{placeholder(0)}]', b"\x01\x02\x03"],
    ),
    (
        Packet(BINARY_EVENT, "/admin", ["project:delete", b"\x01"], 456),
        [f'51-/admin,456["project:delete",{placeholder(0)}]', b"\x01"],
    ),
    (
        Packet(BINARY_EVENT, data=["x", {"a": b"1"}, [b"2"]]),
        [f'52-["x",{{"a":{placeholder(0)}}},[{placeholder(1)}]]', b"1", b"2"],
    ),
    (  # depth first
        Packet(BINARY_EVENT, data=[0, {"b": [b"1", {"z": b"2"}], "a": b"3"}]),
        [
            f'53-[0,{{"b":[{placeholder(0)},{{"z":{placeholder(1)}}}],"a":{placeholder(2)}}}]',
            *(b"1", b"2", b"3"),
        ],
    ),
    (
        Packet(BINARY_ACK, data=[b"1", {"b": b"2"}], id=12),
        [f'62-12[{placeholder(0)},{{"b":{placeholder(1)}}}]', b"1", b"2"],
    ),
    (Packet(BINARY_EVENT, data=["x", b""]), [f'51-["x",{placeholder(0)}]', b""]),
    (Packet(EVENT, data=["é😀", "\u2028\x7f"]), ['2["é😀","\u2028\x7f"]']),
    (Packet(EVENT, data=["\ud800", "a\udc00\\"]), [r'2["\ud800","a\udc00\\"]']),
    (Packet(EVENT, data=['"\\/\b\f\n\r\t\x00\x1f']), [r'2["\"\\/\b\f\n\r\t\u0000\u001f"]']),
    (Packet(EVENT, data=["x", None, True, False]), ['2["x",null,true,false]']),
    (Packet(EVENT, data=[2**53 + 1, -(2**64)]), ["2[9007199254740993,-18446744073709551616]"]),
    (Packet(EVENT, data=["x", 1e21, 0.1, -1.5e-7]), ['2["x",1e+21,0.1,-1.5e-07]']),
    # Without attachments nothing looks for placeholders.
    (Packet(EVENT, data=["x", {"_placeholder": True, "num": 0}]), [f'2["x",{placeholder(0)}]']),
]


@pytest.mark.parametrize(("packet", "messages"), GOLDEN)
def test_golden(packet: Packet, messages: Messages) -> None:
    assert encode(packet) == messages
    decoder = Decoder()
    *heads, whole = [decoder.feed(message) for message in messages]
    assert not any(heads)
    assert whole == packet
    assert repr(whole) == repr(packet)  # where True is not 1, nor 1 1.0


@given(packet=sio.socketio_packets())
def test_round_trip(packet: Packet) -> None:
    decoder = Decoder()
    *heads, whole = [decoder.feed(message) for message in encode(packet)]
    assert not any(heads)
    assert whole == packet
    assert repr(whole) == repr(packet)


@given(packets=st.lists(sio.socketio_packets(), max_size=5))
def test_one_encoder_and_one_decoder_for_many_packets(packets: list[Packet]) -> None:
    encoder, decoder = Encoder(), Decoder()
    messages = [message for packet in packets for message in encoder.encode(packet)]
    fed = [decoder.feed(message) for message in messages]
    assert [packet for packet in fed if packet is not None] == packets


# --- what else may be sent -----------------------------------------------------------------------


class Colour(str):
    """What an application may derive from a type of JSON's."""

    __slots__ = ()


VALUES: list[tuple[Any, str]] = [
    (math.nan, "null"),
    (math.inf, "null"),
    ([-math.inf, {"a": math.nan}], '[null,{"a":null}]'),
    ((1, (2,)), "[1,[2]]"),
    ((math.nan,), "[null]"),
    (-0.0, "-0.0"),
    (1.0, "1.0"),
    (PacketType.ACK, "3"),
    (Colour("red"), '"red"'),
    ({1: "a", None: "b", False: "c", 1.5: "d"}, '{"1":"a","null":"b","false":"c","1.5":"d"}'),
    ({math.nan: 1, math.inf: 2, -math.inf: 3}, '{"NaN":1,"Infinity":2,"-Infinity":3}'),
    ({1.5: math.nan, math.nan: 1.5}, '{"1.5":null,"NaN":1.5}'),
    (datetime(1970, 1, 1, tzinfo=UTC), '"1970-01-01T00:00:00.000Z"'),
    (
        datetime(2020, 2, 29, 1, 2, 3, 456789, timezone(timedelta(hours=2))),
        '"2020-02-28T23:02:03.456Z"',
    ),
    (datetime(2020, 2, 29, 1, 2, 3), '"2020-02-29T01:02:03"'),  # of no time zone
    (date(2020, 2, 29), '"2020-02-29"'),
    ("\ud83d\ude00", r'"\ud83d\ude00"'),  # a pair in two: the receiver reads one character
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_value(value: JSON, text: str) -> None:
    assert encode(Packet(EVENT, data=["x", value])) == [f'2["x",{text}]']


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_are_attachments(kind: type[bytes]) -> None:
    packet = Packet(EVENT, data=["x", kind(b"\x01\x02")])
    (text, attachment) = encode(packet)
    assert text == f'51-["x",{placeholder(0)}]'
    assert attachment == b"\x01\x02"
    assert type(attachment) is bytes


def test_an_attachment_is_a_snapshot() -> None:
    data: Any = bytearray(b"before")
    messages = encode(Packet(EVENT, data=["x", data]))
    data[:] = b"after!"
    assert messages[1] == b"before"


def test_nan_beside_an_attachment() -> None:
    messages = encode(Packet(EVENT, data=["x", b"1", math.nan, b"2"]))
    assert messages == [f'52-["x",{placeholder(0)},null,{placeholder(1)}]', b"1", b"2"]


@given(packet=sio.socketio_packets(finite=False))
def test_what_is_not_finite_arrives_as_null(packet: Packet) -> None:
    decoder = Decoder()
    *_, whole = [decoder.feed(message) for message in encode(packet)]
    assert whole == Packet(packet.type, packet.namespace, null_view(packet.data), packet.id)


def test_the_type_follows_the_data() -> None:
    """`50-…` makes JavaScript clients throw, so a binary type without bytes is a plain one."""
    assert encode(Packet(BINARY_EVENT, data=["x"])) == ['2["x"]']
    assert encode(Packet(BINARY_ACK, data=[], id=1)) == ["31[]"]
    assert encode(Packet(BINARY_EVENT, "/a")) == ["2/a,"]
    assert encode(Packet(ACK, data=[b"1"], id=1))[0] == f"61-1[{placeholder(0)}]"


def test_without_binary() -> None:
    packet = Packet(EVENT, data=["b", b"\x01\x02", {"c": b""}])
    assert Encoder().encode(packet, binary=False) == [
        '2["b",{"type":"Buffer","data":[1,2]},{"c":{"type":"Buffer","data":[]}}]'
    ]


# --- what may not --------------------------------------------------------------------------------


def circle(*values: float) -> list[Any]:
    made: list[Any] = [*values]
    made.append(made)
    return made


def deep(depth: int) -> list[Any]:
    made: list[Any] = [math.nan]
    for _ in range(depth):
        made = [made]
    return made


REFUSED: list[tuple[Any, str]] = [
    (object(), r"JSON: object at args\[0\]"),
    ({1, 2}, r"JSON: set at args\[0\]"),
    (1j, r"JSON: complex at args\[0\]"),
    ({b"key": 1}, r"a key of type bytes at args\[0\]"),
    (circle(), r"args\[0\]\[0\] contains itself: it is args\[0\]"),
    (circle(math.nan), "cannot be sent as JSON"),
    (deep(100_000), "cannot be sent as JSON"),
    (10**5000, "Exceeds the limit"),
    ([math.nan, 10**5000], "Exceeds the limit"),
    ([math.nan, object()], r"JSON: object at args\[0\]\[1\]"),
    ([math.nan, datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))], "out of range"),
    (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "out of range"),
    ([b"x"] * 11, "11 binary values in one packet; max_attachments is 10"),
    ([b"x", {"_placeholder": True}], "cannot be sent together with binary values"),
    ([b"x", {"num": 0, "_placeholder": True}], "cannot be sent together with binary values"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=lambda value: type(value).__name__)
def test_refused(value: JSON, message: str) -> None:
    encoder = Encoder()
    with pytest.raises(LocalProtocolError, match=message):
        encoder.encode(Packet(EVENT, data=["x", value]))
    # What was refused leaves nothing behind.
    assert encoder.encode(Packet(EVENT, data=["y"])) == ['2["y"]']


@pytest.mark.parametrize(
    "value",
    [
        {"_placeholder": 1},
        {"_placeholder": False},
        {"_placeholder": "true"},
        '{"_placeholder":true',
        {'"_placeholder': True},
        {',"_placeholder': True, "a": [{'x,"_placeholder': True}]},
        {"placeholder": True},
    ],
)
def test_what_only_looks_like_a_placeholder(value: JSON) -> None:
    packet = Packet(BINARY_EVENT, data=["x", b"1", value])
    decoder = Decoder()
    assert [decoder.feed(message) for message in encode(packet)] == [None, packet]


@pytest.mark.parametrize("kind", [CONNECT, DISCONNECT, ERROR])
def test_only_events_and_acknowledgements_carry_binary(kind: PacketType) -> None:
    with pytest.raises(LocalProtocolError, match=f"of type {kind.name} cannot carry binary"):
        encode(Packet(kind, data=[b"x"]))


@pytest.mark.parametrize("data", [0, 5, 1.5, math.nan, True, False])
def test_the_data_of_an_error_is_not_a_number(data: JSON) -> None:
    with pytest.raises(LocalProtocolError, match="must not be a number or a bool"):
        encode(Packet(ERROR, data=data))


def test_most_attachments() -> None:
    packet = Packet(BINARY_EVENT, data=["x", *[b"y"] * MAX_ATTACHMENTS])
    assert len(encode(packet)) == 1 + MAX_ATTACHMENTS
    many = Packet(BINARY_EVENT, data=["x", *[b"y"] * 20])
    messages = Encoder(max_attachments=20).encode(many)
    decoder = Decoder(max_attachments=20)
    assert [decoder.feed(message) for message in messages][-1] == many
