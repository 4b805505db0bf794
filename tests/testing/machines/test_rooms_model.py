"""The model of rooms: who has to hear what."""

import pytest

from trio_sio.abc import Flags, Target
from trio_sio.testing.machines.rooms_model import Member, RoomsModel


@pytest.fixture
def model() -> RoomsModel:
    model = RoomsModel()
    for name, server, namespace, rooms in (
        ("a", 0, "/", {"red"}),
        ("b", 1, "/", {"red", "blue"}),
        ("/chat#c", 0, "/chat", {"red"}),
    ):
        sid = name[-1]
        model.members.append(Member(name, sid, server, namespace, 2, {name, *rooms}))
    return model


@pytest.mark.parametrize(
    ("target", "heard"),
    [
        (Target(), "ab"),
        (Target(frozenset({"blue", "red"})), "ab"),
        (Target(frozenset({"red"}), frozenset({"blue"})), "a"),
        (Target(frozenset({"b"})), "b"),
        (Target(sender="b"), "a"),
        (Target(flags=Flags(local=True)), "a"),
        (Target(frozenset({"green"})), ""),
    ],
)
def test_who_hears(model: RoomsModel, target: Target, heard: str) -> None:
    model.expect("/", target, 0, ["x"])
    assert "".join(one.id for one in model.members if one.expected) == heard


def test_a_volatile_event_needs_room(model: RoomsModel) -> None:
    volatile = Target(flags=Flags(volatile=True))
    model.expect("/", volatile, 0, ["x", [b"", {"a": b""}]])  # three parts
    model.expect("/", volatile, 0, ["dropped"])
    model.expect("/", Target(), 0, ["y"])
    assert [event[0] for event in model.members[0].take()] == ["x", "y"]
    model.expect("/", volatile, 0, ["z"])
    assert model.members[0].take() == [["z"]]


def test_who_is_where(model: RoomsModel) -> None:
    assert model.ids_in("/", ()) == {"a", "b", "c"}  # a session in /chat is in "/" as well
    assert model.ids_in("/", {"red"}) == {"a", "b"}
    assert model.ids_in("/", {"c"}) == {"c"}
    assert model.all_rooms("/") == {"a", "b", "c", "red", "blue"}
    assert model.all_rooms("/chat") == {"/chat#c", "red"}
    gone = model.members[1]
    model.leave(gone)
    assert model.all_rooms("/") == {"a", "c", "red"}
    assert model.gone == ["b"]
