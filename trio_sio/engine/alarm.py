"""One clock for the heartbeats of all sessions.

A heartbeat sleeps nearly all of its life, and `trio.sleep_until` gives each sleeper a cancel scope
of its own: 1.2 kB, and 8 µs to open and close it. Here one task sleeps until the earliest deadline
and wakes whose turn it is.
"""

import heapq
import itertools

import trio

PRUNE_FROM = 1000
"""Sleepers who gave up that may lie in the queue in any case; above, as many as there are
others."""


class _Sleeper:
    """A task that sleeps.

    Attributes:
        task: `None` once it has been woken or has given up.
    """

    __slots__ = ("_alarm", "_deadline", "_order", "task")

    def __init__(self, alarm: "Alarm", deadline: float, order: int) -> None:
        self._alarm = alarm
        self._deadline = deadline
        self._order = order
        self.task: trio.lowlevel.Task | None = trio.lowlevel.current_task()

    @property
    def deadline(self) -> float:
        """When it wants to be woken."""
        return self._deadline

    def give_up(self, _: object) -> trio.lowlevel.Abort:
        """Sleep no longer: it was cancelled."""
        self.task = None
        self._alarm.forget_one()
        return trio.lowlevel.Abort.SUCCEEDED

    def __lt__(self, other: "_Sleeper") -> bool:
        if self._deadline != other._deadline:
            return self._deadline < other._deadline
        return self._order < other._order


class Alarm:
    """Wakes tasks at their times, while `run` runs."""

    def __init__(self) -> None:
        self._sleepers: list[_Sleeper] = []
        self._order = itertools.count()
        self._forgotten = 0
        self._earlier = trio.Event()

    def __len__(self) -> int:
        return len(self._sleepers) - self._forgotten

    async def sleep_until(self, deadline: float) -> None:
        """Sleep; as `trio.sleep_until`, but only tasks of an engine that is open are woken.

        Args:
            deadline: seconds, by `trio.current_time()`.
        """
        sleeper = _Sleeper(self, deadline, next(self._order))
        heapq.heappush(self._sleepers, sleeper)
        if self._sleepers[0] is sleeper:
            self._earlier.set()
        await trio.lowlevel.wait_task_rescheduled(sleeper.give_up)

    def forget_one(self) -> None:
        """Note that a sleeper gave up; those are thrown out when they become many."""
        self._forgotten += 1
        if self._forgotten > PRUNE_FROM + len(self):
            self._sleepers = [one for one in self._sleepers if one.task is not None]
            heapq.heapify(self._sleepers)
            self._forgotten = 0

    async def run(self) -> None:
        """Wake sleepers, forever."""
        while True:
            deadline = self._sleepers[0].deadline if self._sleepers else float("inf")
            with trio.CancelScope(deadline=deadline):
                await self._earlier.wait()
            self._earlier = trio.Event()
            self._wake_until(trio.current_time())

    def _wake_until(self, now: float) -> None:
        sleepers = self._sleepers
        while sleepers and sleepers[0].deadline <= now:
            task, sleeper = sleepers[0].task, heapq.heappop(sleepers)
            if task is None:
                self._forgotten -= 1
            else:
                sleeper.task = None
                trio.lowlevel.reschedule(task)
