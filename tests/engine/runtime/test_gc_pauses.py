"""Full collections are noted, and how long they took; others are not."""

import gc
from collections.abc import Iterator

import pytest

from tests.support.held_loop import Counter, collection, full_collection
from trio_sio.engine.runtime.gc_pauses import KEPT, GCPauses


@pytest.fixture(autouse=True)
def _no_other_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_a_full_collection_is_noted(counter: Counter) -> None:
    garbage = GCPauses()
    with garbage.noting():
        begun = counter.now
        full_collection(counter, 3)
        between = counter.now
        counter.hold(10)
        full_collection(counter, 2)
        assert garbage.seconds_since(begun) == 5
        assert garbage.seconds_since(begun + 1) == 4
        assert garbage.seconds_since(between) == 2
        assert garbage.seconds_since(counter.now) == 0


@pytest.mark.parametrize("generation", [0, 1])
def test_others_are_not(generation: int, counter: Counter) -> None:
    garbage = GCPauses()
    with garbage.noting():
        collection(counter, 3, generation)
        assert garbage.seconds_since(0) == 0


@pytest.mark.slow
def test_what_is_kept_is_bounded(counter: Counter) -> None:
    garbage = GCPauses()
    with garbage.noting():
        for _ in range(2 * KEPT):
            full_collection(counter, 1)
        assert garbage.seconds_since(0) == KEPT


def test_at_the_end_nothing_is_noted(counter: Counter) -> None:
    before = list(gc.callbacks)
    garbage = GCPauses()
    with garbage.noting():
        full_collection(counter, 3)
    assert gc.callbacks == before
    assert garbage.seconds_since(0) == 0
