"""The services of an engine: all of them work while `run` runs, and none does afterwards."""

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.held_loop import Counter
from trio_sio.engine.runtime.fairness import ARRIVALS_PER_ROUND, QUANTA_PER_ROUND
from trio_sio.engine.runtime.runtime import Runtime


class Marked:
    def __init__(self) -> None:
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1


async def test_all_services_run(autojump_clock: MockClock) -> None:
    runtime, box, woken = Runtime(), Marked(), trio.Event()
    taken: list[str] = []

    async def ask(name: str, count: int) -> None:
        scheduler = runtime.fairness if name == "fairness" else runtime.arrivals
        for _ in range(count):
            await scheduler.wait()
        taken.append(name)

    async with trio.open_nursery() as nursery:
        await nursery.start(runtime.run)
        before = runtime.tick.count
        runtime.tick.mark(box)
        runtime.timers.call_at(trio.current_time() + 5, woken.set)
        nursery.start_soon(ask, "fairness", QUANTA_PER_ROUND + 1)  # the last needs another round
        nursery.start_soon(ask, "arrivals", ARRIVALS_PER_ROUND + 1)
        await woken.wait()
        await wait_all_tasks_blocked()
        assert box.flushes == 1
        assert runtime.tick.count > before
        assert sorted(taken) == ["arrivals", "fairness"]
        nursery.cancel_scope.cancel()
    runtime.tick.mark(box)
    runtime.timers.call_at(trio.current_time(), woken.set)
    count = runtime.tick.count
    await trio.sleep(1)
    assert (box.flushes, runtime.tick.count, len(runtime.timers)) == (1, count, 1)


async def test_stalls_are_noticed_from_the_start_and_counted(counter: Counter) -> None:
    runtime = Runtime(0.25)
    async with trio.open_nursery() as nursery:
        await nursery.start(runtime.run)
        counter.hold(1.5)
        await trio.lowlevel.checkpoint()
        assert runtime.stalls.stalls == 1
        nursery.cancel_scope.cancel()
    counter.hold(1.5)
    await trio.lowlevel.checkpoint()
    assert runtime.stalls.stalls == 1
