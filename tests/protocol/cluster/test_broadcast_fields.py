"""Broadcasts of any fields: each is read, or refused with a hint that says what is wrong."""

from dataclasses import replace

import msgpack
import pytest
from hypothesis import assume, example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.cluster.broadcast import (
    ClusterBroadcast,
    begins_with,
    decode_broadcast,
    encode_broadcast,
)
from trio_sio.protocol.cluster.text import MAX_NAME
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

NAMES = st.text(max_size=5)
ROOMS = st.lists(NAMES, max_size=3).map(tuple)
UIDS = st.text(min_size=1, max_size=MAX_NAME)
ARGUMENTS = st.lists(st.integers(-(2**63), 2**64 - 1) | NAMES | st.binary(max_size=5), max_size=3)
JUNK: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, 5, -1.5, "", "a", b"a", [], [[]], [None], {}, {"a": 1}]
)


@given(UIDS, ARGUMENTS, ROOMS, ROOMS, ROOMS, st.booleans(), st.booleans())
def test_options_come_back(
    uid: str,
    arguments: list[JSON],
    rooms: tuple[str, ...],
    excepted: tuple[str, ...],
    excepted_rooms: tuple[str, ...],
    volatile: bool,
    compress: bool,
) -> None:
    assume(not {*excepted} & {*excepted_rooms})
    packet = Packet(PacketType.EVENT, "/chat", ["say", *arguments])
    message = ClusterBroadcast(
        uid, packet, rooms, excepted, volatile, compress, excepted_rooms=excepted_rooms
    )
    payload = message.encode()
    received = decode_broadcast(payload)
    has_bytes = any(isinstance(one, bytes) for one in arguments)
    assert received.binary or not has_bytes  # other values may look as if there were bytes
    assert replace(received, binary=True) == message
    assert begins_with(payload, uid)
    assert not begins_with(payload, f"{uid}x")
    flags = {"volatile": True} if volatile else {}
    flags |= {} if compress else {"compress": False}
    whole = {"excepted": excepted, "flags": flags, "excepted_rooms": excepted_rooms}
    assert encode_broadcast(uid, packet, rooms, **whole) == payload  # type: ignore[arg-type]


@pytest.mark.parametrize("volatile", [False, True])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_flags_are_those_that_an_application_of_javascript_sets(
    volatile: bool, compress: bool, binary: bool
) -> None:
    packet = Packet(PacketType.EVENT, "/", ["say"])
    message = ClusterBroadcast("a", packet, (), (), volatile, compress, binary)
    expected = {"volatile": True} if volatile else {}
    expected |= {} if compress else {"compress": False}
    expected |= {} if binary else {"binary": False}
    payload = message.encode()
    assert msgpack.unpackb(payload)[2] == {"rooms": [], "flags": expected}
    assert decode_broadcast(payload) == message


@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
def test_any_number_of_rooms(count: int) -> None:
    rooms = tuple(f"room {number}" for number in range(count))
    message = ClusterBroadcast("a", Packet(PacketType.EVENT, "/", ["say"]), rooms)
    assert msgpack.unpackb(message.encode())[2] == {"rooms": [*rooms], "flags": {}}
    assert decode_broadcast(message.encode()) == message


def test_equal_broadcasts_are_one_in_a_set() -> None:
    one, same, other = (
        ClusterBroadcast("a", Packet(PacketType.EVENT, "/", "say"), (room,))
        for room in ("red", "red", "blue")
    )
    assert {one, same, other} == {one, other}


def test_the_longest_id_of_a_sender() -> None:
    packet = Packet(PacketType.EVENT, "/", ["say"])
    message = ClusterBroadcast("x" * 256, packet)
    assert decode_broadcast(message.encode()) == message
    with pytest.raises(RemoteProtocolError, match="the sender is a str"):
        decode_broadcast(ClusterBroadcast("x" * 257, packet).encode())


@pytest.mark.parametrize("kind", [*range(-1, 2), 3, 4, *range(6, 9), 2.5])
def test_nothing_but_events_is_broadcast(kind: float) -> None:
    with pytest.raises(RemoteProtocolError, match=f"a packet of type {kind}; events have 2 or 5"):
        decode_broadcast(msgpack.packb(["a", {"type": kind, "data": ["say"]}]))


@given(ARGUMENTS, st.sampled_from([object(), {1}, {"a": [object()]}]))
def test_what_cannot_be_sent_is_named(arguments: list[JSON], value: object) -> None:
    packet = Packet(PacketType.EVENT, "/", ["say", *arguments, value])  # type: ignore[list-item]
    with pytest.raises(LocalProtocolError, match="cannot be sent to other servers: "):
        ClusterBroadcast("a", packet).encode()


FIELDS = {
    "uid": UIDS,
    "type": st.sampled_from([2, 5, 2.0]),
    "data": ARGUMENTS.map(lambda arguments: ["say", *arguments]),
    "nsp": NAMES,
    "id": st.none(),
    "rooms": ROOMS,
    "except": ROOMS,
    "exceptRooms": ROOMS,
    "flags": st.dictionaries(st.sampled_from(["volatile", "compress", "binary"]), JUNK),
    "packet": st.just({}),
    "options": st.just({}) | st.none(),
}


@st.composite
def messages(draw: st.DrawFn) -> object:
    """Messages in which one field is anything."""
    spoiled = draw(st.sampled_from([*FIELDS, "message"]))
    value = {name: draw(JUNK if name == spoiled else kind) for name, kind in FIELDS.items()}
    packet, options = value["packet"], value["options"]
    if packet == {}:
        packet = {name: value[name] for name in ("type", "data", "nsp", "id")}
    if options == {} and draw(st.booleans()):
        options = {name: value[name] for name in ("rooms", "except", "exceptRooms", "flags")}
    whole = [value["uid"], packet, options][: draw(st.integers(2, 3))]
    return draw(JUNK) if spoiled == "message" else whole


@given(messages())
@example(["a", {"type": 2, "data": ["say"]}, {"flags": 7}])
@example(["a", []])
@example(["a", {"type": 2, "data": ["say"], "id": 0}])
@example(["a", {"type": 2, "data": ["say"]}, [1]])
def test_one_field_is_anything(message: object) -> None:
    payload = msgpack.packb(message)
    received = attempt(RemoteProtocolError, decode_broadcast, payload)
    if isinstance(received, RemoteProtocolError):
        assert str(received).startswith("invalid broadcast: ")
        assert received.hint
        return
    assert isinstance(message, list)
    assert received.uid == message[0]
    assert 0 < len(received.uid) <= MAX_NAME
    assert received.packet.data == message[1]["data"]
    assert received.packet.namespace == message[1].get("nsp", "/")
    assert decode_broadcast(received.encode()).rooms == received.rooms
    assert not {*received.excepted} & {*received.excepted_rooms}
    assert all(isinstance(one, str) for one in (*received.rooms, *received.excepted))


@given(sio.json_values())
@example(["", [], {}])
def test_any_value_is_read_or_refused(value: JSON) -> None:
    try:
        payload = msgpack.packb(value)
    except (OverflowError, UnicodeEncodeError):
        return
    with pytest.raises(RemoteProtocolError, match="invalid broadcast: "):
        decode_broadcast(payload)
