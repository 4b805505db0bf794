"""What is kept of events, and how much."""

from hypothesis import given, strategies as st

from trio_sio.recovery.log import Audience, PacketLog

ALL = Audience("/")


def log(keep: float = 10.0, max_packets: int = 3, max_bytes: int = 100) -> PacketLog[str]:
    return PacketLog(keep=keep, max_packets=max_packets, max_bytes=max_bytes)


def kept(some: PacketLog[str], position: int = 0) -> list[str]:
    return [str(entry.item) for entry in some.after(position)]


def test_positions_count_from_one() -> None:
    some = log()
    assert (some.position, some.mark, len(some)) == (0, 0, 0)
    assert [some.append(ALL, name, 1, 0.0).position for name in "abc"] == [1, 2, 3]
    assert kept(some) == ["a", "b", "c"]
    assert kept(some, 1) == ["b", "c"]
    assert kept(some, 3) == []
    assert some.mark == 0


def test_too_many() -> None:
    some = log(max_packets=2)
    for name in "abc":
        some.append(ALL, name, 1, 0.0)
    assert (kept(some), some.mark, some.size) == (["b", "c"], 1, 2)


def test_too_large() -> None:
    some = log(max_bytes=10)
    for name, size in zip("abc", (4, 6, 1), strict=True):
        some.append(ALL, name, size, 0.0)
    assert (kept(some), some.mark, some.size) == (["b", "c"], 1, 7)
    some.append(ALL, "d", 11, 0.0)
    assert (kept(some), some.mark, some.size) == ([], 4, 0)
    some.append(ALL, "e", 1, 0.0)
    assert (kept(some), kept(some, 4), some.mark) == (["e"], ["e"], 4)


def test_too_old() -> None:
    some = log(keep=10.0)
    for name, now in zip("abc", (0.0, 1.0, 10.0), strict=True):
        some.append(ALL, name, 1, now)
    assert kept(some) == ["a", "b", "c"]
    some.trim(10.5)
    assert (kept(some), some.mark) == (["b", "c"], 1)


def test_what_is_withdrawn_has_a_place_and_says_nothing() -> None:
    some = log()
    entries = [some.append(ALL, name, 10, 0.0) for name in "abc"]
    some.withdraw(entries[1])
    assert (kept(some), kept(some, 1), some.size, len(some)) == (["a", "c"], ["c"], 20, 3)
    some.withdraw(entries[1])
    assert some.size == 20
    some.append(ALL, "d", 1, 0.0)
    some.withdraw(entries[0])  # it has been dropped
    assert some.size == 11


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 20)), max_size=30))
def test_it_never_has_too_much(events: list[tuple[int, float]]) -> None:
    some, now = log(), 0.0
    for size, seconds in events:
        now += seconds
        entry = some.append(ALL, "x", size, now)
        found = [*some.after(0)]
        assert len(some) == len(found) <= 3
        assert some.size == sum(one.size for one in found) <= 100
        assert all(now - one.time <= 10 for one in found)
        assert [one.position for one in found] == [*range(some.mark + 1, entry.position + 1)]
