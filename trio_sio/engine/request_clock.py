"""How long a client may take for its HTTP requests.

A connection passes from one phase to another with each request, but most phases are over at once:
only where one lasts is anything set going, a single call of the engine's alarm, which then looks
how far the deadline has moved.
"""

from collections.abc import Callable, Mapping
from enum import Enum

import trio

from trio_sio.engine.alarm import Alarm, Call


class Phase(Enum):
    """What a connection waits for; the values are the options that limit it."""

    HEAD = "head_timeout"
    """The head of a request, of which there may be nothing yet if it is the first."""
    BODY = "body_timeout"
    IDLE = "keep_alive_timeout"
    """The first byte of a further request."""
    ANSWER = "answer_timeout"
    """That the client takes an answer."""


class RequestClock:
    """The deadline of one connection.

    Args:
        alarm: the engine's; without one there are no limits.
        limits: seconds for each phase.
        expire: called once if a phase lasts too long.

    Attributes:
        expired: the phase that lasted too long.
    """

    __slots__ = ("_alarm", "_call", "_deadline", "_expire", "_limits", "_phase", "expired")

    def __init__(
        self, alarm: Alarm | None, limits: Mapping[Phase, float], expire: Callable[[], None]
    ) -> None:
        self.expired: Phase | None = None
        self._alarm = alarm
        self._limits = limits
        self._expire = expire
        self._call: Call | None = None
        self._phase: Phase | None = None
        self._deadline = 0.0

    def begin(self, phase: Phase) -> None:
        """Wait for something, from now on."""
        if self._alarm is None:
            return
        self._phase = phase
        self._deadline = trio.current_time() + self._limits[phase]
        if self._call is not None and self._call.deadline > self._deadline:
            self._call.cancel()
            self._call = None
        if self._call is None:
            self._call = self._alarm.call_at(self._deadline, self._look)

    def pause(self) -> None:
        """Wait for nothing."""
        self._phase = None

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._phase = None
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def limit(self, phase: Phase) -> float:
        """Return the seconds that a phase may last."""
        return self._limits[phase]

    def _look(self) -> None:
        self._call = None
        if self._phase is None or self._alarm is None:
            return
        if trio.current_time() < self._deadline:
            self._call = self._alarm.call_at(self._deadline, self._look)
            return
        self.expired, self._phase = self._phase, None
        self._expire()


STOPPED = RequestClock(None, {}, lambda: None)
"""The clock of a connection that takes no requests any more."""
