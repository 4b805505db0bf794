"""How long a client may be here without having joined anything (option `connect_timeout`)."""

from collections.abc import Callable

import trio

from trio_sio.engine.runtime.stalls import StallMonitor
from trio_sio.engine.runtime.timers import Timer, Timers


class ConnectTimeout:
    """With one client; what our own event loop was held for does not count.

    Args:
        timers: the engine's.
        seconds: how long it lasts; `None` for ever.
        stalls: knows when the event loop was held.
    """

    __slots__ = ("_began", "_call", "_lose", "_seconds", "_stalls", "_timers")

    def __init__(self, timers: Timers, seconds: float | None, stalls: StallMonitor) -> None:
        self._timers = timers
        self._seconds = seconds
        self._stalls = stalls
        self._call: Timer | None = None
        self._lose: Callable[[], None] | None = None
        self._began = 0.0

    def begin(self, lose: Callable[[], None]) -> None:
        """Have patience from now on; `lose` is called when it is over."""
        if self._seconds is not None:
            self._began, self._lose = trio.current_time(), lose
            self._call = self._timers.call_at(self._began + self._seconds, self._look)

    def end(self) -> None:
        """Have as much as is needed."""
        self._lose = None
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _look(self) -> None:
        lose, self._call = self._lose, None
        if lose is None or self._seconds is None:
            return
        deadline = self._began + self._seconds + self._stalls.lost_since(self._began)
        if trio.current_time() < deadline:
            self._call = self._timers.call_at(deadline, self._look)
        else:
            self.end()
            lose()
