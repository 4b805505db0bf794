"""Waiting for one another: events, notifiers, conditions, a parked task."""

import pytest
import trio
import trio.testing
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio.sync import Condition, LazyEvent, Notifier, Parked, settle


async def test_a_lazy_event_wakes_those_before_and_those_after(autojump_clock: MockClock) -> None:
    event = LazyEvent()
    heard: list[str] = []

    async def wait(name: str) -> None:
        await event.wait()
        heard.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "before")
        nursery.start_soon(wait, "too")
        await wait_all_tasks_blocked()
        assert (heard, event.is_set) == ([], False)
        event.set()
        event.set()
    assert sorted(heard) == ["before", "too"]
    with trio.testing.assert_checkpoints():
        await event.wait()
    assert event.is_set


async def test_a_notifier_wakes_those_who_wait_at_that_moment(autojump_clock: MockClock) -> None:
    notifier = Notifier()
    notifier.notify_all()  # nobody waits
    heard: list[str] = []

    async def wait(name: str) -> None:
        await notifier.wait()
        heard.append(name)

    async with trio.open_nursery() as nursery:
        for name in ("first", "second"):
            nursery.start_soon(wait, name)
        await wait_all_tasks_blocked()
        assert heard == []
        notifier.notify_all()
        nursery.start_soon(wait, "third")
        await wait_all_tasks_blocked()
        assert sorted(heard) == ["first", "second"]
        notifier.notify_all()
    assert heard[2:] == ["third"]


async def test_whoever_is_cancelled_waits_for_no_notification(autojump_clock: MockClock) -> None:
    notifier = Notifier()
    with trio.move_on_after(1) as scope:
        await notifier.wait()
    assert scope.cancelled_caught
    notifier.notify_all()
    with trio.move_on_after(1) as scope:
        await notifier.wait()
    assert scope.cancelled_caught


async def test_others_run_as_often_as_one_settles(autojump_clock: MockClock) -> None:
    rounds = 0

    async def count() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        await trio.lowlevel.checkpoint()
        before = rounds
        await settle(3)
        assert rounds - before in (2, 3, 4)  # either of the two may run first in a round
        nursery.cancel_scope.cancel()


async def test_a_parked_task_goes_on_when_it_is_woken(autojump_clock: MockClock) -> None:
    parked = Parked()
    parked.wake()  # nobody is
    events: list[str] = []

    async def park() -> None:
        await parked.park()
        events.append("woken")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(park)
        await wait_all_tasks_blocked()
        assert (parked.task is not None, events) == (True, [])
        with pytest.raises(trio.BusyResourceError):
            await parked.park()
        parked.wake()
        assert parked.task is None
        parked.wake()  # it has not run yet
    assert events == ["woken"]


async def test_a_parked_task_can_be_cancelled(autojump_clock: MockClock) -> None:
    parked = Parked()
    for _ in range(2):
        with trio.move_on_after(1) as scope:
            await parked.park()
        assert scope.cancelled_caught
        assert parked.task is None


async def test_each_waiter_has_its_own_predicate(autojump_clock: MockClock) -> None:
    condition, number = Condition(), 0
    returned: list[int] = []

    async def wait(least: int) -> None:
        await condition.wait_for(lambda: number >= least)
        returned.append(least)

    async with trio.open_nursery() as nursery:
        for least in (0, 1, 2, 2):
            nursery.start_soon(wait, least)
        await wait_all_tasks_blocked()
        assert returned == [0]
        condition.notify_all()
        await wait_all_tasks_blocked()
        assert returned == [0]
        for reached, expected in ((1, [0, 1]), (2, [0, 1, 2, 2])):
            number = reached
            await wait_all_tasks_blocked()
            assert len(returned) < len(expected)  # nobody is told
            condition.notify_all()
            await wait_all_tasks_blocked()
            assert returned == expected


async def test_it_holds_when_the_wait_is_over(autojump_clock: MockClock) -> None:
    """It may have held for a moment only, in which the one who waits could not run."""
    condition, holds = Condition(), False
    seen: list[bool] = []

    async def wait() -> None:
        await condition.wait_for(lambda: holds)
        seen.append(holds)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        holds = True
        condition.notify_all()
        holds = False
        await wait_all_tasks_blocked()
        assert seen == []
        holds = True
        condition.notify_all()
    assert seen == [True]


async def test_it_is_a_cancellation_point_even_if_it_holds(autojump_clock: MockClock) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await Condition().wait_for(lambda: True)
    assert scope.cancelled_caught


async def test_a_condition_without_waiters(autojump_clock: MockClock) -> None:
    Condition().notify_all()
