"""Values and names: what is drawn, and what it becomes when it is made simple."""

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.support.drawn import (
    Condition,
    is_drawn,
    is_placeholder,
    parts,
    simplest,
    some,
    text_with,
)
from trio_sio.protocol.socketio.packet import JSON, RESERVED_EVENTS
from trio_sio.testing import strategies as sio


def is_lone_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


DRAWN: dict[str, tuple[st.SearchStrategy[Any], Condition]] = {
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
    "the empty room": (sio.rooms(), lambda room: room == ""),
    "a room with the separator of channels": (sio.rooms(), lambda room: "#" in room[1:-1]),
    "a room of wide characters": (sio.rooms(), lambda room: max(room, default="") > "\uffff"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_drawn(name: str) -> None:
    assert is_drawn(*DRAWN[name])


SIMPLEST: dict[str, tuple[st.SearchStrategy[Any], Condition, Any]] = {
    "a value": (sio.json_values(), lambda v: True, None),
    "a number": (sio.json_values(), lambda v: type(v) is int, 0),
    "a float": (sio.json_values(), lambda v: isinstance(v, float), 0.0),
    "a text": (sio.json_values(), lambda v: isinstance(v, str), ""),
    "a list with something": (sio.json_values(), lambda v: isinstance(v, list) and v != [], [None]),
    "a dict with something": (
        sio.json_values(),
        lambda v: isinstance(v, dict) and v != {},
        {"": None},
    ),
    "bytes in a list": (
        sio.json_values(binary=True),
        lambda v: isinstance(v, list) and some(lambda p: isinstance(p, bytes))(v),
        [b""],
    ),
    "a namespace": (sio.namespaces(), lambda name: True, "/"),
    "another namespace": (sio.namespaces(), lambda name: name != "/", "/chat"),
    "an event": (sio.event_names(), lambda name: True, "a"),
    "a room": (sio.rooms(), lambda room: True, "a"),
    "another room": (sio.rooms(), lambda room: room != "a", "b"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMPLEST)
def test_simplest(name: str) -> None:
    strategy, condition, expected = SIMPLEST[name]
    found = simplest(strategy, condition)
    assert (found, type(found)) == (expected, type(expected))


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


@given(room=sio.rooms())
def test_rooms(room: str) -> None:
    room.encode()  # no lone surrogates: a room may be the name of a channel
