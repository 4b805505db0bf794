"""In which rooms a socket was when."""

from hypothesis import given, strategies as st

from trio_sio.recovery.rooms import MAX_STAYS, RoomHistory

names = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(names, st.booleans(), st.integers(0, 3)), max_size=40), st.integers(0))
def test_it_remembers_each_position(steps: list[tuple[str, bool, int]], mark: int) -> None:
    history, there, position = RoomHistory(), set[str](), 0
    expected: list[set[str]] = [set()]
    for room, is_entering, events in steps:
        if is_entering:
            history.enter(room, position)
            there.add(room)
        else:
            history.leave(room, position)
            there.discard(room)
        for _ in range(events):
            position += 1
            expected.append({*there})
    assert history.present == there
    history.forget(mark % (position + 1))
    for at in range(mark % (position + 1) + 1, position + 1):
        for room in ("a", "b", "c"):
            assert history.was_in(frozenset([room]), at) == (room in expected[at])
        assert history.was_in(frozenset("abc"), at) == bool(expected[at])


def test_rooms_that_are_left_are_few() -> None:
    history = RoomHistory()
    for position in range(MAX_STAYS):
        history.enter("a", position)
        history.leave("a", position + 1)
    assert history.known_from == 0
    assert history.was_in(frozenset("a"), 1)
    history.enter("a", MAX_STAYS)
    history.leave("a", MAX_STAYS + 1)
    assert history.known_from == 1
    assert not history.was_in(frozenset("a"), 1)
    assert history.was_in(frozenset("a"), 2)


def test_being_in_other_rooms_from_some_position_on() -> None:
    history = RoomHistory()
    history.enter("a", 0)
    history.enter("b", 1)
    history.keep_only({"b", "c"}, 5)
    assert history.present == {"b", "c"}
    assert history.was_in(frozenset("a"), 5)
    assert not history.was_in(frozenset("a"), 6)
    assert history.was_in(frozenset("b"), 2)
    assert not history.was_in(frozenset("c"), 5)
