"""Watches the event loop: how long each task holds it, and when it stood still.

Whoever computes for seconds in a handler, or calls something that blocks, keeps everybody waiting:
pings are not answered, and clients leave. Trio's own tools show that, where somebody has thought of
them; this one is there all the time. It looks at a clock when a task begins its turn, and says who
it was if that took long.
"""

import logging
import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from types import FrameType
from typing import Protocol, runtime_checkable

import trio
from trio.lowlevel import Task

logger = logging.getLogger("trio_sio.engine")

TELL_EVERY = 10.0
"""Seconds between two warnings that name the same task."""

KEPT = 256
"""Stalls that are remembered, and names that were told."""

_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_TRIOS = os.path.dirname(trio.__file__) + os.sep


@runtime_checkable
class Busy(Protocol):
    """Something whose task runs code of others, and that knows which."""

    def doing(self) -> str:
        """Say what was run last, `""` if it was nothing."""


class Watch(trio.abc.Instrument):
    """Notices when the event loop is held or stands still.

    Args:
        limit: seconds that a task may hold it (option `slow_step`); `None` for no watch.

    Attributes:
        stalls: how many there have been.
        stalled: seconds that they took together.
        longest: seconds that the longest took.
    """

    def __init__(self, limit: float | None) -> None:
        self.stalls = 0
        self.stalled = 0.0
        self.longest = 0.0
        self._limit = limit if limit is not None else float("inf")
        self._begun = float("inf")  # the present turn; none is too long that did not begin
        self._task: Task | None = None
        self._ends: list[float] = []  # of stalls, in their order
        self._sums: list[float] = []  # what had been stalled before each
        self._told: dict[str, float] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch, meanwhile."""
        if self._limit == float("inf"):
            yield
            return
        trio.lowlevel.add_instrument(self)
        try:
            yield
        finally:
            trio.lowlevel.remove_instrument(self)
            self._begun, self._task = float("inf"), None

    def lost_since(self, moment: float) -> float:
        """Return the seconds that the loop has been stalled since a moment.

        Args:
            moment: by `trio.current_time()`.
        """
        index = bisect_right(self._ends, moment)
        return self.stalled - self._sums[index] if index < len(self._ends) else 0.0

    # -- called by Trio ------------------------------------------------------------------------

    def before_task_step(self, task: Task) -> None:
        """A task's turn begins, and another's is over."""
        now = perf_counter()
        if now - self._begun > self._limit:
            self._tell_of(self._task, now - self._begun)
            now = perf_counter()
        self._begun = now
        self._task = task

    def before_io_wait(self, timeout: float) -> None:
        """The last turn of a round is over."""
        now = perf_counter()
        if now - self._begun > self._limit:
            self._tell_of(self._task, now - self._begun)
            now = perf_counter()
        self._begun = now + timeout
        self._task = None

    def after_io_wait(self, timeout: float) -> None:
        """Something has come, or its time: not much later than it had to."""
        now = perf_counter()
        if now - self._begun > self._limit:
            self._tell_of(None, now - self._begun)
        self._begun = now

    # -- what there is to tell -------------------------------------------------------------------

    def _tell_of(self, task: Task | None, seconds: float) -> None:
        self._note(seconds)
        name = "" if task is None else _describe(task)
        now = trio.current_time()
        if now - self._told.get(name, float("-inf")) < TELL_EVERY:
            return
        if len(self._told) >= KEPT:
            self._told.clear()
        self._told[name] = now
        if task is None:
            text = "the process stood still for %.2f s: suspended, or the machine is overloaded"
            logger.warning(text, seconds)
            return
        logger.warning(
            "the event loop was held for %.2f s (slow_step is %s s) by %s;"
            " nobody else was served meanwhile",
            seconds,
            self._limit,
            name,
        )

    def _note(self, seconds: float) -> None:
        if len(self._ends) >= KEPT:
            del self._ends[0], self._sums[0]
        self._ends.append(trio.current_time())
        self._sums.append(self.stalled)
        self.stalls += 1
        self.stalled += seconds
        self.longest = max(self.longest, seconds)


def _describe(task: Task) -> str:
    """Say whose code a task ran, as far as that can be seen behind its turn."""
    doing = ""
    for frame, line in task.iter_await_frames():
        code = frame.f_code
        if not code.co_filename.startswith((_OURS, _TRIOS)):  # it has not come to its end yet
            where = f"{os.path.basename(code.co_filename)}:{line}"
            return f"{code.co_qualname}, which waits at {where} now (task {task.name})"
        doing = doing or _doing(frame)
    return f"{doing} (task {task.name})" if doing else f"task {task.name}"


def _doing(frame: FrameType) -> str:
    owner = frame.f_locals.get("self")
    return owner.doing() if isinstance(owner, Busy) else ""
