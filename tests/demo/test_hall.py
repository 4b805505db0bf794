"""The tables: names are unique, rooms come and go, everything is bounded."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from trio_sio.demo.hall import LOBBY, Allowance, Hall, Person
from trio_sio.demo.limits import Limits
from trio_sio.demo.words import Refusal

SMALL = Limits(nick_length=8, rooms=3, rooms_each=2, history=2, listed_rooms=2)


def named(hall: Hall, person_id: str, nick: str) -> Person:
    person = hall.enter(person_id, 0)
    hall.rename(person, nick)
    return person


def test_who_enters_has_a_name() -> None:
    hall = Hall(Limits())
    names = [hall.enter(str(number), 0).nick for number in range(200)]
    assert len({name.casefold() for name in names}) == 200
    assert all(0 < len(name) <= 24 for name in names)


def test_a_taken_name_gets_a_number() -> None:
    hall = Hall(SMALL)
    people = [named(hall, str(number), "Anna") for number in range(3)]
    assert [person.nick for person in people] == ["Anna", "Anna 2", "Anna 3"]
    assert named(hall, "shouting", "ANNA").nick == "ANNA 4"


def test_a_number_fits_into_a_long_name() -> None:
    hall = Hall(SMALL)
    assert named(hall, "1", "Annabell").nick == "Annabell"
    assert named(hall, "2", "Annabell").nick == "Annabe 2"


def test_a_name_is_free_again() -> None:
    hall = Hall(SMALL)
    anna = named(hall, "1", "Anna")
    hall.rename(anna, "Anna")
    assert anna.nick == "Anna"
    hall.rename(anna, "Maria")
    assert named(hall, "2", "Anna").nick == "Anna"
    hall.part("1")
    assert named(hall, "3", "Maria").nick == "Maria"


def test_a_refused_name_changes_nothing() -> None:
    hall = Hall(SMALL)
    anna = named(hall, "1", "Anna")
    with pytest.raises(Refusal):
        hall.rename(anna, "")
    assert anna.nick == "Anna"
    assert named(hall, "2", "Anna").nick == "Anna 2"


def test_rooms() -> None:
    hall = Hall(Limits())
    anna, ben = named(hall, "1", "Anna"), named(hall, "2", "Ben")
    assert hall.join(anna, "#Kitchen") is hall.join(ben, "kitchen")
    hall.join(ben, LOBBY)
    assert hall.counts() == {"lobby": 1, "kitchen": 2}
    assert hall.leave(anna, "kitchen") == "kitchen"
    with pytest.raises(Refusal, match="not in this room"):
        hall.leave(anna, "kitchen")
    assert hall.part("2") == ["kitchen", LOBBY]
    assert hall.part("2") == []
    assert hall.counts() == {}
    assert not any(room.people for room in hall.rooms.values())


def test_a_person_may_be_in_so_many_rooms() -> None:
    hall = Hall(SMALL)
    anna = named(hall, "1", "Anna")
    hall.join(anna, "a")
    hall.join(anna, "b")
    hall.join(anna, "b")
    with pytest.raises(Refusal, match="You are in 2 rooms"):
        hall.join(anna, "c")


def test_the_oldest_empty_room_makes_place() -> None:
    hall = Hall(replace(SMALL, rooms_each=9))
    anna = named(hall, "1", "Anna")
    for name in ("a", "b"):
        hall.join(anna, name)
    with pytest.raises(Refusal, match="too many rooms"):
        hall.join(anna, "c")
    assert anna.rooms == {"a", "b"}
    hall.leave(anna, "b")
    hall.leave(anna, "a")
    hall.join(anna, "c")
    assert list(hall.rooms) == [LOBBY, "b", "c"]


def test_history_is_bounded_and_has_no_images() -> None:
    room = Hall(SMALL).rooms[LOBBY]
    for number in range(5):
        room.remember({"id": number, "image": bytes(1000)})
    assert list(room.history) == [{"id": 3}, {"id": 4}]


def test_a_name_that_others_have_elsewhere() -> None:
    hall = Hall(Limits())
    anna = named(hall, "1", "Anna")
    before = anna.named_at
    hall.rename(anna, "Anna", {"anna", "anna 2"})
    assert anna.nick == "Anna 3"
    assert anna.named_at >= before
    assert (hall.holder("ANNA 3"), hall.holder("Anna")) == (anna, None)


def test_message_ids_differ_between_runs() -> None:
    halls = [Hall(SMALL) for _ in range(3)]
    assert len({hall.message_id() for hall in halls for _ in range(10)}) == 30


def test_allowance() -> None:
    allowance = Allowance(burst=2, pace=1, left=2, filled_at=100)
    allowance.spend(100)
    allowance.spend(100)
    with pytest.raises(Refusal, match="wait"):
        allowance.spend(100.5)
    allowance.spend(101)
    allowance.spend(1000)
    allowance.spend(1000)  # no more than the burst has come together
    with pytest.raises(Refusal):
        allowance.spend(1000)


STEPS = st.tuples(
    st.sampled_from(["enter", "part", "rename", "join", "leave"]),
    st.sampled_from("1234"),
    st.sampled_from(["a", "b", "c", "d", "e", "A", ""]),
)


@given(steps=st.lists(STEPS, max_size=40))
def test_tables_agree_whatever_happens(steps: list[tuple[str, str, str]]) -> None:
    hall = Hall(SMALL)
    for verb, person_id, name in steps:
        with suppress(Refusal):
            take(hall, verb, person_id, name)
        assert_tables_agree(hall)


def take(hall: Hall, verb: str, person_id: str, name: str) -> None:
    if verb == "part":
        hall.part(person_id)
    elif person_id not in hall.people:
        hall.enter(person_id, 0)
    elif verb != "enter":
        getattr(hall, verb)(hall.person(person_id), name)


def assert_tables_agree(hall: Hall) -> None:
    assert LOBBY in hall.rooms
    assert len(hall.rooms) <= SMALL.rooms
    seen = {(person.id, name) for person in hall.people.values() for name in person.rooms}
    assert seen == {(one, room.name) for room in hall.rooms.values() for one in room.people}
    nicks = {person.nick.casefold() for person in hall.people.values()}
    assert len(nicks) == len(hall.people)
    assert all(len(person.rooms) <= SMALL.rooms_each for person in hall.people.values())
