"""Broadcasts: byte for byte as socket.io-redis publishes them, and what is refused.

The property that matters: the clients of other servers get what those of this server get.
"""

import math
from collections import OrderedDict, namedtuple
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum

import msgpack
import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.cluster import broadcast
from trio_sio.protocol.cluster.broadcast import (
    ClusterBroadcast,
    begins_with,
    decode_broadcast,
    encode_broadcast,
)
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

SID = "VT3FRS2OPabLDU82AAAA"


def event(*data: object, namespace: str = "/") -> Packet:
    return Packet(PacketType.EVENT, namespace, list(data))  # type: ignore[arg-type]


# Captured from socket.io-redis 5.4.0.
CAPTURED = [
    (
        ClusterBroadcast("5GiuAX", event("hi", 1, "é", None, 1.5, {"a": [True]})),
        (
            "93a635476975415883a47479706502a46461746196a2686901a2c3a9c0cb3ff800000000000081a16191c3"
            "a36e7370a12f82a5726f6f6d7390a5666c61677380"
        ),
    ),
    (
        ClusterBroadcast("5GiuAX", event("one"), ("r2",)),
        (
            "93a635476975415883a47479706502a46461746191a36f6e65a36e7370a12f82a5726f6f6d7391a27232"
            "a5666c61677380"
        ),
    ),
    (
        ClusterBroadcast("5GiuAX", event("bin", b"\x01\x02\x03")),
        (
            "93a635476975415883a47479706505a46461746192a362696ec403010203a36e7370a12f82a5726f6f6d7390"
            "a5666c61677380"
        ),
    ),
    (
        ClusterBroadcast("5GiuAX", event("n", namespace="/adm")),
        (
            "93a635476975415883a47479706502a46461746191a16ea36e7370a42f61646d82a5726f6f6d7390"
            "a5666c61677380"
        ),
    ),
    (
        ClusterBroadcast("5GiuAX", event("n"), volatile=True, compress=False),
        (
            "93a635476975415883a47479706502a46461746191a16ea36e7370a12f82a5726f6f6d7390"
            "a5666c61677382a8766f6c6174696c65c3a8636f6d7072657373c2"
        ),
    ),
    (
        ClusterBroadcast("emitter", event("e2"), ("r",)),
        (
            "93a7656d697474657283a47479706502a46461746191a26532a36e7370a12f82a5726f6f6d7391a172"
            "a5666c61677380"
        ),
    ),
]


@pytest.mark.parametrize(("message", "text"), CAPTURED)
def test_captured_messages(message: ClusterBroadcast, text: str) -> None:
    assert message.encode().hex() == text
    assert decode_broadcast(bytes.fromhex(text)) == message


def test_equal_broadcasts_are_one_key() -> None:
    packet = Packet(PacketType.EVENT, "/")
    assert len({ClusterBroadcast("a", packet), ClusterBroadcast("a", packet)}) == 1


def test_the_sender_is_left_out() -> None:
    message = ClusterBroadcast("5GiuAX", event("bc"), (), (SID,))
    options = {"except": [SID], "rooms": [], "flags": {"broadcast": True}}
    flags = {"broadcast": True}
    payload = encode_broadcast("5GiuAX", event("bc"), (), (SID,), flags)
    assert payload.endswith(msgpack.packb(options))
    assert decode_broadcast(payload) == message
    assert decode_broadcast(message.encode()) == message


ROOMS = st.lists(st.text(max_size=5), max_size=3).map(tuple)


def test_rooms_are_excepted_beside_ids() -> None:
    message = ClusterBroadcast("5GiuAX", event("x"), ("r",), (SID,), excepted_rooms=("red", "blue"))
    options = msgpack.unpackb(message.encode())[2]
    assert list(options.items()) == [
        ("except", [SID, "red", "blue"]),  # all that a server in JavaScript looks at
        ("rooms", ["r"]),
        ("flags", {}),
        ("exceptRooms", ["red", "blue"]),
    ]
    assert decode_broadcast(message.encode()) == message
    alone = ClusterBroadcast("5GiuAX", event("x"), excepted_rooms=("red",), volatile=True)
    assert decode_broadcast(alone.encode()) == alone


def test_the_sender_is_recognized_without_decoding() -> None:
    message = ClusterBroadcast("5GiuAX", event("x")).encode()
    assert begins_with(message, "5GiuAX")
    assert not begins_with(message, "5GiuA")
    assert not begins_with(message, "5GiuAY")
    assert not begins_with(b"", "5GiuAX")


