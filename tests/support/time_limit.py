"""A limit for every async test, in real seconds whatever clock it has.

A fault that a test catches often shows as something that never comes. Such a test fails, and says
where it waited, instead of holding up the run.
"""

import functools
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from inspect import iscoroutinefunction

import pytest
import trio

Test = Callable[..., Awaitable[None]]


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

            alarm = threading.Timer(seconds, _tell, [token, end])
            alarm.daemon = True
            alarm.start()
            try:
                await test(*args, **kwargs)
            finally:
                alarm.cancel()
        if scope.cancelled_caught:
            pytest.fail(
                f"it did not end within {seconds:g} s; it waited in {' < '.join(where[::-1])}"
            )

    return in_time


def _tell(token: trio.lowlevel.TrioToken, end: Callable[[], None]) -> None:
    with suppress(trio.RunFinishedError):  # in the same moment
        token.run_sync_soon(end)


def limit_item(item: pytest.Item, seconds: float) -> None:
    """Give a collected test its limit, if it is async; one of Hypothesis, for each example."""
    function = getattr(item, "obj", None)
    hypothesis = getattr(function, "hypothesis", None)
    if iscoroutinefunction(function):
        item.obj = limited(function, seconds)  # type: ignore[attr-defined]
    elif hypothesis is not None and iscoroutinefunction(hypothesis.inner_test):
        hypothesis.inner_test = limited(hypothesis.inner_test, seconds)
