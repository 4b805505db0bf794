"""A limit for every async test, in real seconds whatever clock it has.

A fault that a test catches often shows as something that never comes. Such a test fails, and says
where it waited, instead of holding up the run.
"""

import functools
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from inspect import iscoroutinefunction
from time import monotonic, sleep

import pytest
import trio

Test = Callable[..., Awaitable[None]]

_PERIOD = 0.1
"""Seconds between two looks at the clock."""


@dataclass(eq=False)
class _Alarm:
    """What is done to a test that takes too long.

    Attributes:
        at: when it is done.
        token: of the test's run.
        end: ends the test, within its run.
    """

    at: float
    token: trio.lowlevel.TrioToken
    end: Callable[[], None]


_alarms: set[_Alarm] = set()
"""Those of the tests that run; without a lock, which a forked process might get locked."""


def limited(test: Test, seconds: float) -> Test:
    """Return an async test that fails if it takes longer."""

    @functools.wraps(test)
    async def in_time(*args: object, **kwargs: object) -> None:
        where: list[str] = []
        task, token = trio.lowlevel.current_task(), trio.lowlevel.current_trio_token()
        with trio.CancelScope() as scope:

            def end() -> None:
                where.extend(
                    f"{frame.f_code.co_qualname}:{line}" for frame, line in task.iter_await_frames()
                )
                scope.cancel()

            alarm = _Alarm(monotonic() + seconds, token, end)
            _start_watch(os.getpid())
            _alarms.add(alarm)
            try:
                await test(*args, **kwargs)
            finally:
                _alarms.discard(alarm)
        if scope.cancelled_caught:
            pytest.fail(
                f"it did not end within {seconds:g} s; it waited in {' < '.join(where[::-1])}"
            )

    return in_time


@functools.cache
def _start_watch(process: int) -> None:
    """Start a process's thread that rings: one for each test takes longer than most tests do."""
    threading.Thread(target=_watch, name="limits of tests", daemon=True).start()


def _watch() -> None:
    while True:
        sleep(_PERIOD)
        now = monotonic()
        for alarm in [alarm for alarm in list(_alarms) if alarm.at <= now]:
            _alarms.discard(alarm)
            with suppress(trio.RunFinishedError):  # in the same moment
                alarm.token.run_sync_soon(alarm.end)


def limit_item(item: pytest.Item, seconds: float) -> None:
    """Give a collected test its limit, if it is async; one of Hypothesis, for each example."""
    function = getattr(item, "obj", None)
    hypothesis = getattr(function, "hypothesis", None)
    if iscoroutinefunction(function):
        item.obj = limited(function, seconds)  # type: ignore[attr-defined]
    elif hypothesis is not None and iscoroutinefunction(hypothesis.inner_test):
        hypothesis.inner_test = limited(hypothesis.inner_test, seconds)
