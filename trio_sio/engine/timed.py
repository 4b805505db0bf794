"""What a connection waits for: it can be interrupted, and has its time."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import trio

from trio_sio.engine.alarm import Alarm
from trio_sio.engine.pipe import Pipe
from trio_sio.engine.request_clock import STOPPED, Phase, RequestClock

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

    def __init__(self, pipe: Pipe, alarm: Alarm | None, seconds: Mapping[Phase, float]) -> None:
        self._pipe = pipe
        self._scope: trio.CancelScope | None = None
        self.clock = RequestClock(alarm, seconds, self.interrupt)

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
