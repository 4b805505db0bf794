"""Messages between servers as socket.io-redis 5.4 writes and reads them: the code itself."""

import math
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, strategies as st

from tests.protocol.oracle import ArrayBuffer, Oracle, Undefined, number_view
from trio_sio.protocol.cluster.broadcast import (
    ClusterBroadcast,
    decode_broadcast,
    encode_broadcast,
)
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.notepack import pack_data, unpack_data
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node

DATES = st.datetimes(timezones=st.just(UTC)).map(
    lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000)
)


def is_sayable(value: JSON) -> bool:
    """Whether it survives notepack: 53 bits, no surrogate without the other, no `__proto__`."""
    if isinstance(value, int | float):
        return not math.isfinite(value) or value != int(value) or abs(value) <= 2**53
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, list):
        return all(map(is_sayable, value))
    if isinstance(value, dict):
        return all(key != "__proto__" and is_sayable(key) for key in value) and all(
            map(is_sayable, value.values())
        )
    return True


VALUES = sio.json_values(binary=True).filter(is_sayable)
EVENTS = st.builds(
    lambda name, values: [name, *values],
    st.text(max_size=5).filter(is_sayable),
    st.lists(VALUES, max_size=3),
).filter(lambda data: "_placeholder" not in repr(data))
ROOMS = st.lists(st.sampled_from(["a-room", "b", "", "c#d", "é"]), max_size=3, unique=True)
NAMESPACES = st.sampled_from(["/", "/chat", "/a#b", "/é*"])


def ordered(value: JSON) -> bool:
    """Whether JavaScript keeps the order of its keys: integers come first there."""
    if isinstance(value, dict):
        return not any(key.isdecimal() for key in value) and all(map(ordered, value.values()))
    return not isinstance(value, list) or all(map(ordered, value))


@given(value=VALUES)
def test_notepack_reads_and_writes_the_same(oracle: Oracle, value: JSON) -> None:
    packed = pack_data(value)
    assert number_view(oracle.ask("decodeNotepack", packed)) == number_view(value)
    theirs = oracle.ask("encodeNotepack", value)
    assert number_view(unpack_data(theirs)) == number_view(value)
    if ordered(value) and not has_integral_float(value):
        assert packed == theirs


def has_integral_float(value: JSON) -> bool:
    """Whether JavaScript would write one of its floats as an integer."""
    if isinstance(value, dict):
        return any(map(has_integral_float, value.values()))
    if isinstance(value, list):
        return any(map(has_integral_float, value))
    return isinstance(value, float) and value.is_integer()


@given(when=DATES)
def test_dates(oracle: Oracle, when: datetime) -> None:
    assert oracle.ask("encodeNotepack", when) == pack_data(when)
    packet = Packet(PacketType.EVENT, "/", ["a", when])  # type: ignore[list-item]
    payload = ClusterBroadcast("5GiuAX", packet).encode()
    received = oracle.ask("receiveBroadcast", "/", "r", b"socket.io#/#", payload)
    assert messages_of(received) == Encoder().encode(packet)


def messages_of(received: list[tuple[list[str | bytes], bool, bool]]) -> list[str | bytes]:
    """What the one client gets: the messages of one packet."""
    ((messages, _, _),) = received
    return messages


def view(messages: list[str | bytes]) -> object:
    """What a client makes of it."""
    decoder = Decoder(max_attachments=1000)
    *heads, packet = [decoder.feed(message) for message in messages]
    assert not any(heads)
    assert packet is not None
    return number_view([packet.type, packet.namespace, packet.data])


@given(data=EVENTS, rooms=ROOMS, namespace=NAMESPACES, flags=st.sampled_from([0, 1, 2, 3]))
def test_what_a_server_in_javascript_publishes(
    oracle: Oracle, data: list[JSON], rooms: list[str], namespace: str, flags: int
) -> None:
    """Our clients get what the clients of that server get."""
    has_bytes = len(Encoder(1000).encode(Packet(PacketType.EVENT, "/", data))) > 1
    said = {name: value for bit, name, value in FLAGS if flags & bit}
    packet = {"type": 5 if has_bytes else 2, "data": data}
    options = {"except": ["other"], "rooms": rooms, "flags": said}
    uid, channel, payload, received = oracle.ask("publishBroadcast", namespace, packet, options)
    channels = Channels("socket.io", namespace)
    expected = channels.room(rooms[0]) if len(rooms) == 1 else channels.base
    assert channel.encode() == expected
    message = decode_broadcast(payload)
    assert (message.uid, message.packet.namespace) == (uid, namespace)
    assert (message.rooms, message.excepted) == (tuple(rooms), ("other",))
    assert (message.volatile, message.compress) == (bool(flags & 1), not flags & 2)
    ours = Encoder(1000).encode(message.packet, binary=message.binary)
    if received:
        assert view(ours) == view(messages_of(received))
        assert received[0][1:] == [said.get("volatile"), said.get("compress")]
    if ordered(data) and not has_integral_float(data):
        again = encode_broadcast(uid, message.packet, rooms, ["other"], said)
        assert again == payload


