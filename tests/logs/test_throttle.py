"""The first line of a kind at once, and then how many there were."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from trio_sio.engine.runtime.timers import Timers
from trio_sio.logs.throttle import INTERVAL, MAX_KINDS, LogThrottle

logger = logging.getLogger("trio_sio.test")


@pytest.fixture(autouse=True)
def talkative(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "trio_sio")


@asynccontextmanager
async def ticking(interval: float = INTERVAL, max_kinds: int = 8) -> AsyncIterator[LogThrottle]:
    """A throttle beside an alarm that runs."""
    timers = Timers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        yield LogThrottle(timers.call_at, interval, max_kinds)
        nursery.cancel_scope.cancel()


async def test_the_first_at_once_then_a_count_when_its_time_is_over(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with ticking() as log:
        for number in range(1205):
            log.tell(logger, logging.WARNING, "limit", "%d of %s", number, "them")
        assert caplog.messages == ["0 of them"]
        await trio.sleep(INTERVAL + 1)
        assert caplog.messages[1:] == ["0 of them … and 1,204 more like it in the last 10 s"]
        assert [one.levelno for one in caplog.records] == [logging.WARNING] * 2
        assert len(log) == 0
        await trio.sleep(100)
        assert len(caplog.messages) == 2


async def test_it_is_told_that_it_goes_on(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with ticking() as log:
        for _ in range(35):
            log.tell(logger, logging.INFO, "limit", "again")
            await trio.sleep(1)
        log.flush()
    more = [text for text in caplog.messages if text != "again"]
    assert caplog.messages.count("again") == 4
    assert more[:3] == ["again … and 9 more like it in the last 10 s"] * 3
    assert more[3:] == ["again … and 4 more like it in the last 5 s"]


async def test_one_alone_is_not_counted(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with ticking() as log:
        log.tell(logger, logging.INFO, "limit", "once")
        await trio.sleep(2 * INTERVAL)
        log.flush()
    assert caplog.messages == ["once"]


async def test_kinds_levels_and_loggers_are_told_apart(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    other = logging.getLogger("trio_sio.other")
    async with ticking() as log:
        for where, level, kind in [
            (logger, logging.INFO, "a"),
            (logger, logging.INFO, "b"),
            (logger, logging.WARNING, "a"),
            (other, logging.INFO, "a"),
        ]:
            log.tell(where, level, kind, kind)
    assert len(caplog.messages) == 4


async def test_what_nobody_reads_is_not_kept(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with ticking() as log:
        log.tell(logger, logging.DEBUG, "a", "%d", "no number")
        assert len(log) == 0
        caplog.set_level(logging.CRITICAL, "trio_sio")
        log.fail(logger, LookupError(), "failed")
        assert len(log) == 0


@given(kinds=st.lists(st.integers(0, 30), max_size=60))
def test_kinds_are_bounded_and_every_one_is_counted(kinds: list[int]) -> None:
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)

    async def main() -> None:
        log = LogThrottle(max_kinds=8)
        for kind in kinds:
            log.tell(logger, logging.WARNING, (kind,), "x")
            assert len(log) <= 9  # and one for all others
        log.flush()

    try:
        trio.run(main)
    finally:
        logger.removeHandler(handler)
    firsts = told.count("x")
    assert firsts <= 9
    assert firsts + sum(int(one.split()[3]) for one in told if one != "x") == len(kinds)


def test_the_usual_bound() -> None:
    assert MAX_KINDS < 1000


async def test_without_a_clock_a_count_comes_with_the_next(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    log = LogThrottle()
    log.tell(logger, logging.INFO, "a", "a")
    log.tell(logger, logging.INFO, "a", "b")
    await trio.sleep(INTERVAL)
    log.tell(logger, logging.INFO, "a", "c")
    assert caplog.messages == ["a", "a … and 1 more like it in the last 10 s", "c"]


def test_another_run_has_a_clock_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    log = LogThrottle()

    async def main(after: float) -> None:
        await trio.sleep(after)
        log.tell(logger, logging.INFO, "a", f"after {after}")

    for after in (1000, 0):
        trio.run(main, after, clock=MockClock(autojump_threshold=0))
    assert caplog.messages == ["after 1000", "after 0"]


def divide() -> None:
    1 / 0  # noqa: B018 - it fails


def look_up() -> None:
    vars()["a"]


async def test_a_failure_is_told_once_for_each_place(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(function: Callable[[], None]) -> Exception:
        try:
            function()
        except Exception as error:
            return error
        raise AssertionError

    async with ticking() as log:
        for _ in range(1000):
            for function in (divide, look_up):
                log.fail(logger, fail(function), "%s failed", "it")
        await trio.sleep(INTERVAL + 1)
        log.fail(logger, fail(divide), "%s failed", "it")
    tracebacks = [one for one in caplog.records if one.exc_info]
    assert [one.exc_info[0] for one in tracebacks if one.exc_info] == [
        ZeroDivisionError,
        KeyError,
        ZeroDivisionError,
    ]
    assert caplog.messages[2:4] == ["it failed … and 999 more like it in the last 10 s"] * 2
    assert {one.levelno for one in caplog.records} == {logging.ERROR}


async def test_a_long_line_is_not_kept_whole(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    log = LogThrottle()
    for _ in range(2):
        log.tell(logger, logging.INFO, "a", "x" * 1000)
    log.flush()
    assert [len(text) < 400 for text in caplog.messages] == [False, True]
