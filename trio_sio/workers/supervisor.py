"""The parent process: starts the workers, restarts those that die, and forwards signals.

    SIGTERM, SIGINT   asks all workers to end: they drain; the second one ends them at once
    SIGHUP            asks one worker after the other to end, and starts another in its place

It waits for signals and for what workers write, and for nothing else. A worker that does not end
within `stop_timeout` seconds of being asked is killed.
"""

import logging
import math
import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trio_sio.workers.child import OF_THE_PARENT
from trio_sio.workers.restarts import ATTEMPTS, STABLE
from trio_sio.workers.slot import Process, Slot

logger = logging.getLogger("trio_sio.workers")

HARD_STOP = 1.0
"""Seconds that workers get to end after the second signal, before they are killed."""

START_TIMEOUT = 30.0
"""Seconds in which a worker has to say that it serves, or a rolling restart ends there."""


class WorkersFailed(Exception):
    """The workers could not go on, or did not end well; the text says why."""


class Supervisor:
    """The parent of all workers.

    Args:
        names: the workers' node ids, in order.
        start: starts a worker; returns its process id, and what to read from when it serves.
        on_ended: is told the number of each worker that has ended.
        stop_timeout: seconds that a worker may take to end.
    """

    def __init__(
        self,
        names: list[str],
        start: Callable[[int], tuple[int, int]],
        on_ended: Callable[[int], object],
        stop_timeout: float,
    ) -> None:
        self._slots = [Slot(number, name) for number, name in enumerate(names, start=1)]
        self._start = start
        self._on_ended = on_ended
        self._stop_timeout = stop_timeout
        self._stops = 0
        self._rolling: deque[Slot] = deque()
        self._rolls_until = math.inf
        self._why = ""

    def run(self) -> None:
        """Keep the workers running until a signal ends them.

        Raises:
            WorkersFailed: a worker died at once, several times; or did not end well.
        """
        with _heard_signals() as signals:
            try:
                for slot in self._slots:
                    self._start_in(slot)
                while any(slot.process is not None for slot in self._slots) or not self._stops:
                    self._wait(signals)
                    self._reap()
                    self._do_what_is_due()
                    self._roll()
            finally:
                self._kill_all()
        if self._why:
            raise WorkersFailed(self._why)

    # -- what happens --------------------------------------------------------------------------

    def _wait(self, signals: int) -> None:
        """Wait for a signal, a report, or the next thing that is due."""
        processes = [slot.process for slot in self._slots if slot.process is not None]
        due = [slot.start_at for slot in self._slots] + [one.kill_at for one in processes]
        timeout = max(0.0, min(*due, self._rolls_until) - time.monotonic())
        starting = {one.reports: one for one in processes if not one.serves}
        readable, _, _ = select.select(
            [signals, *starting], [], [], None if timeout == math.inf else timeout
        )
        for descriptor in readable:
            if descriptor in starting:
                starting[descriptor].read_report()
            else:
                for number in os.read(signals, 4096):
                    self._hear(number)

    def _hear(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stop(f"{signal.Signals(number).name}")
        elif number == signal.SIGHUP and not self._stops:
            logger.info("SIGHUP: restarting one worker after the other")
            self._rolling = deque(self._slots)

    def _stop(self, cause: str) -> None:
        """Ask all workers to end, and the second time more firmly."""
        self._stops += 1
        self._rolling.clear()
        self._rolls_until = math.inf
        patience = self._stop_timeout if self._stops == 1 else HARD_STOP
        logger.info("%s: %s", cause, "ending" if self._stops == 1 else "ending at once")
        for slot in self._slots:
            slot.start_in(math.inf)
            if slot.process is not None:
                slot.process.ask(patience)

    def _give_up(self, why: str) -> None:
        if not self._why:
            self._why = why
            logger.critical("%s", why)
        if not self._stops:
            self._stop("giving up")

    # -- workers -------------------------------------------------------------------------------

    def _start_in(self, slot: Slot) -> None:
        process = slot.fill(self._start)
        logger.info("worker %s: process %d", slot.name, process.pid)

    def _reap(self) -> None:
        for slot in self._slots:
            process = slot.process
            code = None if process is None else process.ending()
            if process is not None and code is not None:
                slot.clear()
                self._on_ended(slot.number)
                self._ended(slot, process, code)

    def _ended(self, slot: Slot, process: Process, code: int) -> None:
        lived = process.lived
        what = f"worker {slot.name} (process {process.pid}) {_ending(code)} after {lived:.1f} s"
        if self._stops or process.asked:
            is_well = code == 0
            logger.log(logging.INFO if is_well else logging.ERROR, "%s", what)
            if not is_well and self._stops == 1 and not self._why:
                self._why = what
            if not self._stops:
                slot.start_in(0)
            return
        delay = slot.restarts.ended(lived)
        if delay is None:
            self._give_up(
                f"worker {slot.name} ended within {STABLE:.0f} s of its start {ATTEMPTS} times in a"
                f" row; the last one {_ending(code)}. Its own log says why"
            )
            return
        logger.error("%s; another one starts in %.2f s", what, delay)
        slot.start_in(delay)

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.start_at <= now:
                self._start_in(slot)
            elif slot.process is not None and slot.process.kill_at <= now:
                logger.error("worker %s has not ended in time and is killed", slot.name)
                slot.process.kill()

    def _kill_all(self) -> None:
        """Leave no worker behind if the parent itself fails."""
        for slot in self._slots:
            if slot.process is not None:
                slot.process.kill()
                slot.process.ending(wait=True)

    # -- the rolling restart -------------------------------------------------------------------

    def _roll(self) -> None:
        """Go on with the rolling restart if all workers serve."""
        waiting = [slot for slot in self._slots if not slot.serves]
        if waiting and time.monotonic() >= self._rolls_until:
            logger.error(
                "worker %s has not said within %.0f s that it serves: the restarts end here",
                waiting[0].name,
                START_TIMEOUT,
            )
            self._rolling.clear()
        if not self._rolling:
            self._rolls_until = math.inf
        elif not waiting:
            slot = self._rolling.popleft()
            assert slot.process is not None
            slot.process.ask(self._stop_timeout)
            self._rolls_until = math.inf
        elif self._rolls_until == math.inf and all(slot.is_starting for slot in waiting):
            self._rolls_until = time.monotonic() + START_TIMEOUT


def _ending(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


@contextmanager
def _heard_signals() -> Iterator[int]:
    """Give a descriptor from which the numbers of signals are read, one byte each."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    before = {number: signal.signal(number, lambda *_: None) for number in OF_THE_PARENT}
    wakeup = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    try:
        yield read_end
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read_end)
        os.close(write_end)
