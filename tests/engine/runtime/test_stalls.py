"""Who holds the event loop is named; when nobody does and it stood still, that is said."""

import logging
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.held_loop import Counter, full_collection, warnings
from trio_sio.engine.runtime.stalls import KEPT, NAMED, StallMonitor
from trio_sio.logs.throttle import INTERVAL, LogThrottle

WITHIN_THE_PACKAGE = """
class Server:
    def __init__(self, doing):
        self.doing = doing

    async def run(self, held, things, then):
        thing = things.pop()
        held()
        await checkpoint()
        del thing
        await then()
"""


class Thing:
    """Something that a task has for a while."""


class Standstill(trio.abc.Instrument):
    """Has the process stand still while it waits, once; has to begin before the watch."""

    def __init__(self, counter: Counter, seconds: float) -> None:
        self._counter = counter
        self._seconds = seconds

    def after_io_wait(self, timeout: float) -> None:
        self._counter.hold(timeout + self._seconds)
        trio.lowlevel.remove_instrument(self)


async def hold(counter: Counter, seconds: float) -> None:
    """Hold the loop for a turn that begins with it, then let others have theirs."""
    await trio.lowlevel.checkpoint()
    counter.hold(seconds)
    await trio.lowlevel.checkpoint()


def run_beside(main: Callable[[], Awaitable[object]]) -> None:
    """Run another event loop while ours is held, as one in another thread would run."""
    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    thread.join()


async def run(function: Callable[..., Any], *args: object) -> None:
    """Run a task that is called "work", until it waits for something or ends."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(function, *args, name="work")
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


def server(doing: Callable[[], str]) -> Any:  # noqa: ANN401
    """An object whose `run` is the package's own code, for all that the watch can see."""
    names = {"__name__": "trio_sio.somewhere", "checkpoint": trio.lowlevel.checkpoint}
    exec(WITHIN_THE_PACKAGE, names)
    return names["Server"](doing)  # type: ignore[operator]


