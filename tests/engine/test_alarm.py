"""Sleeping by a common clock: everyone is woken at the right time, and nobody who gave up."""

from functools import partial

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from trio_sio.engine.alarm import PRUNE_FROM, Alarm


async def sleep(alarm: Alarm, deadline: float, woken: list[tuple[float, float]]) -> None:
    await alarm.sleep_until(deadline)
    woken.append((deadline, trio.current_time()))


async def test_each_is_woken_at_its_time(autojump_clock: MockClock) -> None:
    alarm, woken = Alarm(), list[tuple[float, float]]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarm.run)
        for deadline in (3.0, 1.0, 2.0, 1.0):
            nursery.start_soon(sleep, alarm, deadline, woken)
        await trio.sleep(1.5)
        assert (sorted(woken), len(alarm)) == ([(1.0, 1.0), (1.0, 1.0)], 2)
        nursery.start_soon(sleep, alarm, 1.75, woken)  # earlier than all that sleep
        nursery.start_soon(sleep, alarm, 0.0, woken)  # in the past
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert woken[2:] == [(0.0, 1.5), (1.75, 1.75), (2.0, 2.0), (3.0, 3.0)]
    assert len(alarm) == 0


async def test_who_is_cancelled_sleeps_no_longer(autojump_clock: MockClock) -> None:
    alarm = Alarm()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarm.run)
        with trio.move_on_after(1):
            await alarm.sleep_until(5)
        assert (trio.current_time(), len(alarm)) == (1.0, 0)
        await alarm.sleep_until(7)  # at 5, nobody is woken
        assert trio.current_time() == 7.0
        nursery.cancel_scope.cancel()


async def test_the_queue_does_not_grow_with_those_who_gave_up(autojump_clock: MockClock) -> None:
    alarm, woken = Alarm(), list[tuple[float, float]]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarm.run)
        nursery.start_soon(sleep, alarm, 100.0, woken)
        for _ in range(5):
            async with trio.open_nursery() as brief:
                for _ in range(PRUNE_FROM):
                    brief.start_soon(alarm.sleep_until, 200.0)
                await trio.testing.wait_all_tasks_blocked()
                assert len(alarm) == PRUNE_FROM + 1
                brief.cancel_scope.cancel()
            assert len(alarm) == 1
            assert len(alarm._calls) <= PRUNE_FROM + 3
        await trio.sleep(150)
        nursery.cancel_scope.cancel()
    assert woken == [(100.0, 100.0)]


async def test_functions_are_called_once_unless_they_are_cancelled(
    autojump_clock: MockClock,
) -> None:
    alarm, called = Alarm(), list[tuple[str, float]]()

    def note(name: str) -> None:
        called.append((name, trio.current_time()))

    plan = {"b": 2.0, "never": 1.5, "a": 1.0}
    calls = {name: alarm.call_at(at, partial(note, name)) for name, at in plan.items()}
    calls["never"].cancel()
    calls["never"].cancel()
    assert (len(alarm), calls["never"].is_due, calls["a"].is_due) == (2, False, True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarm.run)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert called == [("a", 1.0), ("b", 2.0)]
    calls["a"].cancel()  # too late
    assert (len(alarm), calls["a"].is_due) == (0, False)


async def test_one_that_fails_is_logged_and_stops_nobody(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    alarm, woken = Alarm(), list[tuple[float, float]]()

    def fail() -> None:
        raise ValueError("oh")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarm.run)
        alarm.call_at(1.0, fail)
        nursery.start_soon(sleep, alarm, 1.0, woken)
        nursery.start_soon(sleep, alarm, 2.0, woken)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert woken == [(1.0, 1.0), (2.0, 2.0)]
    assert "ValueError: oh" in caplog.text


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=20))
def test_any_sleepers_that_come_and_go(plans: list[tuple[int, int]]) -> None:
    """Each plan is when a task wants to be woken, and when it is cancelled."""
    ends: list[tuple[int, int, float]] = []

    async def one(alarm: Alarm, deadline: int, patience: int) -> None:
        with trio.move_on_at(patience):
            await alarm.sleep_until(deadline)
        ends.append((deadline, patience, trio.current_time()))

    async def main() -> None:
        alarm = Alarm()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(alarm.run)
            for plan in plans:
                nursery.start_soon(one, alarm, *plan)
            await trio.sleep(30)
            assert len(alarm) == 0
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert sorted(ends) == sorted((a, b, float(min(a, b))) for a, b in plans)
