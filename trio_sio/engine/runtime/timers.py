"""The timers of an engine: heartbeats of sessions, time limits of connections.

A heartbeat sleeps nearly all of its life, and `trio.sleep_until` gives each sleeper a cancel scope
of its own: 1.2 kB, and 8 µs to open and close it. Here one task sleeps until the earliest deadline;
it calls what is due, and wakes the tasks that are.
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
"""Cancelled timers that the queue may hold in any case; above, a quarter of all others."""


SLOT = 1.0
"""Seconds between the moments at which those wake that may wake early, if they may by so much."""


SHORTEST_SLOT = 0.001
"""Seconds; whoever may wake early by less wakes on time."""


class SharedMoments:
    """Moments at which several sleepers wake in one turn of the event loop.

    Each of them may wake a little early. Those that fall asleep at different times so wake
    together; and of a crowd that falls asleep in one moment, as when all clients of a server come
    back at once, each wakes at the moment for which the fewest have been noted. So it is spread
    over two moments, then three, and does not wake as one crowd for ever.
    """

    def __init__(self) -> None:
        self._sleepers: dict[float, int] = {}

    def choose(self, deadline: float, early: float, now: float) -> float:
        """Return when to wake.

        Args:
            deadline: when to wake at the latest.
            early: seconds by which it may be earlier.
            now: the time.
        """
        slot = min(SLOT, early)
        if slot < SHORTEST_SLOT:
            return deadline
        last, first = math.floor(deadline / slot), math.ceil((deadline - early) / slot)
        moments = [number * slot for number in range(last, first - 1, -1) if number * slot > now]
        moment = min(moments, key=lambda one: self._sleepers.get(one, 0), default=deadline)
        if moment not in self._sleepers:
            self._forget(now)
        self._sleepers[moment] = self._sleepers.get(moment, 0) + 1
        return moment

    def _forget(self, now: float) -> None:
        """Forget moments that have passed."""
        for moment in [one for one in self._sleepers if one < now]:
            del self._sleepers[moment]


class Timer:
    """A function to be called, or a task to be woken, at a time."""

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
        """Whether it has been neither called nor cancelled."""
        return self._function is not None

    def call(self) -> None:
        """Call the function or wake the task, once, unless the timer was cancelled."""
        function, self._function = self._function, None
        if isinstance(function, Task):
            trio.lowlevel.reschedule(function)
        elif function is not None:
            function()

    def cancel(self) -> None:
        """Cancel it; nothing happens if the function has been called."""
        if self._function is not None:
            self._function = None
            self._timers.forget_one()

    def abort(self, _: object) -> trio.lowlevel.Abort:
        """Cancel it, since the task that sleeps is cancelled (called by Trio)."""
        self.cancel()
        return trio.lowlevel.Abort.SUCCEEDED

    def __lt__(self, other: "Timer") -> bool:
        if self.deadline != other.deadline:
            return self.deadline < other.deadline
        return self._order < other._order


class Timers:
    """Calls functions and wakes tasks at their times, while `run` runs."""

    def __init__(self) -> None:
        self._queue: list[Timer] = []
        self._order = itertools.count()
        self._forgotten = 0
        self._earlier = trio.Event()
        self._shared = SharedMoments()

    def __len__(self) -> int:
        return len(self._queue) - self._forgotten

    def call_at(self, deadline: float, function: Callable[[], object]) -> Timer:
        """Have a function called.

        Args:
            deadline: seconds, by `trio.current_time()`.
            function: what to call; it must neither wait nor raise.
        """
        return self._add(deadline, function)

    async def sleep_until(self, deadline: float) -> None:
        """Sleep as `trio.sleep_until` does; tasks are woken only while `run` runs.

        Args:
            deadline: seconds, by `trio.current_time()`.
        """
        timer = self._add(deadline, trio.lowlevel.current_task())
        await trio.lowlevel.wait_task_rescheduled(timer.abort)

    def share(self, deadline: float, early: float) -> float:
        """Return when to wake instead of at a deadline; see `SharedMoments.choose`."""
        return self._shared.choose(deadline, early, trio.current_time())

    def _add(self, deadline: float, function: Callable[[], object] | Task) -> Timer:
        timer = Timer(self, deadline, next(self._order), function)
        heapq.heappush(self._queue, timer)
        if self._queue[0] is timer:
            self._earlier.set()
        return timer

    def forget_one(self) -> None:
        """Count a timer that was cancelled; they are thrown out when they become many."""
        self._forgotten += 1
        if self._forgotten > PRUNE_FROM + len(self) // 4:
            self._queue = [one for one in self._queue if one.is_due]
            heapq.heapify(self._queue)
            self._forgotten = 0

    async def run(self) -> None:
        """Call what is due, forever."""
        while True:
            deadline = self._queue[0].deadline if self._queue else math.inf
            with trio.CancelScope(deadline=deadline):
                await self._earlier.wait()
            self._earlier = trio.Event()
            self._call_until(trio.current_time())

    def _call_until(self, now: float) -> None:
        while self._queue and self._queue[0].deadline <= now:
            timer = heapq.heappop(self._queue)
            if not timer.is_due:
                self._forgotten -= 1
                continue
            try:
                timer.call()
            except failures():  # all the others' time goes on
                logger.exception("something that was to happen at its time failed")