async def test_the_applications_function_is_named_and_where_it_waits_now(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    watch = StallMonitor(0.25)

    async def compute() -> None:
        counter.hold(1.5)
        await trio.sleep_forever()

    with watch.watching():
        await run(compute)
    (told,) = warnings(caplog)
    line = compute.__code__.co_firstlineno + 2
    assert "the event loop was held for 1.50 s (slow_step is 0.25 s) by test_the_app" in told
    assert f"compute, which waits at test_stalls.py:{line} now (task work);" in told
    assert (watch.stalls, watch.stalled, watch.longest) == (1, 1.5, 1.5)
    (stall,) = watch.recent
    assert (stall.seconds, stall.name) == (1.5, told.partition(" by ")[2].partition(";")[0])


async def test_a_task_of_the_packages_is_asked_for_whom_it_works(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    working = server(lambda: "chat.say for Ann")
    with StallMonitor(0.25).watching():
        await run(working.run, lambda: counter.hold(2), [Thing()], trio.sleep_forever)
    (told,) = warnings(caplog)
    assert "held for 2.00 s (slow_step is 0.25 s) by chat.say for Ann (task work);" in told


@pytest.mark.parametrize("mistake", [False, True])
async def test_who_knows_nothing_is_called_by_the_tasks_name(
    mistake: bool, counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    def doing() -> str:
        if mistake:
            raise LookupError("a mistake in the application's own code")
        return ""

    watch = StallMonitor(0.25)
    with watch.watching():
        await run(server(doing).run, lambda: counter.hold(2), [Thing()], trio.sleep_forever)
        await hold(counter, 1)
    assert " by task work;" in warnings(caplog)[0]
    assert watch.stalls == 2  # it goes on


async def test_who_waits_in_a_way_that_cannot_be_looked_into(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    class Waiting:
        def __await__(self) -> Any:  # noqa: ANN401
            counter.hold(2)
            sleep = trio.sleep_forever
            return sleep().__await__()

    with StallMonitor(0.25).watching():
        await run(server(str).run, int, [Thing()], Waiting)
    (told,) = warnings(caplog)
    assert " by task work;" in told


async def test_a_task_that_has_ended_has_a_name_still(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    async def compute() -> None:
        counter.hold(3)

    with StallMonitor(0.25).watching():
        await run(compute)
    (told,) = warnings(caplog)
    assert "held for 3.00 s (slow_step is 0.25 s) by task work;" in told


@pytest.mark.parametrize(
    ("seconds", "name"), [(1.5, "Python's garbage collector"), (2.5, "task work")]
)
async def test_a_collection_of_garbage_is_not_its_tasks_doing(
    seconds: float, name: str, counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    async def compute() -> None:
        counter.hold(seconds)
        full_collection(counter, 2)

    watch = StallMonitor(0.25)
    with watch.watching():
        await run(compute)
    (told,) = warnings(caplog)
    assert f"held for {seconds + 2:.2f} s (slow_step is 0.25 s) by {name};" in told
    assert (watch.stalls, watch.stalled) == (1, seconds + 2)


async def test_what_was_looked_at_is_let_go(counter: Counter) -> None:
    thing = Thing()
    there, things = weakref.ref(thing), [thing]
    del thing
    watch = StallMonitor(0.25)
    async with trio.open_nursery() as nursery:
        with watch.watching():
            held = server(str).run
            nursery.start_soon(held, lambda: counter.hold(1), things, trio.sleep_forever)
            await wait_all_tasks_blocked()
            assert (watch.stalls, there()) == (1, None)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("seconds", "stalls"), [(0.25, 0), (0.251, 1)])
async def test_what_is_too_long(seconds: float, stalls: int, counter: Counter) -> None:
    counter.now = 0.0
    watch = StallMonitor(0.25)
    with watch.watching():
        await run(hold, counter, seconds)
    assert watch.stalls == stalls


async def test_the_last_turn_before_a_wait_counts_as_well(counter: Counter) -> None:
    watch = StallMonitor(0.25)

    async def compute() -> None:
        counter.hold(1)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        with watch.watching():
            nursery.start_soon(compute)
            await trio.sleep(0.001)  # nobody else has a turn before the wait
            assert watch.stalls == 1
        nursery.cancel_scope.cancel()


async def test_a_process_that_stood_still_is_nobodys_fault(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    watch = StallMonitor(0.25)
    trio.lowlevel.add_instrument(Standstill(counter, 7))
    with watch.watching():
        await trio.sleep(0.001)
    assert warnings(caplog) == [
        "the process stood still for 7.00 s: suspended, or the machine is overloaded"
    ]
    assert (watch.stalls, watch.stalled) == (1, 7)


async def test_to_wait_long_is_not_to_stand_still(counter: Counter) -> None:
    watch = StallMonitor(0.25)
    trio.lowlevel.add_instrument(Standstill(counter, 0.2))  # it wakes a little late
    with watch.watching():
        await trio.sleep(0.001)
    assert watch.stalls == 0


async def test_the_same_is_told_now_and_then(
    counter: Counter, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    watch = StallMonitor(0.25)
    with watch.watching():
        for _ in range(3):
            await run(hold, counter, 1)
            await trio.sleep(INTERVAL / 2)
        await hold(counter, 5)
    assert [told.count("task work") for told in warnings(caplog)] == [1, 1, 1, 0]
    assert warnings(caplog)[1].endswith(" … and 1 more like it in the last 10 s")
    assert (watch.stalls, watch.stalled, watch.longest) == (4, 8, 5)


async def test_what_is_kept_is_bounded(counter: Counter) -> None:
    watch = StallMonitor(0.25)
    begun = trio.current_time()
    logging.getLogger("trio_sio.engine").disabled = True
    try:
        with watch.watching():
            async with trio.open_nursery() as nursery:
                for number in range(3 * KEPT):
                    nursery.start_soon(hold, counter, 1, name=f"task {number}")
    finally:
        logging.getLogger("trio_sio.engine").disabled = False
    assert watch.stalls >= 3 * KEPT
    assert len(watch._ends) == len(watch._sums) == KEPT
    assert len(watch.recent) == NAMED
    assert watch.lost_since(begun) == KEPT


# -- what it takes from the clients' time --------------------------------------------------------


async def test_what_was_lost_since(counter: Counter) -> None:
    watch = StallMonitor(0.25)
    with watch.watching():
        begun = trio.current_time()
        assert watch.lost_since(begun) == 0
        await hold(counter, 3)
        between = trio.current_time()
        await hold(counter, 2)
        assert watch.lost_since(begun) == 5
        assert watch.lost_since(between) == 2
        assert watch.lost_since(trio.current_time()) == 0


async def test_a_clock_that_did_not_move_has_lost_nothing(
    counter: Counter, autojump_clock: MockClock
) -> None:
    """In a test with virtual time a slow machine changes nothing but the log."""
    watch = StallMonitor(0.25)
    with watch.watching():
        await hold(counter, 3)
        assert watch.stalls == 1
        assert watch.lost_since(-1.0) == 0
        autojump_clock.rate = 1.0
        await hold(counter, 2)
        assert watch.lost_since(-1.0) == 2


def test_another_run_has_a_clock_of_its_own(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    watch = StallMonitor(0.25)

    async def first() -> None:
        await trio.sleep(1000)
        with watch.watching():
            await run(hold, counter, 3)
            assert watch.lost_since(0) == 3

    async def second() -> None:
        with watch.watching():
            assert watch.lost_since(trio.current_time()) == 0
            await run(hold, counter, 1)
            assert watch.lost_since(0) == 1

    clocks = [MockClock(rate=1.0, autojump_threshold=0) for _ in range(2)]
    trio.run(first, clock=clocks[0])
    trio.run(second, clock=clocks[1])
    assert (watch.stalls, watch.stalled) == (2, 4)
    assert len(warnings(caplog)) == 2


# -- when it watches -----------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, float("inf")])
async def test_without_a_limit_nothing_is_watched(limit: float | None, counter: Counter) -> None:
    watch = StallMonitor(limit)
    with watch.watching():
        await hold(counter, 100)
        with pytest.raises(KeyError):
            trio.lowlevel.remove_instrument(watch)
    assert (watch.stalls, watch.lost_since(0.0)) == (0, 0)


async def test_at_the_end_it_is_gone(counter: Counter) -> None:
    watch = StallMonitor(0.25)
    with pytest.raises(LookupError), watch.watching():
        raise LookupError
    await hold(counter, 100)
    with pytest.raises(KeyError):
        trio.lowlevel.remove_instrument(watch)
    assert watch.stalls == 0
    with watch.watching():  # the time between counts for nothing
        await trio.lowlevel.checkpoint()
    assert watch.stalls == 0


async def test_two_watches_see_the_same(counter: Counter) -> None:
    watches = [StallMonitor(0.25), StallMonitor(2)]
    with watches[0].watching(), watches[1].watching():
        await hold(counter, 1)
        await hold(counter, 3)
    assert [watch.stalls for watch in watches] == [2, 1]
    assert [watch.stalled for watch in watches] == [4, 3]


async def test_once_told_is_enough_for_all_servers_of_a_loop(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    watches = [StallMonitor(0.25), StallMonitor(0.25), StallMonitor(2)]
    trio.lowlevel.add_instrument(Standstill(counter, 7))
    with watches[0].watching(), watches[1].watching(), watches[2].watching():
        await trio.sleep(0.001)
        await run(hold, counter, 1)
        await hold(counter, 3)
    assert [watch.stalls for watch in watches] == [3, 3, 2]
    told = warnings(caplog)
    assert ["7.00" in told[0], "1.00" in told[1], "3.00" in told[2], len(told)] == [True] * 3 + [3]


def test_a_collection_is_told_once_in_a_process(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    """Though each loop, in a thread of its own perhaps, waits for it."""

    async def other() -> None:
        with StallMonitor(0.25).watching():
            await trio.lowlevel.checkpoint()
            full_collection(counter, 2)
            await trio.lowlevel.checkpoint()

    async def main() -> None:
        with StallMonitor(0.25).watching():
            await trio.lowlevel.checkpoint()
            run_beside(other)
            await trio.lowlevel.checkpoint()
            await trio.sleep(INTERVAL + 1)
            full_collection(counter, 3)
            await trio.lowlevel.checkpoint()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    told = warnings(caplog)
    assert [" 2.00 s " in told[0], " 3.00 s " in told[1], len(told)] == [True, True, 2]
    assert all("Python's garbage collector" in one for one in told)


async def test_a_log_that_fails_ends_the_watch_and_nothing_else(counter: Counter) -> None:
    def fail(record: logging.LogRecord) -> bool:
        raise LookupError("a mistake in a filter")

    watch = StallMonitor(0.25)
    log = logging.getLogger("trio_sio.engine")
    log.addFilter(fail)
    try:
        with watch.watching():
            await hold(counter, 1)
            await hold(counter, 1)
    finally:
        log.removeFilter(fail)
    assert watch.stalls == 1


async def test_it_tells_in_the_log_that_it_was_given(counter: Counter) -> None:
    log = LogThrottle()
    with StallMonitor(0.25, log).watching():
        await hold(counter, 1)
    assert len(log) == 1
