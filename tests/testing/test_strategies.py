"""The strategies draw what they promise, and the cases for which they are there."""

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings, strategies as st

from trio_sio.protocol.engineio.codec_v3 import decode_binary_payload, decode_text_payload
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.packet import (
    JSON,
    MAX_ATTACHMENTS,
    RESERVED_EVENTS,
    Packet,
    PacketType,
)
from trio_sio.testing import strategies as sio


def parts(value: JSON) -> Iterator[JSON]:
    """A value, what it holds, and the keys of dicts."""
    yield value
    if isinstance(value, list):
        for inner in value:
            yield from parts(inner)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from parts(inner)


def is_lone_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def is_placeholder(value: JSON) -> bool:
    return isinstance(value, dict) and value.get("_placeholder") is True


def some(condition: Callable[[Any], bool]) -> Callable[[JSON], bool]:
    return lambda value: any(condition(part) for part in parts(value))


def text_with(condition: Callable[[str], bool]) -> Callable[[JSON], bool]:
    return some(lambda part: isinstance(part, str) and any(map(condition, part)))


def payload_with(condition: Callable[[EnginePacket], bool]) -> Callable[[list[EnginePacket]], bool]:
    return lambda payload: any(map(condition, payload))


def decodes(data: bytes) -> bool:
    try:
        return bool(list(decode_text_payload(data)))
    except RemoteProtocolError:
        return False


def fails_behind_a_packet(data: bytes) -> bool:
    packets = decode_binary_payload(data)
    try:
        next(packets, None)
        list(packets)
    except RemoteProtocolError as error:
        return len(data) > 10 and "ff were due" in error.hint
    return False


DRAWN: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], bool]]] = {
    "a lone surrogate": (sio.json_values(), text_with(is_lone_surrogate)),
    "a wide character": (sio.json_values(), text_with(lambda c: c > "\uffff")),
    "a large integer": (sio.json_values(), some(lambda v: isinstance(v, int) and v > 2**53)),
    "a large negative": (sio.json_values(), some(lambda v: isinstance(v, int) and v < -(2**64))),
    "a fraction": (sio.json_values(), some(lambda v: isinstance(v, float) and v % 1 != 0)),
    "NaN": (
        sio.json_values(finite=False),
        some(lambda v: isinstance(v, float) and math.isnan(v)),
    ),
    "nested bytes": (
        sio.json_values(binary=True),
        lambda v: isinstance(v, dict) and some(lambda p: isinstance(p, bytes))(v),
    ),
    "a false placeholder": (sio.json_values(), some(is_placeholder)),
    "__proto__": (sio.json_values(), some(lambda v: isinstance(v, dict) and "__proto__" in v)),
    "the main namespace": (sio.namespaces(), lambda name: name == "/"),
    "another namespace": (sio.namespaces(), lambda name: name != "/"),
    "a query": (sio.namespaces(query=True), lambda name: "?" in name),
    "no event name": (sio.event_names(), lambda name: name == ""),
    "an event named by a number": (
        sio.socketio_packets(),
        lambda p: p.type is PacketType.EVENT and isinstance(p.data[0], int),
    ),
    "many attachments": (
        sio.socketio_packets(),
        lambda p: sum(isinstance(v, bytes) for v in parts(p.data)) >= 4,
    ),
    "a large id": (sio.socketio_packets(), lambda p: p.id is not None and p.id > 2**53),
    "id 0": (sio.socketio_packets(), lambda p: p.id == 0),
    "empty bytes": (sio.engineio_packets(), lambda p: p.data == b""),
    "mixed payload": (
        sio.payloads(),
        lambda p: len({type(packet.data) for packet in p}) == 2,
    ),
    "wide payload": (
        sio.payloads(),
        payload_with(lambda p: isinstance(p.data, str) and any(c > "\uffff" for c in p.data)),
    ),
    "good garbage": (sio.garbage(), decodes),
    "garbage that is good at first": (sio.garbage(), fails_behind_a_packet),
}


def of_type(kind: PacketType) -> Callable[[Packet], bool]:
    return lambda packet: packet.type is kind


DRAWN |= {kind.name: (sio.socketio_packets(), of_type(kind)) for kind in PacketType}
# What is found is not made small: that would take most of the time.
SEARCH = settings(max_examples=5000, phases=[Phase.generate], database=None)


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_drawn(name: str) -> None:
    strategy, condition = DRAWN[name]
    assert condition(find(strategy, condition, settings=SEARCH, random=Random(0)))


@given(value=sio.json_values())
def test_json_values(value: JSON) -> None:
    for part in parts(value):
        assert part is None or isinstance(part, bool | int | float | str | list | dict)
        assert not isinstance(part, float) or math.isfinite(part)


@given(value=sio.json_values(binary=True))
def test_pairs_of_surrogates_are_characters(value: JSON) -> None:
    for part in parts(value):
        if isinstance(part, str):
            units = part.encode("utf-16-le", "surrogatepass")
            assert units.decode("utf-16-le", "surrogatepass") == part


@given(name=sio.namespaces(), joined=sio.namespaces(query=True))
def test_namespaces(name: str, joined: str) -> None:
    for one in (name, joined):
        assert one.startswith("/")
        assert "," not in one
        one.encode()  # no lone surrogates
    assert "?" not in name


@given(name=sio.event_names())
def test_event_names(name: str) -> None:
    assert name not in RESERVED_EVENTS


@given(packet=sio.socketio_packets())
def test_socketio_packets(packet: Packet) -> None:
    found = list(parts(packet.data))
    attachments = sum(isinstance(part, bytes) for part in found)
    assert (packet.type >= PacketType.BINARY_EVENT) == (attachments > 0)
    assert attachments <= MAX_ATTACHMENTS
    assert not (attachments and any(map(is_placeholder, found)))
    if packet.type is PacketType.ERROR:
        assert packet.data is None or isinstance(packet.data, str | list | dict)


@given(packet=sio.engineio_packets(binary=False), payload=sio.payloads(binary=False))
def test_without_binary(packet: EnginePacket, payload: list[EnginePacket]) -> None:
    assert payload
    for one in (packet, *payload):
        assert isinstance(one.type, EnginePacketType)
        assert isinstance(one.data, str)
        one.data.encode()  # no lone surrogates


@given(data=st.data(), body=st.binary(max_size=50))
def test_chunks(data: st.DataObject, body: bytes) -> None:
    pieces = data.draw(sio.chunks(body))
    assert b"".join(pieces) == body
    assert all(pieces)


@pytest.mark.parametrize("pieces", [[b"abc"], [b"a", b"b", b"c"], [b"ab", b"c"]])
def test_chunks_are_the_whole_single_bytes_and_between(pieces: list[bytes]) -> None:
    assert find(sio.chunks(b"abc"), lambda cut: cut == pieces, random=Random(0)) == pieces


def test_chunks_of_text_and_of_nothing() -> None:
    assert "".join(find(sio.chunks("h\u20ac"), lambda cut: len(cut) == 2)) == "h\u20ac"
    assert find(sio.chunks(b""), lambda cut: True) == []


@given(data=sio.garbage())
def test_garbage(data: bytes) -> None:
    assert isinstance(data, bytes)
