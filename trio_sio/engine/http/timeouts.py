"""The time limits of HTTP requests.

A connection passes from phase to phase with each request, and most phases are over at once. So it
has one timer at most: entering a phase moves the deadline, and a timer that expires early is set
again.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import trio

from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.runtime.timers import Timer, Timers
from trio_sio.logs.throttle import LogThrottle
from trio_sio.statistics import Counters


class Phase(Enum):
    """What a connection waits for; each value is the option that limits it."""

    HEAD = "head_timeout"
    """The head of a request, from its first byte; of the first request, from the beginning."""
    BODY = "body_timeout"
    IDLE = "keep_alive_timeout"
    """The first byte of a further request."""
    ANSWER = "answer_timeout"
    """The client, which has to receive a response."""


class ResponseTimeout(trio.BrokenResourceError):
    """A client did not receive the response to its request in time.

    Attributes:
        limit: the time limit, in seconds (option `answer_timeout`).
    """

    def __init__(self, limit: float) -> None:
        super().__init__(f"an answer was not taken within {limit} s (answer_timeout)")
        self.limit = limit


class RequestTimer:
    """The deadline of one connection.

    Args:
        timers: the engine's; without them there are no limits.
        limits: seconds that each phase may last.
        expire: called once if a phase lasts too long.

    Attributes:
        expired: the phase that lasted too long.
    """

    __slots__ = ("_deadline", "_expire", "_limits", "_phase", "_timer", "_timers", "expired")

    def __init__(
        self, timers: Timers | None, limits: Mapping[Phase, float], expire: Callable[[], None]
    ) -> None:
        self.expired: Phase | None = None
        self._timers = timers
        self._limits = limits
        self._expire = expire
        self._timer: Timer | None = None
        self._phase: Phase | None = None
        self._deadline = 0.0

    def begin(self, phase: Phase) -> None:
        """Enter a phase: its time runs from now on."""
        if self._timers is None:
            return
        self._phase = phase
        self._deadline = trio.current_time() + self._limits[phase]
        if self._timer is not None and self._timer.deadline > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._timers.call_at(self._deadline, self._check)

    def pause(self) -> None:
        """Leave the phase: no time is limited until the next one begins."""
        self._phase = None

    def stop(self) -> None:
        """Leave the phase for good, and give the timer back."""
        self._phase = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def limit(self, phase: Phase) -> float:
        """Return the seconds that a phase may last."""
        return self._limits[phase]

    def _check(self) -> None:
        self._timer = None
        if self._phase is None or self._timers is None:
            return
        if trio.current_time() < self._deadline:
            self._timer = self._timers.call_at(self._deadline, self._check)
            return
        self.expired, self._phase = self._phase, None
        self._expire()


STOPPED = RequestTimer(None, {}, lambda: None)
"""For connections that read no further request."""


T = TypeVar("T")


class Timeouts:
    """Limits the time of what one connection waits for, and interrupts it.

    Args:
        stream: the connection's.
        timers: the engine's; without them there are no limits.
        seconds: that each phase may last.

    Attributes:
        clock: the deadline of the present phase.
    """

    __slots__ = ("_scope", "_stream", "clock")

    def __init__(
        self, stream: ByteStream, timers: Timers | None, seconds: Mapping[Phase, float]
    ) -> None:
        self._stream = stream
        self._scope: trio.CancelScope | None = None
        self.clock = RequestTimer(timers, seconds, self.interrupt)

    def interrupt(self) -> None:
        """Interrupt whatever the connection waits for."""
        if self._scope is not None:
            self._scope.cancel()
        self._stream.interrupt_reader()

    async def run(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Wait for an operation.

        Raises:
            trio.ClosedResourceError: it was interrupted.
        """
        if self._stream.direct:  # what waits for it can be interrupted; a scope costs 5 µs
            return await operation()
        try:
            with trio.CancelScope() as self._scope:
                return await operation()
        finally:
            self._scope = None
        raise trio.ClosedResourceError

    async def within(
        self,
        phase: Phase,
        operation: Callable[[], Awaitable[T]],
        error: Callable[[float], Exception],
    ) -> T:
        """Wait for an operation as `run` does, but not longer than its phase may last.

        Args:
            phase: the phase.
            operation: the operation.
            error: makes the exception that is raised if it takes longer, from the limit.
        """
        self.clock.begin(phase)
        try:
            return await self.run(operation)
        except trio.ClosedResourceError:
            if self.clock.expired is not phase:
                raise
            raise error(self.clock.limit(phase)) from None
        finally:
            self.clock.pause()

    def stop(self) -> None:
        """Limit nothing any more: no further request is read."""
        self.clock.stop()
        self.clock = STOPPED


def _count_nowhere(option: str) -> None:
    """In place of `count_limit`."""


class HTTPLimits(NamedTuple):
    """The limits of all connections of an engine.

    Attributes:
        seconds: that each phase of a request may last.
        max_headers: header fields that a request may have.
        max_header_size: bytes that its head may have.
        count_limit: called with the option's name whenever a limit is reached.
        log: for refused requests.
        counters: of the server, for refused requests and for bytes.
    """

    seconds: Mapping[Phase, float] = MappingProxyType({})
    max_headers: int = 100
    max_header_size: int = 16 * 1024
    count_limit: Callable[[str], None] = _count_nowhere
    log: LogThrottle = LogThrottle()
    counters: Counters = Counters()

    def count_refusal(self, option: str) -> None:
        """Count a client that was refused, or cut off, by an option; by none if it is `""`."""
        if option != Phase.ANSWER.value:  # its request was not refused, but answered
            self.counters.refused["no_http"] += 1
        if option:
            self.count_limit(option)


NO_LIMITS = HTTPLimits()
"""For connections without an engine: their requests are limited, but not the time of these."""
