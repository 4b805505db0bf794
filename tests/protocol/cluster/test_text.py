"""JSON between servers: what JavaScript writes, and what is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

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
