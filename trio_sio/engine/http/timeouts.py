"""How long a client may take for its HTTP requests.

A connection passes from one phase to another with each request, but most phases are over at once:
only where one lasts is anything set going, a single call of the engine's alarm, which then looks
how far the deadline has moved.
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
    """What a connection waits for; the values are the options that limit it."""

    HEAD = "head_timeout"
    """The head of a request, of which there may be nothing yet if it is the first."""
    BODY = "body_timeout"
    IDLE = "keep_alive_timeout"
    """The first byte of a further request."""
    ANSWER = "answer_timeout"
    """That the client takes an answer."""


class ResponseTimeout(trio.BrokenResourceError):
    """A client did not take the answer to its request.

    Attributes:
        limit: seconds that it may take (option `answer_timeout`).
    """

    def __init__(self, limit: float) -> None:
        super().__init__(f"an answer was not taken within {limit} s (answer_timeout)")
        self.limit = limit


class RequestTimer:
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
        self, timers: Timers | None, limits: Mapping[Phase, float], expire: Callable[[], None]
    ) -> None:
        self.expired: Phase | None = None
        self._alarm = timers
        self._limits = limits
        self._expire = expire
        self._call: Timer | None = None
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


STOPPED = RequestTimer(None, {}, lambda: None)
"""The clock of a connection that takes no requests any more."""


T = TypeVar("T")


class Timed:
    """Reads from and writes to one connection's pipe, for so long.

    Args:
        pipe: the pipe.
        alarm: the engine's; without one there are no limits.
        seconds: that each phase may last.

    Attributes:
        clock: says in which phase the connection is.
    """

    __slots__ = ("_pipe", "_scope", "clock")

    def __init__(
        self, pipe: ByteStream, timers: Timers | None, seconds: Mapping[Phase, float]
    ) -> None:
        self._pipe = pipe
        self._scope: trio.CancelScope | None = None
        self.clock = RequestTimer(timers, seconds, self.interrupt)

    def interrupt(self) -> None:
        """Have what is waited for end at once."""
        if self._scope is not None:
            self._scope.cancel()
        self._pipe.interrupt_reader()

    async def run(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Wait for something; raises `ClosedResourceError` if it is interrupted."""
        if self._pipe.direct:  # what waits for it can be interrupted; a scope costs 5 µs
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
        """Wait for something as `run` does, but not longer than its phase may last.

        Args:
            phase: which limit there is.
            operation: what to wait for.
            error: makes what is raised if it takes too long, of the limit.
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
        """No request is taken any more."""
        self.clock.stop()
        self.clock = STOPPED


def _nobody(option: str) -> None:
    """In place of `count_limit`."""


class HTTPLimits(NamedTuple):
    """The limits of all connections of an engine.

    Attributes:
        seconds: that each phase of a request may last.
        max_headers: header fields that a request may have.
        max_header_size: bytes of a request's head.
        count_limit: is told of each limit that was reached, by the option's name.
        log: where refused requests are told.
        counters: where they are counted, and bytes.
    """

    seconds: Mapping[Phase, float] = MappingProxyType({})
    max_headers: int = 100
    max_header_size: int = 16 * 1024
    count_limit: Callable[[str], None] = _nobody
    log: LogThrottle = LogThrottle()
    counters: Counters = Counters()

    def count_refusal(self, option: str) -> None:
        """Note that a client was refused, or cut off, by an option; `""` for no HTTP."""
        if option != Phase.ANSWER.value:  # that is no refusal: it was answered
            self.counters.refused["no_http"] += 1
        if option:
            self.count_limit(option)


NO_LIMITS = HTTPLimits()
"""Of a connection that has no engine: its requests are limited, but their time is not."""
