"""What all sessions of one engine share: ticks, timers, fairness, stalls and counts."""

import trio

from trio_sio.engine.runtime.fairness import ARRIVALS_PER_ROUND, FairScheduler
from trio_sio.engine.runtime.stalls import StallMonitor
from trio_sio.engine.runtime.tick import TickFlusher
from trio_sio.engine.runtime.timers import Timers
from trio_sio.logs.throttle import LogThrottle
from trio_sio.statistics import Counters
from trio_sio.sync import Home


class Runtime:
    """The services of one engine; they work while `run` runs.

    Args:
        slow_step: seconds for which a task may hold the event loop (option `slow_step`); `None`
            to measure nothing.

    Attributes:
        tick: counts the turns of the event loop and flushes outboxes at the end of each.
        timers: wakes heartbeats and makes time limits expire.
        stalls: knows when the event loop was held.
        fairness: schedules readers that have much to read.
        arrivals: schedules the first reads of new connections.
        counters: what the server counts.
        home: the Trio run in which the engine is open.
        log: the log of what may happen often, throttled.
    """

    __slots__ = ("arrivals", "counters", "fairness", "home", "log", "stalls", "tick", "timers")

    def __init__(self, slow_step: float | None = None) -> None:
        self.home = Home()
        self.tick = TickFlusher()
        self.timers = Timers()
        self.counters = Counters()
        self.log = LogThrottle(self.timers.call_at)
        self.stalls = StallMonitor(slow_step, self.log)
        self.fairness = FairScheduler(self.tick)
        self.arrivals = FairScheduler(self.tick, ARRIVALS_PER_ROUND)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the services until cancelled.

        Args:
            task_status: for `nursery.start`, which returns once stalls are noticed.
        """
        with self.home.entered(), self.stalls.watching():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.tick.run)
                nursery.start_soon(self.timers.run)
                nursery.start_soon(self.fairness.run)
                nursery.start_soon(self.arrivals.run)
                task_status.started()
