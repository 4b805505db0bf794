"""Broadcasts of which one field is anything, and what is at the edge of a limit."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.spoiled import JUNK, Place, Spoiled, differences, spoiled
from trio_sio.protocol.cluster.text import MAX_NAME
from trio_sio.protocol.cluster.v8.broadcast import (
    Broadcast,
    decode_broadcast,
    encode_broadcast,
    event_fields,
    read_event,
)
from trio_sio.protocol.cluster.v8.selection import Manner, Selection
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.notepack import pack_data, unpack_data
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType

NAMES = st.text(min_size=1, max_size=5)
ROOMS = st.lists(NAMES, max_size=2).map(tuple)
SELECTIONS = st.builds(Selection, ROOMS, ROOMS)
MANNERS = st.builds(
    Manner,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(1, 86_400_000).map(lambda milliseconds: milliseconds / 1000),
)
ARGUMENTS = st.lists(NAMES | st.integers(-(2**53), 2**53) | st.lists(st.none()), max_size=2)
EVENTS = st.builds(
    Packet,
    st.just(PacketType.EVENT),
    NAMES,
    st.builds(lambda name, arguments: [name, *arguments], NAMES, ARGUMENTS),
)
BROADCASTS = st.builds(Broadcast, NAMES, EVENTS, SELECTIONS, MANNERS)
LENGTHS = st.sampled_from([0, 1, MAX_NAME, MAX_NAME + 1]) | st.integers(0, 600)
UNSENDABLE: st.SearchStrategy[JSON] = st.sampled_from([object(), {1}, [object()], {"a": {2}}])
Writer = Callable[[Mapping[str, object]], bytes]


def encoded(broadcast: Broadcast) -> bytes:
    """The message of a broadcast."""
    selection = broadcast.selection
    return encode_broadcast(
        broadcast.uid, broadcast.packet, selection.rooms, selection.excepted, broadcast.manner
    )


@st.composite
def spoiled_broadcasts(draw: st.DrawFn) -> tuple[Broadcast, Spoiled]:
    """Broadcasts, and their messages with one field that is anything."""
    whole = draw(BROADCASTS)
    return whole, draw(spoiled(unpack_data(encoded(whole))))


def told_by(place: Place) -> set[str]:
    """What this place of a broadcast tells."""
    if place[0] != 2:
        return {("uid", "packet")[int(place[0])]}
    if len(place) == 1:
        return {"selection", "manner"}
    return {"manner" if place[1] == "flags" else "selection"}


@given(BROADCASTS)
def test_a_broadcast_comes_back(whole: Broadcast) -> None:
    assert decode_broadcast(encoded(whole)) == whole


@given(spoiled_broadcasts())
def test_a_field_is_refused_or_changes_nothing_else(drawn: tuple[Broadcast, Spoiled]) -> None:
    whole, (message, place, is_missing) = drawn
    received = attempt(RemoteProtocolError, decode_broadcast, pack_data(message))
    if isinstance(received, RemoteProtocolError):
        assert str(received).startswith("invalid broadcast: ")
        assert received.hint
        return
    assert differences(received, whole) <= told_by(place)
    assert not is_missing or place not in {(0,), (1,), (1, "type"), (1, "data")}
    assert received.packet.type is PacketType.EVENT
    again = encoded(received)
    assert encoded(decode_broadcast(again)) == again


@given(BROADCASTS, st.lists(JUNK, min_size=1, max_size=3))
def test_what_a_later_release_may_add_means_nothing(whole: Broadcast, more: list[JSON]) -> None:
    message: Any = unpack_data(encoded(whole))
    for members in (message[1], message[2], message[2]["flags"]):
        members["later"] = more
    assert decode_broadcast(pack_data([*message, *more])) == whole


@given(st.integers(-2, 12) | st.integers() | st.floats() | JUNK)
@example(2)
@example(5.0)
@example(6)
@example(4)
@example(True)
def test_nothing_but_events_is_broadcast(kind: JSON) -> None:
    """Neither is what other types of packets have: a server in JavaScript would end its clients."""
    packet = attempt(RemoteProtocolError, read_event, {"type": kind, "data": ["x"]}, "broadcast")
    if isinstance(kind, int | float) and kind in (2, 5):
        assert packet == Packet(PacketType.EVENT, "/", ["x"])
    else:
        assert isinstance(packet, RemoteProtocolError)
        assert str(packet).startswith("invalid broadcast: a packet of type ")
        assert str(packet).endswith("; events have 2 or 5")


@given(JUNK)
@example(None)
@example([])
@example([None])
@example([7, "x"])
def test_an_event_has_a_name(value: JSON) -> None:
    packet = attempt(RemoteProtocolError, read_event, {"type": 2, "data": value}, "broadcast")
    if names_an_event(value):
        assert packet == Packet(PacketType.EVENT, "/", value)
    else:
        assert isinstance(packet, RemoteProtocolError)
        assert str(packet).startswith("invalid broadcast: an event with ")
    if not isinstance(value, dict):
        with pytest.raises(RemoteProtocolError, match=r"in place of a packet$"):
            decode_broadcast(pack_data(["me", value]))


def names_an_event(value: JSON) -> bool:
    """Whether it is a list that begins with a text or a number, as JavaScript's clients send it."""
    if not isinstance(value, list) or not value:
        return False
    name = value[0]
    if isinstance(name, int | float) and not isinstance(name, bool):
        return name not in (math.inf, -math.inf) and name == name
    return isinstance(name, str)


@given(EVENTS, st.integers(0) | JUNK.filter(lambda junk: junk is not None))
def test_an_event_asks_for_no_acknowledgement(packet: Packet, ident: JSON) -> None:
    fields: Any = event_fields(packet)
    assert read_event({**fields, "id": None}, "broadcast") == packet
    with pytest.raises(RemoteProtocolError, match="an event with an id, which is the sender's"):
        read_event({**fields, "id": ident}, "broadcast")


@given(LENGTHS)
@example(0)
@example(1)
@example(MAX_NAME)
@example(MAX_NAME + 1)
def test_how_long_the_name_of_a_sender_may_be(length: int) -> None:
    fields = event_fields(Packet(PacketType.EVENT, "/", ["x"]))
    received = attempt(RemoteProtocolError, decode_broadcast, pack_data(["é" * length, fields]))
    if 1 <= length <= MAX_NAME:
        assert isinstance(received, Broadcast)
        assert received.uid == "é" * length
    else:
        assert isinstance(received, RemoteProtocolError)
        assert "the sender is a str" in str(received)


@given(ARGUMENTS, UNSENDABLE, st.booleans())
def test_what_cannot_be_sent_is_named(values: list[JSON], unsendable: JSON, binary: bool) -> None:
    packet = Packet(PacketType.EVENT, "/", ["x", *values, unsendable])
    with pytest.raises(LocalProtocolError) as caught:
        encode_broadcast("me", packet, manner=Manner(binary=binary))
    assert str(caught.value).startswith("cannot be sent to other servers: ")
    assert f" at args[{len(values)}]" in str(caught.value)
