"""Runs checks, one after the other or some at a time."""

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import trio

from trio_sio.conformance.area import Check
from trio_sio.conformance.target import Target
from trio_sio.exceptions import SocketIOError
from trio_sio.failures import leaves
from trio_sio.testing.clients.expectation import Unexpected

LONGEST = 8
"""How many times as long as one thing, for which `Target.patience` is, a whole check may take."""

_UNREADABLE = (AssertionError, ValueError, RecursionError, SocketIOError)
"""What bytes raise that are no HTTP/1.1, no frame, no chunk, no number, no UTF-8 or no JSON."""

FAULTS = (Unexpected, trio.BrokenResourceError, trio.TooSlowError, OSError, *_UNREADABLE)
"""What a check raises when the server is not as it should be; anything else is our own fault."""


class Outcome(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    DIFFERS = "differs"
    """It fails, as this server is known to."""
    AGREES = "agrees"
    """It passes, although this server is known to fail it."""


@dataclass(frozen=True, slots=True)
class Result:
    """A check that has run.

    Attributes:
        check: the check.
        outcome: what came of it.
        message: what the server did instead; "" if nothing is wrong.
        seconds: how long it took.
    """

    check: Check
    outcome: Outcome
    message: str
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether the server did what was expected of it."""
        return self.outcome in (Outcome.PASSED, Outcome.DIFFERS)


async def run_checks(
    target: Target,
    checks: Iterable[Check],
    differences: Mapping[str, str],
    tell: Callable[[Result], None],
    *,
    jobs: int = 1,
    stop: trio.Event | None = None,
) -> list[Result]:
    """Run checks and return what came of those that have ended, in their order.

    Args:
        target: the server.
        checks: the checks.
        differences: by the name of a check, why this server is known to fail it.
        tell: is told of each result at once.
        jobs: how many run at a time.
        stop: when it is set, the checks that are running are given up, and no other is begun.
    """
    results: dict[str, Result] = {}
    chosen = list(checks)
    waiting = iter(chosen)

    async def run() -> None:
        for check in waiting:
            result = await _run(target, check, differences.get(check.name, ""))
            results[check.name] = result
            tell(result)

    async with trio.open_nursery() as watching:
        if stop is not None:
            watching.start_soon(_cancel_when, stop, watching.cancel_scope)
        async with trio.open_nursery() as running:
            for _ in range(jobs):
                running.start_soon(run)
        watching.cancel_scope.cancel()
    return [results[check.name] for check in chosen if check.name in results]


async def _cancel_when(stop: trio.Event, scope: trio.CancelScope) -> None:
    await stop.wait()
    scope.cancel()


def told(error: BaseException) -> str:
    """Return what to tell of one of `FAULTS`, never ""."""
    text = str(error) or type(error).__name__
    return f"what it sent cannot be read: {text}" if isinstance(error, _UNREADABLE) else text


def _judge(message: str, reason: str) -> tuple[Outcome, str]:
    if not reason:
        return (Outcome.FAILED if message else Outcome.PASSED), message
    if message:
        return Outcome.DIFFERS, f"{reason} ({message})"
    return Outcome.AGREES, f"it passes, although it is known to fail: {reason}"


async def _run(target: Target, check: Check, reason: str) -> Result:
    begun = trio.current_time()
    limit = math.inf if check.has_parts else target.patience * LONGEST
    outcome, message = _judge(await what_is_wrong(partial(check.run, target), limit), reason)
    return Result(check, outcome, message, trio.current_time() - begun)


async def what_is_wrong(attempt: Callable[[], Awaitable[None]], limit: float) -> str:
    """Try something with a server; return what is wrong with the server, `""` for nothing.

    Args:
        attempt: raises one of `FAULTS`, or a group of them, where something is.
        limit: seconds that it may take.
    """
    message = ""
    with trio.move_on_after(limit) as scope:
        try:
            await attempt()
        except* FAULTS as group:
            message = told(next(leaves(group)))
    return f"it took longer than {limit:g} s" if scope.cancelled_caught else message
