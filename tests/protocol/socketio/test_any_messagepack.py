"""MessagePack of any shape: what JavaScript means by it, whichever way it is read."""

import math
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgpack
import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.examples import examples
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.notepack import MAX_HEADERS, pack_data, unpack, unpack_data
from trio_sio.protocol.socketio.slow_notepack import (
    MAX_DEPTH,
    Undefined,
    has_odd_key,
    name_of,
    pack_each,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNDEFINED = Undefined()


class Sent(NamedTuple):
    """A value in MessagePack.

    Attributes:
        wire: its bytes.
        value: what a client means by it.
        data: what a server means by it.
    """

    wire: bytes
    value: Any
    data: Any


def _plain(value: object) -> Sent:
    return Sent(bytes(msgpack.packb(value)), value, value)


def _list(items: list[Sent]) -> Sent:
    wire = bytes((0x90 | len(items),)) + b"".join(one.wire for one in items)
    value = [_or_none(one.value) for one in items]
    return Sent(wire, value, [_or_none(one.data) for one in items])


def _map(items: list[tuple[Sent, Sent]]) -> Sent:
    wire = bytes((0x80 | len(items),)) + b"".join(key.wire + one.wire for key, one in items)
    value = {key.value: _or_none(one.value) for key, one in items}
    data = {key.value: one.data for key, one in items if one.data is not UNDEFINED}
    kept = {key.value for key, one in items if one.data is not UNDEFINED}
    return Sent(wire, value, {key: data[key] for key in value if key in kept})


def _or_none(value: object) -> object:
    return None if value is UNDEFINED else value


def _same(value: object, wire: bytes) -> Sent:
    return Sent(wire, value, value)


DATES = st.integers(-(2**44), 2**44).map(
    lambda ms: _same(EPOCH + timedelta(milliseconds=ms), b"\xd7\x00" + struct.pack(">q", ms))
)
BUFFERS = st.binary(max_size=9).map(lambda data: _same(data, b"\xc7%c\x00" % len(data) + data))
LEAVES = st.one_of(
    (st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1)).map(_plain),
    (st.floats(allow_nan=False) | st.text(max_size=5) | st.binary(max_size=5)).map(_plain),
    st.just(Sent(b"\xd4\x00\x00", UNDEFINED, UNDEFINED)),
    st.binary(min_size=1, max_size=1).map(lambda data: _same([5, data], b"\xd4\x05" + data)),
    DATES,
    BUFFERS,
)


def _key(key: object, name: str) -> Sent:
    return _same(name, bytes(msgpack.packb(key)))


NAMES = st.one_of(
    st.text(max_size=3).map(lambda key: _key(key, key)),
    st.integers(-99, 99).map(lambda key: _key(key, str(key))),
    st.integers(-99, 99).map(lambda key: _key(float(key), str(key))),
    st.sampled_from(
        [_key(0.5, "0.5"), _key(None, "null"), _key(True, "true"), _key(b"a\xff", "a�")]
    ),
    st.just(_same("null", b"\xd4\x00\x00")),
)
WHOLE = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4).map(_list)
        | st.lists(st.tuples(NAMES, inner), max_size=4, unique_by=lambda one: one[0].value).map(
            _map
        )
    ),
    max_leaves=12,
)
MANY_HEADERS = b"\xdc\x00\x01" * (MAX_HEADERS + 1)  # with these, a message is read value by value


@examples(200)
@given(WHOLE)
@example(_list([_same(b"8 bytes.", b"\xc7\x08\x008 bytes."), _same(EPOCH, b"\xd7\x00" + bytes(8))]))
@example(_map([(_key("a", "a"), Sent(b"\xd4\x00\x00", UNDEFINED, UNDEFINED))]))
@example(_map([(_key(b"a", "a"), _plain(b"1"))]))
def test_it_is_read_as_it_is_meant(sent: Sent) -> None:
    assert unpack(sent.wire) == _or_none(sent.value)
    assert unpack_data(sent.wire) == _or_none(sent.data)
    for read, meant in ((unpack, sent.value), (unpack_data, sent.data)):
        found = read(MANY_HEADERS + sent.wire)
        for _ in range(MAX_HEADERS + 1):
            assert isinstance(found, list)
            (found,) = found
        assert found == _or_none(meant)


