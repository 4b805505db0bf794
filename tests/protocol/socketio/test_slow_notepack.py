"""MessagePack value by value: the same bytes as the library's, and names for all keys."""

import json
import math

import msgpack
import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.socketio.packet import JSON
from trio_sio.protocol.socketio.slow_notepack import (
    MAX_DEPTH,
    UNDEFINED,
    Undefined,
    has_binary,
    has_odd_key,
    name_of,
    pack_each,
    unpack_each,
)
from trio_sio.testing import strategies as sio


def pack_one(value: object) -> bytes:
    return bytes(msgpack.packb(value, default=float))


@given(sio.json_values(binary=True).filter(lambda value: "\\ud" not in ascii(value)))
def test_the_same_as_the_library(value: JSON) -> None:
    assert pack_each(value, pack_one) == pack_one(value)


@pytest.mark.parametrize("length", [0, 15, 16, 65_535, 65_536, 65_537])
def test_headers_of_all_lengths(length: int) -> None:
    assert pack_each([1] * length, pack_one) == pack_one([1] * length)
    members = {str(number): None for number in range(length)}
    assert pack_each(members, pack_one) == pack_one(members)
    assert pack_each((None,) * length, pack_one) == pack_one([None] * length)


KEYS = ["a", 1, -1, 2**70, 1.0, 0.5, 1e16, 1e-7, -0.0, None, True, False]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_keys_are_those_of_json(key: object) -> None:
    assert [name_of(key)] == list(json.loads(json.dumps({key: 1})))
    assert pack_each({key: 1}, pack_one) == pack_one({name_of(key): 1})


def test_keys_that_are_no_numbers() -> None:
    names = [name_of(key) for key in (math.nan, math.inf, -math.inf)]
    assert names == ["NaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("key", [b"a", (1,), frozenset()], ids=repr)
def test_keys_that_json_does_not_have(key: object) -> None:
    with pytest.raises(TypeError, match=f"not {type(key).__name__}"):
        pack_each({"a": {key: 1}}, pack_one)


def nested(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_depth() -> None:
    assert pack_each(nested(MAX_DEPTH), pack_one) == b"\x91" * (MAX_DEPTH - 1) + b"\x90"
    with pytest.raises(ValueError, match="more than 10000 levels"):
        pack_each(nested(MAX_DEPTH + 1), pack_one)


def test_data_that_contains_itself() -> None:
    value: dict[str, object] = {}
    value["a"] = [1, value, value]
    with pytest.raises(ValueError, match="contains itself"):
        pack_each(value, pack_one)


@pytest.mark.parametrize("key", [0.5, math.nan, 2**64, -(2**63) - 1, -(2**70), (1,), b"a"])
def test_odd_keys_are_found(key: object) -> None:
    assert has_odd_key([1, ({"a": {key: 1}},)])


@pytest.mark.parametrize("key", ["a", 5, -(2**62), True, None, type("S", (str,), {})("a")])
def test_other_keys_are_not_odd(key: object) -> None:
    assert not has_odd_key([1.5, ({"a": {key: 1.5}},), "a"])
    assert not has_odd_key(1.5)


@given(sio.json_values(binary=True))
def test_bytes_are_found(value: JSON) -> None:
    assert has_binary(value) == bool(found(value))


def found(value: JSON) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for each in inner for one in found(each)]


@pytest.mark.parametrize("value", [b"", bytearray(), memoryview(b"")])
def test_everything_that_is_bytes(value: object) -> None:
    assert has_binary(value)
    assert has_binary([1, ({"a": value},)])


@given(st.integers(1, 3000))
def test_bytes_are_found_at_any_depth(levels: int) -> None:
    value: object = b"a"
    for _ in range(levels):
        value = [value]
    assert has_binary(value)


# -- decoding ------------------------------------------------------------------------------------


def read(message: bytes, *, drops_undefined: bool = False) -> JSON:
    """Decode a message in which 7 stands for undefined, and keys are shown as they are."""

    def finish(head: int, value: object) -> JSON | Undefined:
        assert head in message
        return UNDEFINED if value == 7 else value  # type: ignore[return-value]

    unpacker = msgpack.Unpacker(max_buffer_size=max(len(message), 1), strict_map_key=False)
    unpacker.feed(message)
    return unpack_each(message, unpacker, finish, repr, drops_undefined)


@given(sio.json_values(binary=True).filter(lambda value: "\\ud" not in ascii(value)))
def test_what_was_encoded_is_decoded(value: JSON) -> None:
    packed = pack_one(value)
    unpacker = msgpack.Unpacker(max_buffer_size=len(packed))
    unpacker.feed(packed)
    found = unpack_each(packed, unpacker, lambda head, one: one, str, False)  # type: ignore[arg-type, return-value]
    assert pack_one(found) == packed


def test_undefined() -> None:
    message = msgpack.packb([7, {"a": 7, "b": [7]}])
    assert read(message) == [None, {"'a'": None, "'b'": [None]}]
    assert read(message, drops_undefined=True) == [None, {"'b'": [None]}]
    assert read(b"\x07") is None
    assert read(msgpack.packb({7: 1})) == {"None": 1}


HEADERS = [
    (b"\x91\x07", [None]),
    (b"\xdc\x00\x01\x07", [None]),
    (b"\xdd\x00\x00\x00\x01\x07", [None]),
    (b"\x9f" + b"\x07" * 15, [None] * 15),
    (b"\x81\xa1a\x07", {"'a'": None}),
    (b"\xde\x00\x01\xa1a\x07", {"'a'": None}),
    (b"\xdf\x00\x00\x00\x01\xa1a\x07", {"'a'": None}),
    (b"\x8f" + b"\xa1a\x07" * 15, {"'a'": None}),
    (b"\x82\xa0\x07\x7f\x07", {"''": None, "127": None}),
    (b"\x81\xe0\x07", {"-32": None}),
]


@pytest.mark.parametrize(("message", "value"), HEADERS)
def test_lists_and_maps_are_read_value_by_value(message: bytes, value: JSON) -> None:
    assert read(message) == value
    assert read(b"\x91" + message) == [value]


@pytest.mark.parametrize("head", [0x80, 0x8F, 0x90, 0x9F, 0xDC, 0xDD, 0xDE, 0xDF])
def test_no_list_or_map_is_a_key(head: int) -> None:
    with pytest.raises(ValueError, match="a list or a map as a key"):
        read(b"\x81" + bytes((head,)) + bytes(40))


def test_as_deep_as_is_allowed() -> None:
    value = read(b"\x91" * (MAX_DEPTH - 1) + b"\x90")
    for _ in range(MAX_DEPTH - 1):
        assert isinstance(value, list)
        (value,) = value
    assert value == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x01\x02", "1 trailing bytes"),
        (b"\x93\x01\x02", "3 elements, more than there are bytes left"),
        (b"\xdd\xff\xff\xff\xff", "4294967295 elements"),
        (b"\x91" * MAX_DEPTH + b"\x90", "nested more than 10000 levels"),
        (b"\x91" * MAX_DEPTH + b"\x80", "nested more than 10000 levels"),
    ],
)
def test_malformed_messages(message: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(message)


@pytest.mark.parametrize("message", [b"", b"\x91\xa5a", b"\x81\x01"])
def test_incomplete_messages(message: bytes) -> None:
    with pytest.raises((ValueError, msgpack.UnpackException)):
        read(message)
