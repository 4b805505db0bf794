"""Turns: so many in a round of the event loop, and a line for the others."""

import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio.engine.runtime.fairness import FairScheduler
from trio_sio.engine.runtime.tick import TickFlusher


async def test_within_the_limit_nobody_waits() -> None:
    turns = FairScheduler(TickFlusher(), 3)
    seen: list[int] = []

    async def other() -> None:
        seen.append(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(3):
            await turns.wait()  # it would not return: there is no one to move the line
        assert seen == []  # and no round has passed


async def test_a_round_has_no_more_turns_than_its_limit() -> None:
    tick = TickFlusher()
    turns = FairScheduler(tick, 2)
    ticks: list[int] = []

    async def ask() -> None:
        for _ in range(5):
            await turns.wait()
            ticks.append(tick.count)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick.run)
        nursery.start_soon(turns.run)
        await wait_all_tasks_blocked()
        for _ in range(6):
            nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        assert len(ticks) == 30
        assert max(ticks.count(tick) for tick in ticks) == 2
        nursery.cancel_scope.cancel()


async def test_the_line_is_served_from_its_front() -> None:
    tick = TickFlusher()
    turns = FairScheduler(tick, 1)
    order: list[int] = []

    async def ask(number: int) -> None:
        await turns.wait()
        order.append(number)

    async with trio.open_nursery() as nursery:
        await turns.wait()  # there is no other round without a tick
        for number in range(5):
            nursery.start_soon(ask, number)
            await wait_all_tasks_blocked()
        assert len(turns) == 5
        nursery.start_soon(turns.run)
        await wait_all_tasks_blocked()
        assert order == [0, 1, 2, 3, 4]
        nursery.cancel_scope.cancel()


async def test_who_is_cancelled_leaves_the_line() -> None:
    turns = FairScheduler(TickFlusher(), 1)
    await turns.wait()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(turns.wait)
            await wait_all_tasks_blocked()
            assert len(turns) == 3
            scope.cancel()
    assert len(turns) == 0