@given(sio.socketio_packets(), ROOMS, ROOMS, st.booleans(), st.booleans(), st.booleans())
def test_round_trip(
    packet: Packet,
    rooms: tuple[str, ...],
    excepted: tuple[str, ...],
    volatile: bool,
    compress: bool,
    binary: bool,
) -> None:
    is_event = packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT)
    data: JSON = packet.data if is_event else ["a"]
    whole = Packet(PacketType.EVENT, packet.namespace, data)
    message = ClusterBroadcast("5GiuAX", whole, rooms, excepted, volatile, compress, binary)
    received = decode_broadcast(message.encode())
    assert (received.rooms, received.excepted) == (rooms, excepted)
    assert (received.volatile, received.compress) == (volatile, compress)
    assert (received.uid, received.packet.namespace) == ("5GiuAX", packet.namespace)
    assert what_clients_get(received.packet, received.binary) == what_clients_get(
        Packet(PacketType.EVENT, packet.namespace, as_floats(data)), binary
    )


def what_clients_get(packet: Packet, binary: bool = True) -> list[str | bytes]:
    return Encoder(max_attachments=1000).encode(packet, binary=binary)


def as_floats(value: JSON) -> JSON:
    """Return a value with its integers beyond 64 bits as JavaScript has them."""
    if isinstance(value, list):
        return [as_floats(one) for one in value]
    if isinstance(value, dict):
        return {key: as_floats(one) for key, one in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return value


class Level(IntEnum):
    LOW = 1


Point = namedtuple("Point", "x y")  # noqa: PYI024 - whatever an application has

VALUES = [
    (1, (2, [3])),
    Point(1, 2),
    Level.LOW,
    OrderedDict(b=1, a=2),
    {1: "a", 2: "b", -3: "c"},
    {1.0: "a", 0.5: "b", 1e16: "c", 1e-7: "d"},
    {math.nan: 1, math.inf: 2, -math.inf: 3},
    {None: 1, True: 2, False: 3},
    {2**70: 1},
    [{"a": {"b": {1.0: b"bytes"}}}],
    math.nan,
    [math.inf, -math.inf, 0.0, -0.0, 1.0, 1e300],
    "\ud800",
    "a\udfff" * 100,
    "\ud83d\ude00",
    {"\ud800": "\ud800"},
    "ł" * 50,
    bytearray(b"abc"),
    memoryview(b"abc"),
    memoryview(b"abcdef")[::2],
    memoryview(bytes(8)).cast("i"),
    {"a": [b"", {"b": b"\xff" * 300}]},
    b"x" * 70_000,
    datetime(2026, 3, 1, 12, 0, 0, 123456, UTC),
    datetime(1950, 3, 1, 12, 0, 0, 123999, timezone(timedelta(hours=5, minutes=30))),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    datetime(2026, 3, 1, 12),  # without a zone: sent as text
    date(2026, 3, 1),
    [2**63, 2**64 - 1, -(2**63), 2**53 + 1],
    ["\x00", "", "\u2028", "\U0001f600"],
    [[]] * 20,
    {str(number): number for number in range(70_000)},
]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_clients_of_other_servers_get_the_same(value: object, binary: bool) -> None:
    packet = event("name", value, [value], {"key": value})
    received = decode_broadcast(ClusterBroadcast("5GiuAX", packet, binary=binary).encode())
    assert what_clients_get(received.packet, received.binary) == what_clients_get(packet, binary)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2**64, "1.8446744073709552e+19"),
        (-(2**63) - 1, "-9.223372036854776e+18"),
        (10**400, "null"),
        (-(10**400), "null"),
    ],
)
def test_integers_beyond_64_bits_are_those_of_javascript(number: int, text: str) -> None:
    received = decode_broadcast(ClusterBroadcast("5GiuAX", event("a", number)).encode())
    assert what_clients_get(received.packet) == [f'2["a",{text}]']


def nested(levels: int) -> object:
    value: object = b"bytes"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("levels", [100, 400, 500, 600])
def test_as_deep_as_json_goes(levels: int) -> None:
    packet = event("a", nested(levels))
    expected = what_clients_get(packet)
    received = decode_broadcast(ClusterBroadcast("5GiuAX", packet).encode())
    assert what_clients_get(received.packet) == expected


def test_deeper_than_the_library_goes() -> None:
    message = ClusterBroadcast("5GiuAX", event("a", nested(3000)))
    received = decode_broadcast(message.encode())
    assert received.encode() == message.encode()
    with pytest.raises(LocalProtocolError, match="nested"):
        ClusterBroadcast("5GiuAX", event("a", nested(20_000))).encode()


def test_what_cannot_be_sent() -> None:
    circular: list[object] = []
    circular.append(circular)
    for value, what in [
        (object(), r"object at args\[0\]"),
        ({"x": {1, 2}}, r'set at args\[0\]\["x"\]'),
        ({1.5: 1, (1, 2): 1}, "keys must be str, int, .* not tuple"),
        (circular, "contains itself"),
    ]:
        with pytest.raises(LocalProtocolError, match=what):
            ClusterBroadcast("5GiuAX", event("a", value)).encode()


