"""The place of one worker, as the parent sees it: what runs there, and when another one starts."""

import math
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from trio_sio.workers.restarts import Restarts


class Process:
    """A worker that runs.

    Args:
        pid: its process id.
        reports: a descriptor from which can be read when it serves.

    Attributes:
        pid: its process id.
        reports: the descriptor.
        serves: whether it has said that it serves.
        asked: whether it was asked to end.
        kill_at: when it will be killed.
    """

    def __init__(self, pid: int, reports: int) -> None:
        self.pid = pid
        self.reports = reports
        self.serves = False
        self.asked = False
        self.kill_at = math.inf
        self._begun = time.monotonic()

    @property
    def lived(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._begun

    def read_report(self) -> None:
        """Read that it serves; or nothing, when it has died."""
        self.serves = bool(os.read(self.reports, 1)) or self.serves

    def ask(self, patience: float) -> None:
        """Ask it to end within some seconds."""
        self.asked = True
        self.kill_at = time.monotonic() + patience
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.kill_at = math.inf
        self._send(signal.SIGKILL)

    def ending(self, *, wait: bool = False) -> int | None:
        """Return its exit code, the negative number of a signal, or `None` while it runs."""
        pid, status = os.waitpid(self.pid, 0 if wait else os.WNOHANG)
        if not pid:
            return None
        os.close(self.reports)
        return os.waitstatus_to_exitcode(status)

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Slot:
    """The place of one worker, which may be empty.

    Args:
        number: the worker's.
        name: its node id.

    Attributes:
        number: the worker's.
        name: its node id.
        process: what runs there.
        start_at: when another one is started.
        restarts: how often it died at once.
    """

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.process: Process | None = None
        self.start_at = math.inf
        self.restarts = Restarts()

    @property
    def serves(self) -> bool:
        """Whether a worker serves there, and will go on."""
        return self.process is not None and self.process.serves and not self.process.asked

    @property
    def is_starting(self) -> bool:
        """Whether a worker runs there that has not said yet that it serves."""
        return self.process is not None and not self.process.serves and not self.process.asked

    def fill(self, launch: Callable[[int], tuple[int, int]]) -> Process:
        """Start a worker there."""
        self.start_at = math.inf
        self.process = Process(*launch(self.number))
        return self.process

    def clear(self) -> None:
        """The worker has ended."""
        self.process = None

    def start_in(self, seconds: float) -> None:
        """Start another worker later; `math.inf` for never."""
        self.start_at = time.monotonic() + seconds
