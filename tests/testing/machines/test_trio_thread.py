"""A Trio run that goes on by steps: results, errors, time, and the end."""

import math
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from trio_sio.testing.limit import within
from trio_sio.testing.machines.trio_thread import TrioThread


@pytest.fixture
def thread() -> Iterator[TrioThread]:
    thread = TrioThread()
    yield thread
    thread.end()


async def fail() -> None:
    await trio.lowlevel.checkpoint()
    raise ValueError("broken")


async def pass_time(thread: TrioThread, seconds: float) -> None:
    with thread.passing_time():
        await trio.sleep(seconds)


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()


def test_a_step_returns_or_raises(thread: TrioThread) -> None:
    async def add() -> int:
        await trio.lowlevel.checkpoint()
        return 7

    assert thread.run(add) == 7
    with pytest.raises(ValueError, match="broken"):
        thread.run(fail)
    assert thread.run(add) == 7  # an error of a step ends nothing


def test_a_step_that_waits_for_what_does_not_come_fails(thread: TrioThread) -> None:
    with pytest.raises(trio.TooSlowError, match="what does not come"):
        thread.run(trio.sleep_forever)
    with pytest.raises(trio.TooSlowError):
        thread.run(partial(trio.sleep, 1))  # time stands still


def test_what_waits_for_ever_is_shown(thread: TrioThread) -> None:
    async def wait() -> None:
        with within(60, "the postman", lambda: "a dog came"):
            await trio.sleep_forever()

    with pytest.raises(trio.TooSlowError, match=r"not come: the postman; a dog came$") as caught:
        thread.run(wait)
    assert traceback.extract_tb(caught.tb)[-1].line == "await trio.sleep_forever()"


def test_several_that_wait_for_ever_are_one_failure(thread: TrioThread) -> None:
    async def wait() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep_forever)

    with pytest.raises(trio.TooSlowError, match="not come"):
        thread.run(wait)


def test_nothing_moves_between_steps(thread: TrioThread) -> None:
    turns = []

    async def take_turns() -> None:
        while True:
            turns.append(trio.current_time())
            await trio.lowlevel.checkpoint()

    async def begin() -> None:
        thread.nursery.start_soon(take_turns)
        await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()

    thread.run(begin)
    count = len(turns)
    assert count
    thread._thread.join(0.05)  # however long the other thread takes
    assert len(turns) == count


def test_time_passes_from_deadline_to_deadline(thread: TrioThread) -> None:
    times = []

    async def tick() -> None:
        while True:
            await trio.sleep(10)
            times.append(trio.current_time())

    async def begin() -> None:
        thread.nursery.start_soon(tick)

    thread.run(begin)
    thread.run(partial(pass_time, thread, 35))
    assert times == [10, 20, 30]

    async def wait_for_ever() -> None:
        await pass_time(thread, 1)
        await trio.sleep(1)

    with pytest.raises(trio.TooSlowError):
        thread.run(wait_for_ever)

    async def pass_it_within() -> None:
        with thread.passing_time():
            await pass_time(thread, 1)
            await trio.sleep(1)

    thread.run(pass_it_within)
    assert times == [10, 20, 30]


def test_a_task_that_fails_fails_the_step_and_ends_the_run() -> None:
    thread = TrioThread()

    async def begin() -> None:
        thread.nursery.start_soon(fail)
        await settle()

    for step in (begin, settle, begin):
        with pytest.raises(ValueError, match="broken"):
            thread.run(step)
    assert isinstance(thread.failure, ValueError)
    thread.end()


def test_several_failures_stay_a_group() -> None:
    thread = TrioThread()

    async def fail_at_the_end() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError

    async def begin() -> None:
        thread.nursery.start_soon(fail_at_the_end)
        await settle()
        thread.nursery.start_soon(fail)
        await settle()

    with pytest.raises(ExceptionGroup):
        thread.run(begin)


def test_the_end_waits_for_what_needs_time_to_end() -> None:
    thread = TrioThread()
    ends = []

    @asynccontextmanager
    async def slow(name: str) -> AsyncIterator[str]:
        yield name
        await trio.sleep(100)
        ends.append((name, trio.current_time()))

    async def begin() -> None:
        for name in ("first", "second", "third"):
            assert await thread.hold(slow(name)) == name

    async def release() -> None:
        with thread.passing_time():
            await thread.release("second")

    thread.run(begin)
    thread.run(release)
    thread.end()
    assert ends == [("second", 100), ("third", 200), ("first", 300)]
    with pytest.raises(RuntimeError, match="has ended"):
        thread.run(settle)
    thread.end()  # twice is fine


def test_a_run_that_fails_lets_time_pass_for_what_cleans_up() -> None:
    thread = TrioThread()
    cleaned = []

    async def cleans_up() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)
                cleaned.append(trio.current_time())

    async def begin() -> None:
        thread.nursery.start_soon(cleans_up)
        await settle()
        thread.nursery.start_soon(fail)
        await settle()

    with pytest.raises(ValueError, match="broken"):
        thread.run(begin)
    assert cleaned == [5]


def test_an_end_that_does_not_come_is_an_error() -> None:
    thread = TrioThread()

    @asynccontextmanager
    async def stays() -> AsyncIterator[None]:
        yield
        await trio.sleep(math.inf)

    thread.run(lambda: thread.hold(stays()))
    with pytest.raises(trio.TooSlowError):
        thread.end()


def test_an_error_of_entering_goes_to_whoever_enters(thread: TrioThread) -> None:
    @asynccontextmanager
    async def refuses() -> AsyncIterator[None]:
        await fail()
        yield

    with pytest.raises(ValueError, match="broken"):
        thread.run(lambda: thread.hold(refuses()))
    thread.run(settle)


def test_the_real_clock() -> None:
    thread = TrioThread(stops_time=False)
    thread.run(partial(trio.sleep, 0.06))  # nothing else moves for that long, and it is no error
    thread.run(partial(pass_time, thread, 0.001))
    thread.end()