# -- type 5, and bytes in a packet of type 2 ------------------------------------------------------


def kind_of(payload: bytes) -> int:
    read = msgpack.unpackb(payload, strict_map_key=False, unicode_errors="replace")
    assert isinstance(read[1]["type"], int)
    return read[1]["type"]


@given(sio.json_values(binary=True))
def test_the_type_is_5_exactly_if_there_are_bytes(value: JSON) -> None:
    payload = ClusterBroadcast("5GiuAX", event("a", value)).encode()
    is_binary = len(Encoder(1000).encode(event("a", as_no_placeholder(value)))) > 1
    assert kind_of(payload) == (5 if is_binary else 2)
    assert kind_of(ClusterBroadcast("5GiuAX", event("a", value), binary=False).encode()) == 2


def as_no_placeholder(value: JSON) -> JSON:
    if isinstance(value, list):
        return [as_no_placeholder(one) for one in value]
    if isinstance(value, dict):
        return {f"x{key}": as_no_placeholder(one) for key, one in value.items()}
    return value


def test_polish_is_not_binary() -> None:
    assert kind_of(ClusterBroadcast("5GiuAX", event("zażółć gęślą jaźń Ā")).encode()) == 2
    assert kind_of(ClusterBroadcast("5GiuAX", event("ł", b"")).encode()) == 5


def message_of(kind: object, *data: object, **fields: object) -> bytes:
    packet = {"type": kind, "data": list(data), "nsp": "/", **fields}
    return bytes(msgpack.packb(["x", packet, {"rooms": [], "flags": {}}]))


def test_an_emitter_in_javascript_sends_bytes_with_type_2() -> None:
    """Its clients get what JSON.stringify makes of a Buffer."""
    received = decode_broadcast(message_of(2, "a", b"\x01\x02"))
    assert not received.binary
    assert what_clients_get(received.packet, received.binary) == [
        '2["a",{"type":"Buffer","data":[1,2]}]'
    ]
    received = decode_broadcast(message_of(5, "a", b"\x01\x02"))
    assert received.binary


def test_an_array_buffer_of_an_emitter_is_not_lost() -> None:
    received = decode_broadcast(message_of(2, "a", msgpack.ExtType(0, b"\x01\x02\x03")))
    assert what_clients_get(received.packet, received.binary) == [
        '2["a",{"type":"Buffer","data":[1,2,3]}]'
    ]


def test_type_5_without_bytes() -> None:
    """At it JavaScript's clients throw, if a server passes it on as it is."""
    received = decode_broadcast(message_of(5, "a"))
    assert what_clients_get(received.packet, received.binary) == ['2["a"]']


# -- what other programs send ---------------------------------------------------------------------

UNDEFINED = msgpack.ExtType(0, b"\x00")


def test_undefined_is_as_in_json() -> None:
    received = decode_broadcast(message_of(2, "a", UNDEFINED, {"x": UNDEFINED, "y": 1}, []))
    assert what_clients_get(received.packet) == ['2["a",null,{"y":1},[]]']
    payload = msgpack.packb(["x", {"type": 2, "data": ["a"], "nsp": UNDEFINED, "id": UNDEFINED}])
    assert decode_broadcast(payload).packet == event("a")


def test_dates_of_javascript() -> None:
    moment = msgpack.ExtType(0, (1500).to_bytes(8, "big"))
    received = decode_broadcast(message_of(2, "a", moment, {"x": moment, "y": UNDEFINED}))
    text = '"1970-01-01T00:00:01.500Z"'
    assert what_clients_get(received.packet) == [f'2["a",{text},{{"x":{text}}}]']


def test_invalid_utf8_is_replaced_as_in_javascript() -> None:
    payload = message_of(2, "a", "xyz").replace(b"xyz", b"x\xffz")
    assert decode_broadcast(payload).packet.data == ["a", "x\N{REPLACEMENT CHARACTER}z"]


PACKET = {"type": 2, "data": ["a"], "nsp": "/"}


@pytest.mark.parametrize(
    "message",
    [
        ["x", PACKET],
        ["x", PACKET, None],
        ["x", PACKET, {}],
        ["x", PACKET, {"rooms": None, "except": None, "flags": None}],
        ["x", PACKET, {"rooms": [], "flags": {}}, True],
        ["x", {"type": 2.0, "data": ["a"]}, {}],
        ["x", {**PACKET, "id": None}, {}],
    ],
)
def test_what_may_be_left_out(message: object) -> None:
    assert decode_broadcast(msgpack.packb(message)) == ClusterBroadcast("x", event("a"))


