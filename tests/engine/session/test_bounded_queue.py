"""Items that wait, bounded by their number and by their bytes."""

from collections import deque

import pytest
from hypothesis import given, strategies as st

from trio_sio.disconnect import Explanation
from trio_sio.engine.session.bounded_queue import NOTHING, BoundedQueue
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded


def limits(packets: int, size: int) -> EngineOptions:
    return EngineOptions(max_outbox=packets, max_outbox_bytes=size)


class Filled(BoundedQueue):
    """A queue with items in it, as an outbox fills it."""

    def __init__(self, max_packets: int, max_bytes: int, *items: Encoded) -> None:
        super().__init__(limits(max_packets, max_bytes))
        if items:
            self._queue = deque(items)
        self._size = sum(item.size for item in items)

    @property
    def items(self) -> list[Encoded]:
        return [*self._queue]

    @property
    def size(self) -> int:
        return self._size


def item(size: int, *, droppable: bool = False) -> Encoded:
    return Encoded(("x" * size,), droppable=droppable)


def test_an_empty_one_takes_nothing() -> None:
    queue = BoundedQueue(limits(3, 100))
    assert (len(queue), queue.level(), queue.dropped, queue.peak_bytes) == (0, 0, 0, 0)
    assert queue._queue is NOTHING


@pytest.mark.parametrize(
    ("sizes", "level"),
    [([], 0), ([1], 0.25), ([1, 1], 0.5), ([50], 0.5), ([50, 25], 0.75), ([200], 2.0)],
)
def test_the_level_is_that_of_the_limit_that_is_nearer(sizes: list[int], level: float) -> None:
    assert Filled(4, 100, *map(item, sizes)).level() == level


@pytest.mark.parametrize(
    ("sizes", "size", "fits"),
    [
        ([], 10, True),
        ([], 1000, True),  # one that is larger still has to get through
        ([60], 40, True),
        ([60], 41, False),
        ([1, 1, 1], 1, True),
        ([1, 1, 1, 1], 1, False),
        ([1, 1, 1, 1], 0, False),
    ],
)
def test_what_fits(sizes: list[int], size: int, fits: bool) -> None:
    assert Filled(4, 100, *map(item, sizes)).fits(item(size)) is fits


@pytest.mark.parametrize(
    ("sizes", "size", "why"),
    [
        (
            [1, 1, 1, 1],
            500,
            Explanation("5 packets wait for a client that does not take them", "max_outbox", 4, 5),
        ),
        (
            [60],
            41,
            Explanation(
                "101 bytes wait for a client that does not take them", "max_outbox_bytes", 100, 101
            ),
        ),
    ],
)
def test_why_it_does_not_fit(sizes: list[int], size: int, why: Explanation) -> None:
    assert Filled(4, 100, *map(item, sizes)).why_full(item(size)) == why


sizes = st.integers(1, 60)


@given(st.lists(st.tuples(sizes, st.booleans()), max_size=5), sizes)
def test_room_is_made_of_the_oldest_and_of_no_more_than_it_takes(
    waiting: list[tuple[int, bool]], size: int
) -> None:
    before = [item(one, droppable=droppable) for one, droppable in waiting]
    queue = Filled(5, 100, *before)
    latest = item(size)
    fitted = queue.fits(latest)
    made = queue.make_room(latest)
    kept = queue.items
    gone = [one for one in before if not any(one is other for other in kept)]
    assert queue.size == sum(one.size for one in kept)
    assert queue.dropped == len(gone) == len(before) - len(kept)
    assert made is queue.fits(latest)
    assert not (fitted and gone)
    assert kept == [one for one in before if any(one is other for other in kept)]  # in order
    droppable = [one for one in before if one.droppable]
    assert [id(one) for one in gone] == [id(one) for one in droppable[: len(gone)]]
    if gone:  # with the last of them it would not have fitted
        assert not Filled(5, 100, *kept, gone[-1]).fits(latest)
    if not made:
        assert gone == []
        assert not Filled(5, 100, *(one for one in before if not one.droppable)).fits(latest)


def test_to_make_room_where_nothing_waits_leaves_nothing_behind() -> None:
    queue = BoundedQueue(limits(1, 1))
    assert queue.make_room(item(50))
    assert queue._queue is NOTHING
    assert len(NOTHING) == 0
