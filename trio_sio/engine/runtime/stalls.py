"""Notices when a task holds the event loop, and when the loop stood still.

A handler that computes for seconds, or calls something that blocks, keeps every client waiting:
pings are not answered, and clients leave. Trio's own tools can show that to those who think of
them; this one is always on. It reads a clock when a task begins its step, and names the task if the
step took long.
"""

import logging
import os
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from types import FrameType
from typing import NamedTuple, Protocol, runtime_checkable

import trio
from trio.lowlevel import RunVar, Task

from trio_sio.engine.runtime.gc_pauses import GCPauses
from trio_sio.logs.throttle import LogThrottle

logger = logging.getLogger("trio_sio.engine")

KEPT = 256
"""Stalls that are remembered, the latest ones."""

NAMED = 20
"""Stalls whose cause is remembered, the latest ones."""

_told_until: RunVar[float] = RunVar("_told_until", float("-inf"))
"""When the last stall of this event loop that was logged was over (`perf_counter()`). All servers
of a loop see and count the same stalls, but one line is enough."""

_BETWEEN = frozenset({"contextlib", "outcome", "trio", "trio_sio", "trio_websocket"})
"""Packages whose frames lie between a task and the application's code, and are not to blame."""


@runtime_checkable
class Busy(Protocol):
    """Something whose task runs the application's code, and that knows which function."""

    def doing(self) -> str:
        """Return what was run last, `""` if it was nothing."""


class Stall(NamedTuple):
    """One stall of the event loop.

    Attributes:
        at: when it was over (`trio.current_time()`).
        seconds: how long it took.
        name: whose code held the loop; `""` if the process stood still.
    """

    at: float
    seconds: float
    name: str


class StallMonitor(trio.abc.Instrument):
    """Notices when the event loop is held or stands still.

    Args:
        limit: seconds for which a task may hold it (option `slow_step`); `None` to measure nothing.
        log: takes the lines; a log of its own by default.

    Attributes:
        stalls: how many there have been.
        stalled: seconds that they took together.
        longest: seconds that the longest took.
        recent: the latest stalls, with their causes.
    """

    def __init__(self, limit: float | None, log: LogThrottle | None = None) -> None:
        self.stalls = 0
        self.stalled = 0.0
        self.longest = 0.0
        self.recent: deque[Stall] = deque(maxlen=NAMED)
        self.set_limit(limit)
        self._begun = float("inf")  # the present turn; none is too long that did not begin
        self._task: Task | None = None
        self._lost = 0.0  # of Trio's clock, in this run
        self._ends: list[float] = []  # of stalls, in their order
        self._sums: list[float] = []  # what had been lost before each
        self._log = LogThrottle() if log is None else log  # an empty one is false
        self._garbage = GCPauses()

    def set_limit(self, limit: float | None) -> None:
        """Set the seconds that a task may hold the loop; to be called before `watching`."""
        self._limit = limit if limit is not None else float("inf")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Measure while the context lasts."""
        if self._limit == float("inf"):
            yield
            return
        self._forget()
        trio.lowlevel.add_instrument(self)
        try:
            with self._garbage.noting():
                yield
        finally:
            with suppress(KeyError):  # Trio throws out what raises, a filter of the log perhaps
                trio.lowlevel.remove_instrument(self)
            self._begun, self._task = float("inf"), None

    def _forget(self) -> None:
        """Forget the stalls of an earlier run of Trio, whose clock was another one."""
        self._lost = 0.0
        self._ends.clear()
        self._sums.clear()

    def lost_since(self, moment: float) -> float:
        """Return for how many seconds the loop has been stalled since a moment.

        Args:
            moment: by `trio.current_time()`.
        """
        index = bisect_right(self._ends, moment)
        return self._lost - self._sums[index] if index < len(self._ends) else 0.0

    # -- called by Trio ------------------------------------------------------------------------

    def before_task_step(self, task: Task) -> None:
        """A step begins; the one before is over, or the wait of the loop.

        The loop woke later than it had to if the process stood still.
        """
        now = perf_counter()
        if now - self._begun > self._limit:
            self._tell_of(self._task, now - self._begun)
            now = perf_counter()
        self._begun = now
        self._task = task

    def before_io_wait(self, timeout: float) -> None:
        """The last step of a turn of the loop is over."""
        now = perf_counter()
        if now - self._begun > self._limit:
            self._tell_of(self._task, now - self._begun)
            now = perf_counter()
        self._begun = now + timeout
        self._task = None

    # -- lines of the log -------------------------------------------------------------------

    def _tell_of(self, task: Task | None, seconds: float) -> None:
        self._note(seconds)
        is_garbage = self._garbage.seconds_since(self._begun) > seconds / 2
        name = "Python's garbage collector" if is_garbage else task and _describe(task)
        self.recent.append(Stall(trio.current_time(), seconds, name or ""))
        if _told_until.get() > self._begun:
            return
        _told_until.set(self._begun + seconds)
        if is_garbage and not self._garbage.claim():
            return
        if not name:
            text = "the process stood still for %.2f s: suspended, or the machine is overloaded"
            self._log.tell(logger, logging.WARNING, "standstill", text, seconds)
            return
        text = (
            "the event loop was held for %.2f s (slow_step is %s s) by %s;"
            " nobody else was served meanwhile"
        )
        self._log.tell(logger, logging.WARNING, ("held", name), text, seconds, self._limit, name)

    def _note(self, seconds: float) -> None:
        if len(self._ends) >= KEPT:
            del self._ends[0], self._sums[0]
        now = trio.current_time()
        self._ends.append(now)
        self._sums.append(self._lost)
        # A clock on which our seconds take longer is a test's: it has not moved meanwhile.
        if trio.lowlevel.current_clock().deadline_to_sleep_time(now + 1) <= 1:
            self._lost += seconds
        self.stalls += 1
        self.stalled += seconds
        self.longest = max(self.longest, seconds)


def _describe(task: Task) -> str:
    """Return whose code a task ran, as far as that can be seen after its step."""
    try:
        return _whose(task) or f"task {task.name}"
    except Exception:  # in an application's own `__repr__`, say
        logger.debug("task %s cannot be described", task.name, exc_info=True)
        return f"task {task.name}"


def _whose(task: Task) -> str:
    doing = ""
    for frame, line in task.iter_await_frames():
        code = frame.f_code
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _BETWEEN:  # it has not come to its end yet
            where = f"{os.path.basename(code.co_filename)}:{line}"
            return f"{code.co_qualname}, which waits at {where} now (task {task.name})"
        doing = doing or _doing(frame)
    return doing and f"{doing} (task {task.name})"


def _doing(frame: FrameType) -> str:
    found = frame.f_locals
    owner = found.get("self")
    if type(found) is dict:  # before Python 3.13, a copy that stays with the frame: let it go
        found.clear()
    return owner.doing() if isinstance(owner, Busy) else ""
