"""What is the same to JSON, and how messages show what came."""

import pytest
from hypothesis import given

from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing.clients.expectation import Unexpected, expect, is_same, require, shown
from trio_sio.testing.strategies import json_values

EVENT = PacketType.EVENT


@given(json_values(binary=True))
def test_a_value_is_the_same_as_itself(value: JSON) -> None:
    assert is_same(value, value)
    assert is_same([value], [value])
    assert not is_same(value, [value])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, False, False),
        ([1], [True], False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1], [1, 2], False),
        ("b", b"b", False),
        (Packet(EVENT, "/", ["a", 1]), Packet(EVENT, "/", ["a", 1.0]), True),
        (Packet(EVENT, "/", ["a", 1]), Packet(EVENT, "/", ["a", True]), False),
        (Packet(EVENT, "/", ["a"]), Packet(EVENT, "/b", ["a"]), False),
        (Packet(EVENT, "/", ["a"]), Packet(EVENT, "/", ["a"], 1), False),
        (Packet(EVENT, "/", []), Packet(PacketType.ACK, "/", []), False),
    ],
)
def test_what_is_the_same(one: object, other: object, same: bool) -> None:
    assert is_same(one, other) is is_same(other, one) is same


def test_a_message_shows_both() -> None:
    with pytest.raises(Unexpected) as caught:
        expect(Packet(EVENT, "/", ["a"]), Packet(EVENT, "/chat", ["b", b"\x01"]), "an event")
    wanted = '451-/chat,["b",{"_placeholder":true,"num":0}] b\'\\x01\''
    assert str(caught.value) == f'an event: expected {wanted}, got 42["a"]'


def test_what_is_as_expected_raises_nothing() -> None:
    expect(["a", 1], ["a", 1], "it")
    require([0], "it is not there")


def test_what_is_required_is_told() -> None:
    with pytest.raises(Unexpected, match=r"^it is not there$"):
        require([], "it is not there")


def test_not_too_much_is_shown() -> None:
    assert shown("x" * 398) == repr("x" * 398)
    assert shown("x" * 1_000) == f"'{'x' * 399}… (1002 characters)"