FLAGS = [(1, "volatile", True), (2, "compress", False)]


@given(data=EVENTS, rooms=ROOMS, namespace=NAMESPACES, binary=st.booleans())
def test_what_a_server_in_javascript_receives(
    oracle: Oracle, data: list[JSON], rooms: list[str], namespace: str, binary: bool
) -> None:
    """Its clients get what our clients get."""
    packet = Packet(PacketType.EVENT, namespace, data)
    message = ClusterBroadcast("5GiuAX", packet, tuple(rooms), (), volatile=True, binary=binary)
    channels = Channels("socket.io", namespace)
    channel = channels.room(rooms[0]) if len(rooms) == 1 else channels.base
    received = oracle.ask("receiveBroadcast", namespace, "a-room", channel, message.encode())
    if not rooms or "a-room" in rooms:
        assert view(messages_of(received)) == view(Encoder(1000).encode(packet, binary=binary))
        assert received[0][1:] == [True, None]
    else:
        assert received == []


def test_exceptions_and_namespaces_are_looked_at(oracle: Oracle) -> None:
    for excepted, namespace, count in [((), "/", 1), (("me",), "/", 0), ((), "/other", 0)]:
        packet = Packet(PacketType.EVENT, namespace, ["a"])
        payload = ClusterBroadcast("5GiuAX", packet, (), excepted).encode()
        received = oracle.ask("receiveBroadcast", "/", "a-room", b"socket.io#/#", payload)
        assert len(received) == count


MOMENT = datetime(2026, 3, 1, 12, 0, 1, 500_000, UTC)
OWN_VALUES = [
    (2, ["a", MOMENT, {"b": MOMENT}]),
    (2, ["a", Undefined(), {"b": Undefined(), "c": 1}, [Undefined()]]),
    (2, ["a", math.nan, {"b": math.inf}]),
    (5, ["a", ArrayBuffer(b"8 bytes!"), b"8 bytes!"]),
    (5, ["a", ArrayBuffer(b"1"), Undefined(), MOMENT]),
    (5, ["a", "ł", {"ę": "ć".encode()}]),
    (2, [7, 8]),
]


@pytest.mark.parametrize(("kind", "data"), OWN_VALUES)
def test_values_that_only_javascript_has(oracle: Oracle, kind: int, data: list[object]) -> None:
    packet = {"type": kind, "data": data}
    _, _, payload, received = oracle.ask("publishBroadcast", "/", packet, {"rooms": []})
    message = decode_broadcast(payload)
    ours = Encoder().encode(message.packet, binary=message.binary)
    assert ours == messages_of(received)


def test_bytes_with_type_2_are_what_javascript_makes_of_them(oracle: Oracle) -> None:
    packet = {"type": 2, "data": ["a", b"\x01\xff", {"b": b""}]}
    answer = oracle.ask("publishBroadcast", "/", packet, {"rooms": [], "flags": {"binary": False}})
    _, _, payload, received = answer
    message = decode_broadcast(payload)
    assert not message.binary
    assert Encoder().encode(message.packet, binary=False) == messages_of(received)


@given(milliseconds=st.integers(-(10**13), 10**13))
def test_dates_before_and_after_the_epoch(oracle: Oracle, milliseconds: int) -> None:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    packed = oracle.ask("encodeNotepack", when)
    assert packed == b"\xd7\x00" + struct.pack(">q", milliseconds)
    assert unpack_data(packed) == when


@given(data=EVENTS)
def test_json_arrives_as_it_was(oracle: Oracle, data: list[JSON]) -> None:
    """Text for text, where JavaScript writes numbers as Python does."""
    assume(ordered(data) and not has_floats(data))
    message = ClusterBroadcast("5GiuAX", Packet(PacketType.EVENT, "/", data))
    received = oracle.ask("receiveBroadcast", "/", "r", b"socket.io#/#", message.encode())
    assert messages_of(received) == Encoder(1000).encode(message.packet)


def has_floats(value: JSON) -> bool:
    if isinstance(value, dict):
        return any(map(has_floats, value.values()))
    if isinstance(value, list):
        return any(map(has_floats, value))
    return isinstance(value, float)
