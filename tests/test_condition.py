"""Waiting until something holds."""

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio.sync import Condition


async def test_each_waits_for_what_it_asked_for(autojump_clock: MockClock) -> None:
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
            assert len(returned) < len(expected)  # nobody looks by himself
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


async def test_nobody_has_to_wait(autojump_clock: MockClock) -> None:
    Condition().notify_all()
