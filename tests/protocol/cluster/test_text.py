"""JSON between servers: what JavaScript writes, and what is refused."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.cluster.text import (
    MAX_NAME,
    read_name,
    read_object,
    read_room,
    read_rooms,
    write_object,
)
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import strategies as sio


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "null"),
        ("é", '"é"'),
        ("\ud800", r'"\ud800"'),
        (b"\x01\xff", '{"type":"Buffer","data":[1,255]}'),
        (datetime(2026, 3, 1, 12, 0, 0, 123456, UTC), '"2026-03-01T12:00:00.123Z"'),
        ((1, "2"), '[1,"2"]'),
    ],
)
def test_values_are_written_as_javascript_writes_them(value: object, text: str) -> None:
    assert write_object({"a": value, "b": 1}) == f'{{"a":{text},"b":1}}'.encode()


def test_what_cannot_be_written() -> None:
    with pytest.raises(LocalProtocolError, match=r'object at data\["a"\]\[0\]'):
        write_object({"a": [object()]})


@given(sio.json_values())
def test_what_was_written_is_read(value: JSON) -> None:
    assert read_object(write_object({"a": value}), "x") == {"a": value}


@pytest.mark.parametrize(
    ("payload", "hint"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{} x", "not JSON"),
        (b'{"a":NaN}', "not JSON: NaN"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a":' + b"1" * 5000 + b"}", "not JSON"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply"),
        (b"[]", "a list in place of an object"),
        (b"null", "None in place of an object"),
        (b"7", "7 in place of an object"),
    ],
)
def test_what_is_refused(payload: bytes, hint: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        read_object(payload, "thing")
    assert str(refused.value).startswith(f"invalid thing: {hint}")


def test_invalid_utf8_is_replaced() -> None:
    assert read_object(b'{"a":"\xff"}', "x") == {"a": "\N{REPLACEMENT CHARACTER}"}


@pytest.mark.parametrize("value", [None, 1, "", "x" * (MAX_NAME + 1), ["a"]])
def test_a_name_is_neither_empty_nor_long(value: JSON) -> None:
    with pytest.raises(RemoteProtocolError, match='invalid thing: "a" '):
        read_name({"a": value}, "a", "thing")


def test_a_name() -> None:
    assert read_name({"a": "x" * MAX_NAME}, "a", "thing") == "x" * MAX_NAME
    with pytest.raises(RemoteProtocolError, match='"b" is None'):
        read_name({}, "b", "thing")


def test_rooms() -> None:
    assert read_rooms(None, "rooms", "thing") == ()
    assert read_rooms(["a", "", 5, 7.0, 0.5], "rooms", "thing") == ("a", "", "5", "7", "0.5")
    assert read_room("a", "thing") == "a"


@pytest.mark.parametrize("value", ["a", {}, 5, True, [None], [True], [["a"]], [b"a"]])
def test_what_is_not_a_list_of_rooms(value: JSON) -> None:
    with pytest.raises(RemoteProtocolError, match="invalid thing"):
        read_rooms(value, "rooms", "thing")


@given(sio.garbage() | st.sampled_from([b"[]", b"7", b'{"a":NaN}', b'{"a":1}']))
@example(b'{"a":' + b"[" * 100_000)
def test_any_bytes_are_an_object_or_refused(payload: bytes) -> None:
    value = attempt(RemoteProtocolError, read_object, payload, "thing")
    if isinstance(value, RemoteProtocolError):
        assert str(value).startswith("invalid thing: ")
    else:
        assert json.loads(payload.decode("utf-8", "replace")) == value


@given(sio.json_values() | st.text(max_size=2 * MAX_NAME))
@example("x" * MAX_NAME)
@example("x" * (MAX_NAME + 1))
@example("")
def test_any_name(value: JSON) -> None:
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME:
        assert read_name({"a": value}, "a", "thing") == value
    else:
        with pytest.raises(RemoteProtocolError, match='"a" '):
            read_name({"a": value}, "a", "thing")


ROOMS = st.lists(st.text(max_size=5) | st.integers() | st.floats(allow_nan=False), max_size=4)


@given(ROOMS)
@example([7.0, 0.5, 3])
def test_rooms_are_text_or_numbers_as_javascript_writes_them(
    values: list[str | int | float],
) -> None:
    rooms = read_rooms([*values], "rooms", "thing")
    for value, room in zip(values, rooms, strict=True):
        if isinstance(value, str):
            assert room == value
        else:
            assert type(value)(room) == value
            assert not room.endswith(".0")


@given(sio.json_values(binary=True))
@example(True)
@example([True])
@example({})
@example(None)
def test_anything_as_rooms(value: JSON) -> None:
    rooms = attempt(RemoteProtocolError, read_rooms, value, "rooms", "thing")
    if isinstance(rooms, RemoteProtocolError):
        assert str(rooms).startswith("invalid thing: ")
        assert value is not None
    else:
        assert len(rooms) == len(value or ())  # type: ignore[arg-type]
        assert all(isinstance(room, str) for room in rooms)
