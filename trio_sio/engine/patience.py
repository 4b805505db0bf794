"""How long a client may be here without having joined anything (option `connect_timeout`)."""

from collections.abc import Callable

import trio

from trio_sio.engine.alarm import Alarm, Call


class Patience:
    """With one client.

    Args:
        alarm: the engine's.
        seconds: how long it lasts; `None` for ever.
    """

    __slots__ = ("_alarm", "_call", "_seconds")

    def __init__(self, alarm: Alarm, seconds: float | None) -> None:
        self._alarm = alarm
        self._seconds = seconds
        self._call: Call | None = None

    def begin(self, lose: Callable[[], None]) -> None:
        """Have patience from now on; `lose` is called when it is over."""
        if self._seconds is not None:
            deadline = trio.current_time() + self._seconds
            self._call = self._alarm.call_at(deadline, lose)

    def end(self) -> None:
        """Have as much as is needed."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