def test_rooms_and_names_may_be_numbers() -> None:
    payload = msgpack.packb(["x", {**PACKET, "data": [7]}, {"rooms": [5, 7.0], "except": [6]}])
    received = decode_broadcast(payload)
    assert (received.rooms, received.excepted) == (("5", "7"), ("6",))
    assert received.packet.event == "7"


def test_flags() -> None:
    flags = {"json": True, "broadcast": True, "local": False, "volatile": 1, "compress": None}
    received = decode_broadcast(msgpack.packb(["x", PACKET, {"flags": flags}]))
    assert received == ClusterBroadcast("x", event("a"), volatile=True)


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (7, "7 in place of sender"),
        ([], "a list in place of sender"),
        (["x"], "a list that begins with a str in place of sender"),
        ({"uid": "x"}, "a dict in place of sender"),
        ([None, PACKET, {}], "the sender is None"),
        ([b"x", PACKET, {}], "the sender is a bytes"),
        (["", PACKET, {}], "the sender is a str"),
        (["x" * 257, PACKET, {}], "the sender is a str"),
        (["x", None, {}], "None in place of a packet"),
        (["x", [], {}], "a list in place of a packet"),
        (["x", {}, {}], "a packet of type None"),
        (["x", {**PACKET, "type": 3}, {}], "a packet of type 3"),
        (["x", {**PACKET, "type": "2"}, {}], "a packet of type a str"),
        (["x", {**PACKET, "type": True}, {}], "a packet of type True"),
        (["x", {"type": 2}, {}], "an event with None"),
        (["x", {**PACKET, "data": []}, {}], "an event with a list"),
        (["x", {**PACKET, "data": "a"}, {}], "an event with a str"),
        (["x", {**PACKET, "data": [None]}, {}], "an event with a list that begins with None"),
        (["x", {**PACKET, "nsp": None}, {}], "the namespace is None"),
        (["x", {**PACKET, "nsp": 5}, {}], "the namespace is 5"),
        (["x", {**PACKET, "id": 0}, {}], "an event with an id"),
        (["x", {**PACKET, "id": "a"}, {}], "an event with an id"),
        (["x", PACKET, 7], "the options are 7"),
        (["x", PACKET, ["a"]], "the options are a list"),
        (["x", PACKET, {"rooms": "a"}], '"rooms" is a str'),
        (["x", PACKET, {"rooms": {}}], '"rooms" is a dict'),
        (["x", PACKET, {"rooms": [["a"]]}], "a list that begins with a str in place of a room"),
        (["x", PACKET, {"except": [None]}], "None in place of a room"),
        (["x", PACKET, {"flags": [1]}], "the flags are a list"),
        (["x", PACKET, {"flags": "volatile"}], "the flags are a str"),
    ],
)
def test_what_is_refused(message: object, hint: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        decode_broadcast(msgpack.packb(message))
    assert str(refused.value).startswith(f"invalid broadcast: {hint}")


def outcome(payload: bytes) -> str:
    """What is wrong with a message: nothing else may happen than that."""
    try:
        received = decode_broadcast(payload)
    except RemoteProtocolError as error:
        return error.hint
    assert received.packet.type is PacketType.EVENT
    return "nothing"


@given(st.one_of(st.binary(max_size=100), sio.garbage()))
def test_any_bytes(payload: bytes) -> None:
    assert outcome(payload)


@given(st.data())
def test_damaged_messages(data: st.DataObject) -> None:
    payload = bytearray(ClusterBroadcast("5GiuAX", event("a", {"b": [1, b"x"]}), ("r",)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(payload))


def test_work_is_linear() -> None:
    """Each of these lists would be allocated, if its length were believed."""
    size = 300_000
    promises = (b"\xdd" + size.to_bytes(4, "big")) * (size // 5)
    assert outcome(b"\x93\xa1x\x83\xa4data" + promises).startswith("not MessagePack")
    names = [f"{number:05}" for number in range(50_000)]
    options = {"except": names, "exceptRooms": names[1:]}
    assert decode_broadcast(msgpack.packb(["x", PACKET, options])).excepted == ("00000",)
    many_keys = b"\xdf\x00\x01\x00\x00" + b"\xa0\xc0" * 65_536
    assert outcome(many_keys).endswith("a dict in place of sender, packet and options")


def test_what_is_kept_of_names_is_little() -> None:
    for number in range(1000):
        namespace = f"/{number}"
        message = ClusterBroadcast(f"uid{number}", event("a", namespace=namespace))
        assert decode_broadcast(message.encode()) == message
    assert broadcast._end.cache_info().currsize == 256
    assert broadcast._text.cache_info().currsize == 16
