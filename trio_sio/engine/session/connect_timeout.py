"""Closes a client that joins nothing within `connect_timeout`."""

from collections.abc import Callable

import trio

from trio_sio.engine.runtime.stalls import StallMonitor
from trio_sio.engine.runtime.timers import Timer, Timers


class ConnectTimeout:
    """The timeout of one client; the time for which our own event loop was held does not count.

    Args:
        timers: the engine's.
        seconds: how long it lasts from now; `None` for no timeout.
        stalls: knows when the event loop was held.
        on_expired: called once, unless `cancel` is called before.
    """

    __slots__ = ("_on_expired", "_seconds", "_stalls", "_started", "_timer", "_timers")

    def __init__(
        self,
        timers: Timers,
        seconds: float | None,
        stalls: StallMonitor,
        on_expired: Callable[[], None],
    ) -> None:
        self._timers, self._stalls = timers, stalls
        self._seconds, self._on_expired = seconds, on_expired
        self._started = trio.current_time()
        self._timer: Timer | None = None
        if seconds is not None:
            self._timer = timers.call_at(self._started + seconds, self._look)

    def cancel(self) -> None:
        """Cancel it; this may be repeated."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self._timer is None or self._seconds is None:
            return
        deadline = self._started + self._seconds + self._stalls.lost_since(self._started)
        if trio.current_time() < deadline:
            self._timer = self._timers.call_at(deadline, self._look)
        else:
            self._timer = None
            self._on_expired()
