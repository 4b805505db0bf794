"""Sleeping by a common clock: everyone is woken at the right time, and nobody who gave up."""

from functools import partial

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from trio_sio.engine.runtime.timers import PRUNE_FROM, SLOT, SharedMoments, Timers


async def sleep(timers: Timers, deadline: float, woken: list[tuple[float, float]]) -> None:
    await timers.sleep_until(deadline)
    woken.append((deadline, trio.current_time()))


async def test_each_is_woken_at_its_time(autojump_clock: MockClock) -> None:
    timers, woken = Timers(), list[tuple[float, float]]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        for deadline in (3.0, 1.0, 2.0, 1.0):
            nursery.start_soon(sleep, timers, deadline, woken)
        await trio.sleep(1.5)
        assert (sorted(woken), len(timers)) == ([(1.0, 1.0), (1.0, 1.0)], 2)
        nursery.start_soon(sleep, timers, 1.75, woken)  # earlier than all that sleep
        nursery.start_soon(sleep, timers, 0.0, woken)  # in the past
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert woken[2:] == [(0.0, 1.5), (1.75, 1.75), (2.0, 2.0), (3.0, 3.0)]
    assert len(timers) == 0


async def test_who_is_cancelled_sleeps_no_longer(autojump_clock: MockClock) -> None:
    timers = Timers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        with trio.move_on_after(1):
            await timers.sleep_until(5)
        assert (trio.current_time(), len(timers)) == (1.0, 0)
        await timers.sleep_until(7)  # at 5, nobody is woken
        assert trio.current_time() == 7.0
        nursery.cancel_scope.cancel()


async def test_the_queue_does_not_grow_with_those_who_gave_up(autojump_clock: MockClock) -> None:
    timers, woken = Timers(), list[tuple[float, float]]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        nursery.start_soon(sleep, timers, 100.0, woken)
        for _ in range(5):
            async with trio.open_nursery() as brief:
                for _ in range(PRUNE_FROM):
                    brief.start_soon(timers.sleep_until, 200.0)
                await trio.testing.wait_all_tasks_blocked()
                assert len(timers) == PRUNE_FROM + 1
                brief.cancel_scope.cancel()
            assert len(timers) == 1
            assert len(timers._queue) <= PRUNE_FROM + 3
        await trio.sleep(150)
        nursery.cancel_scope.cancel()
    assert woken == [(100.0, 100.0)]


async def test_functions_are_called_once_unless_they_are_cancelled(
    autojump_clock: MockClock,
) -> None:
    timers, called = Timers(), list[tuple[str, float]]()

    def note(name: str) -> None:
        called.append((name, trio.current_time()))

    plan = {"b": 2.0, "never": 1.5, "a": 1.0}
    calls = {name: timers.call_at(at, partial(note, name)) for name, at in plan.items()}
    calls["never"].cancel()
    calls["never"].cancel()
    assert (len(timers), calls["never"].is_due, calls["a"].is_due) == (2, False, True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert called == [("a", 1.0), ("b", 2.0)]
    calls["a"].cancel()  # too late
    assert (len(timers), calls["a"].is_due) == (0, False)


async def test_one_that_fails_is_logged_and_stops_nobody(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    timers, woken = Timers(), list[tuple[float, float]]()

    def fail() -> None:
        raise ValueError("oh")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        timers.call_at(1.0, fail)
        nursery.start_soon(sleep, timers, 1.0, woken)
        nursery.start_soon(sleep, timers, 2.0, woken)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert woken == [(1.0, 1.0), (2.0, 2.0)]
    assert "ValueError: oh" in caplog.text


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=20))
def test_any_sleepers_that_come_and_go(plans: list[tuple[int, int]]) -> None:
    """Each plan is when a task wants to be woken, and when it is cancelled."""
    ends: list[tuple[int, int, float]] = []

    async def one(timers: Timers, deadline: int, patience: int) -> None:
        with trio.move_on_at(patience):
            await timers.sleep_until(deadline)
        ends.append((deadline, patience, trio.current_time()))

    async def main() -> None:
        timers = Timers()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timers.run)
            for plan in plans:
                nursery.start_soon(one, timers, *plan)
            await trio.sleep(30)
            assert len(timers) == 0
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert sorted(ends) == sorted((a, b, float(min(a, b))) for a, b in plans)


# -- moments that are shared ----------------------------------------------------------------------

SECONDS = st.floats(0, 1e6, allow_nan=False)


@given(deadline=SECONDS, early=st.floats(0, 100), ahead=st.floats(0, 200), times=st.integers(1, 9))
def test_nobody_wakes_late_or_too_early(
    deadline: float, early: float, ahead: float, times: int
) -> None:
    moments, now = SharedMoments(), deadline - ahead
    for _ in range(times):
        moment = moments.choose(deadline, early, now)
        assert deadline - early - 1e-6 <= moment <= deadline + 1e-6
        assert moment > now or moment == deadline


@given(deadlines=st.lists(SECONDS, min_size=1), early=st.floats(SLOT * 1.001, 10))
def test_all_wake_at_a_few_moments(deadlines: list[float], early: float) -> None:
    moments = SharedMoments()
    found = {moments.choose(deadline, early, -1.0) for deadline in deadlines}
    assert all(moment % SLOT == 0 for moment in found)


def test_one_alone_is_on_time() -> None:
    moments = SharedMoments()
    assert [moments.choose(25.0 * n, 1.25, 25.0 * (n - 1)) for n in (1, 2, 3)] == [25, 50, 75]


def test_a_crowd_does_not_stay_together() -> None:
    moments, crowd = SharedMoments(), [0.0] * 600
    sizes = []
    for _ in range(6):
        crowd = [moments.choose(woken + 25, 1.25, woken) for woken in sorted(crowd)]
        sizes.append(max(crowd.count(moment) for moment in crowd))
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], len({*crowd})) == (300, 7)
    assert sizes[-1] < 200


def test_moments_that_have_passed_are_forgotten() -> None:
    moments = SharedMoments()
    for second in range(10_000):
        moments.choose(second + 25.0, 1.25, float(second))
        assert len(moments._sleepers) <= 27
