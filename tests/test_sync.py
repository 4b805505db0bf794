"""Waiting for one another: events, notifiers, conditions, a parked task."""

import asyncio
from collections.abc import Callable

import pytest
import trio
import trio.testing
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio.sync import THREAD, Condition, Home, LazyEvent, Notifier, Parked, running_loop, settle


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


# -- the right Trio run --------------------------------------------------------------------------


async def test_at_home_one_comparison_is_enough() -> None:
    home = Home()
    assert THREAD.token is not home.token
    home.check("f")  # nothing is served: any Trio run may call
    with home.entered():
        assert THREAD.token is home.token
        home.check("f")
        home.check_sync("f")
        home.check_while_serving("f")
        assert await trio.to_thread.run_sync(lambda: THREAD.token is home.token) is False
    assert THREAD.token is not home.token


@pytest.mark.parametrize(
    ("check", "advice"),
    [
        (Home.check, r"trio\.from_thread\.run\(f, \.\.\.\)"),
        (Home.check_sync, r"trio\.from_thread\.run_sync\(f, \.\.\.\)"),
        (Home.check_while_serving, r"trio\.from_thread\.run_sync\(f, \.\.\.\)"),
    ],
)
async def test_elsewhere_it_says_what_to_do(
    check: Callable[[Home, str], None], advice: str
) -> None:
    home = Home()

    async def other_run() -> None:
        check(home, "f")

    with home.entered():
        with pytest.raises(RuntimeError, match=f"f has done nothing: .* in this thread.*{advice}"):
            await trio.to_thread.run_sync(check, home, "f")
        with pytest.raises(RuntimeError, match=f"another Trio run.*{advice}.*one Trio run for"):
            await trio.to_thread.run_sync(trio.run, other_run)


def test_without_a_run_only_reading_is_allowed() -> None:
    home = Home()
    home.check_while_serving("f")
    for check in (home.check, home.check_sync, home.claim):
        with pytest.raises(RuntimeError, match="Trio does not run in this thread"):
            check("f")


async def test_a_claim_lasts_as_long_as_the_run_that_makes_it() -> None:
    home = Home()

    async def claim() -> None:
        home.claim("f")

    for _ in range(2):
        await trio.to_thread.run_sync(trio.run, claim)  # that run has ended
    home.claim("f")
    home.claim("f")
    with pytest.raises(RuntimeError, match="another Trio run"):
        await trio.to_thread.run_sync(trio.run, claim)


async def test_which_loop_runs() -> None:
    async def in_asyncio() -> str:
        return running_loop()

    assert running_loop() == "Trio"
    assert await trio.to_thread.run_sync(running_loop) == ""
    assert await trio.to_thread.run_sync(lambda: asyncio.run(in_asyncio())) == "asyncio"
