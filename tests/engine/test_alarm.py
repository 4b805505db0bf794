"""Sleeping by a common clock: everyone is woken at the right time, and nobody who gave up."""

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
            assert len(alarm._sleepers) <= PRUNE_FROM + 3
        await trio.sleep(150)
        nursery.cancel_scope.cancel()
    assert woken == [(100.0, 100.0)]


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
