"""One clock for the heartbeats of all sessions and for the time limits of all connections.

A heartbeat sleeps nearly all of its life, and `trio.sleep_until` gives each sleeper a cancel scope
of its own: 1.2 kB, and 8 µs to open and close it. Here one task sleeps until the earliest deadline
and wakes whose turn it is.
"""

import heapq
import itertools
import logging
import math
from collections.abc import Callable

import trio
from trio.lowlevel import Task

from trio_sio.failures import failures

logger = logging.getLogger("trio_sio.engine")

PRUNE_FROM = 1000
"""Cancelled calls that may lie in the queue in any case; above, a quarter of all others."""


class Timer:
    """Something that is to be called at a time."""

    __slots__ = ("_function", "_order", "_timers", "deadline")

    def __init__(
        self, timers: "Timers", deadline: float, order: int, function: Callable[[], object] | Task
    ) -> None:
        self.deadline = deadline
        self._timers = timers
        self._order = order
        self._function: Callable[[], object] | Task | None = function

    @property
    def is_due(self) -> bool:
        """Whether it has been neither made nor cancelled."""
        return self._function is not None

    def make(self) -> None:
        """Call the function, once, unless it was cancelled."""
        function, self._function = self._function, None
        if isinstance(function, Task):
            trio.lowlevel.reschedule(function)
        elif function is not None:
            function()

    def cancel(self) -> None:
        """Do not call it."""
        if self._function is not None:
            self._function = None
            self._timers.forget_one()

    def give_up(self, _: object) -> trio.lowlevel.Abort:
        """Cancel, since the task that sleeps is cancelled (called by Trio)."""
        self.cancel()
        return trio.lowlevel.Abort.SUCCEEDED

    def __lt__(self, other: "Timer") -> bool:
        if self.deadline != other.deadline:
            return self.deadline < other.deadline
        return self._order < other._order


class Timers:
    """Calls functions and wakes tasks at their times, while `run` runs."""

    def __init__(self) -> None:
        self._calls: list[Timer] = []
        self._order = itertools.count()
        self._forgotten = 0
        self._earlier = trio.Event()

    def __len__(self) -> int:
        return len(self._calls) - self._forgotten

    def call_at(self, deadline: float, function: Callable[[], object] | Task) -> Timer:
        """Have a function called, which must neither wait nor raise, or a task woken.

        Args:
            deadline: seconds, by `trio.current_time()`.
            function: what to call, or whom to wake.
        """
        call = Timer(self, deadline, next(self._order), function)
        heapq.heappush(self._calls, call)
        if self._calls[0] is call:
            self._earlier.set()
        return call

    async def sleep_until(self, deadline: float) -> None:
        """Sleep; as `trio.sleep_until`, but only tasks of an engine that is open are woken.

        Args:
            deadline: seconds, by `trio.current_time()`.
        """
        call = self.call_at(deadline, trio.lowlevel.current_task())
        await trio.lowlevel.wait_task_rescheduled(call.give_up)

    def forget_one(self) -> None:
        """Note that a call was cancelled; those are thrown out when they become many."""
        self._forgotten += 1
        if self._forgotten > PRUNE_FROM + len(self) // 4:
            self._calls = [one for one in self._calls if one.is_due]
            heapq.heapify(self._calls)
            self._forgotten = 0

    async def run(self) -> None:
        """Make the calls, forever."""
        while True:
            deadline = self._calls[0].deadline if self._calls else math.inf
            with trio.CancelScope(deadline=deadline):
                await self._earlier.wait()
            self._earlier = trio.Event()
            self._make_until(trio.current_time())

    def _make_until(self, now: float) -> None:
        while self._calls and self._calls[0].deadline <= now:
            call = heapq.heappop(self._calls)
            if not call.is_due:
                self._forgotten -= 1
                continue
            try:
                call.make()
            except failures():  # all the others' time goes on
                logger.exception("something that was to happen at its time failed")