@given(WHOLE, st.integers(0, 40), st.sampled_from([b"", b"\x90", b"\xc1", b"\xdd\x00\x01\x00\x00"]))
@example(_same(0, b"\x81\x90\x01"), 40, b"")
@example(_same(0, b"\x81\xd7\x00" + bytes(8) + b"\x01"), 40, b"")
@example(_same(0, MANY_HEADERS + b"\x81\xd7\x00" + bytes(8) + b"\x01"), 40, b"")
@example(_same(0, MANY_HEADERS + b"\x81\x90\x01"), 40, b"")
@example(_same(0, MANY_HEADERS + b"\xdd\x00\x01\x00\x00"), 40, b"")
@example(_same(0, b"\x91" * (MAX_DEPTH + 1) + b"\x01"), 20_000, b"")
@example(_same(0, b"\x01\x01"), 40, b"")
@example(_same(0, b"\xd7\x00" + b"\x7f" * 8), 40, b"")
def test_what_is_damaged_is_read_or_refused(sent: Sent, at: int, instead: bytes) -> None:
    wire = sent.wire[:at] + instead + sent.wire[at + 1 :]
    for read in (unpack, unpack_data):
        found = attempt(RemoteProtocolError, read, wire)
        if isinstance(found, RemoteProtocolError):
            assert str(found).startswith("invalid format: not MessagePack: ")


KEYS = st.text(max_size=3) | st.integers(-(2**70), 2**70) | st.floats() | st.none() | st.booleans()
MEMBERS = st.one_of(
    st.none() | st.booleans() | st.text(st.characters(), max_size=3) | st.binary(max_size=3),
    st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False)
    | st.sampled_from([10**400, -(10**400)]),
    st.binary(max_size=3).map(lambda data: memoryview(data)),
    st.datetimes(timezones=st.just(UTC)).map(lambda one: one.replace(microsecond=0)),
    st.dates(),
)
TREES = st.recursive(
    MEMBERS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


def name(key: object) -> str:
    """Return a key as JSON has it."""
    if isinstance(key, float):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(key), repr(key))
    words = {None: "null", True: "true", False: "false"}
    return words[key] if key is None or isinstance(key, bool) else str(key)


def as_received(value: Any) -> Any:  # noqa: ANN401
    """Return what another server gets."""
    if isinstance(value, dict):
        return {name(key): as_received(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_received(one) for one in value]
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value) if abs(value) < 2**1000 else math.inf * (1 if value > 0 else -1)
    if type(value) is not datetime and hasattr(value, "isoformat"):
        return value.isoformat()
    return _paired(value) if isinstance(value, str) else value


def _paired(text: str) -> str:
    return (
        text
        if text.isascii()
        else text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    )


def keys_of(value: object) -> Iterable[object]:
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        yield from value
        inner = value.values()
    elif isinstance(value, (list, tuple)):
        inner = value
    for one in inner:
        yield from keys_of(one)


@examples(200)
@given(TREES)
@example({0.5: 1})
@example({2**64: b"x"})
@example([10**400, -(10**400)])
@example([memoryview(b"abcdef")[::2], {0.5: memoryview(b"abcdef")[::2]}])
def test_servers_tell_each_other_what_json_has(value: Any) -> None:  # noqa: ANN401
    names = [name(key) for key in keys_of(value)]
    if len(set(names)) == len(names):
        assert unpack_data(pack_data(value)) == as_received(value)


@given(KEYS)
@example(float("nan"))
@example(float("inf"))
@example(float("-inf"))
def test_keys_have_the_names_of_json(key: object) -> None:
    assert name_of(key) == name(key)
    is_odd = isinstance(key, (float, bool)) or (isinstance(key, int) and not -(2**63) < key < 2**63)
    if not isinstance(key, bool):
        assert has_odd_key([{"a": ({key: 1},)}]) == is_odd


@given(st.binary() | st.lists(st.none()).map(tuple) | st.complex_numbers())
def test_other_keys_have_no_name(key: object) -> None:
    with pytest.raises(TypeError, match="keys must be str, int, float, bool or None, not "):
        name_of(key)
    assert has_odd_key({key: 1})


@examples(12)
@given(st.sampled_from([0, 15, 16, 2**16 - 1, 2**16]), st.booleans())
def test_lengths_are_those_of_the_library(length: int, is_map: bool) -> None:
    value = dict.fromkeys(range(length)) if is_map else (None,) * length
    names = {str(key): None for key in value} if is_map else value
    assert pack_each(value, msgpack.packb) == msgpack.packb(names)


@examples(6)
@given(st.integers(MAX_DEPTH - 1, MAX_DEPTH + 1), st.booleans())
def test_levels_are_counted(levels: int, is_map: bool) -> None:
    value: object = 1
    for _ in range(levels):
        value = {"a": value} if is_map else [value]
    found = attempt(ValueError, pack_data, value)
    if levels > MAX_DEPTH:
        assert str(found) == f"nested more than {MAX_DEPTH} levels deep, or it contains itself"
    else:
        assert isinstance(found, bytes)
        assert pack_data(unpack_data(found)) == found
