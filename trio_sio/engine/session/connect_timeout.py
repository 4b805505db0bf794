"""Closes a client that joins nothing within `connect_timeout`."""

from collections.abc import Callable

import trio

from trio_sio.engine.runtime.stalls import StallMonitor
from trio_sio.engine.runtime.timers import Timer, Timers


class ConnectTimeout:
    """The timeout of one client; the time for which our own event loop was held does not count.

    Args:
        timers: the engine's.
        seconds: how long it lasts; `None` for no timeout.
        stalls: knows when the event loop was held.
    """

    __slots__ = ("_on_expired", "_seconds", "_stalls", "_started", "_timer", "_timers")

    def __init__(self, timers: Timers, seconds: float | None, stalls: StallMonitor) -> None:
        self._timers = timers
        self._seconds = seconds
        self._stalls = stalls
        self._timer: Timer | None = None
        self._on_expired: Callable[[], None] | None = None
        self._started = 0.0

    def begin(self, on_expired: Callable[[], None]) -> None:
        """Start the timeout; `on_expired` is called once, unless `cancel` is called before."""
        if self._seconds is not None:
            self._started, self._on_expired = trio.current_time(), on_expired
            self._timer = self._timers.call_at(self._started + self._seconds, self._look)

    def cancel(self) -> None:
        """Cancel it; this may be repeated."""
        self._on_expired = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        on_expired, self._timer = self._on_expired, None
        if on_expired is None or self._seconds is None:
            return
        deadline = self._started + self._seconds + self._stalls.lost_since(self._started)
        if trio.current_time() < deadline:
            self._timer = self._timers.call_at(deadline, self._look)
        else:
            self.cancel()
            on_expired()
