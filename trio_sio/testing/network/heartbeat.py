"""When a client pings, and for how long it bears silence, as JavaScript's clients have it."""

import math
from collections.abc import Awaitable, Callable

import trio


class Heartbeat:
    """The client's side of the heartbeat: it pings.

    Args:
        interval: seconds from a PONG to the next PING.
        timeout: seconds within which something has to come behind a PING.

    Attributes:
        packet: what it sends.
    """

    packet = "2"

    def __init__(self, interval: float, timeout: float) -> None:
        self._interval = interval
        self._timeout = timeout
        self._silence_scope = trio.CancelScope()
        self._pong = trio.Event()
        self._is_held = False

    def begin(self) -> None:
        """Take note of OPEN."""
        self.heard()

    def heard(self) -> None:
        """Take note that the server has sent something."""
        self._bear(self._interval + self._timeout)

    def heard_beat(self) -> None:
        """Take note of the server's part of the heartbeat: a PONG."""
        self._pong.set()

    def hold(self) -> None:
        """Bear any silence: nobody reads."""
        self._is_held = True
        self._bear(math.inf)

    def go_on(self) -> None:
        """Somebody reads again."""
        self._is_held = False
        self.begin()

    async def beat(self, send: Callable[[], Awaitable[None]]) -> None:
        """Ping for ever.

        Args:
            send: sends `packet`.
        """
        while True:
            await trio.sleep(self._interval)
            self._pong = trio.Event()
            self._bear(self._timeout)
            await send()
            await self._pong.wait()

    async def wait_silence(self) -> None:
        """Return when the server has been silent for too long."""
        with self._silence_scope:
            await trio.sleep_forever()

    def _bear(self, seconds: float) -> None:
        limit = math.inf if self._is_held else seconds
        self._silence_scope.deadline = trio.current_time() + limit


class AnsweringHeartbeat(Heartbeat):
    """The client's side in Engine.IO 4: the server pings, and nothing else that it sends counts.

    Args:
        interval: seconds from an answer to the server's next PING.
        timeout: seconds by which that may be late.
    """

    packet = "3"

    def __init__(self, interval: float, timeout: float) -> None:
        super().__init__(interval, timeout)
        self._ping = trio.Event()

    def begin(self) -> None:
        """Take note of OPEN: a PING has to come behind it."""
        super().heard()

    def heard(self) -> None:
        """Take note of nothing: whatever comes, JavaScript's client waits for a PING."""

    def heard_beat(self) -> None:
        """Take note of a PING: it is answered, and another one has to come."""
        self._ping.set()
        self.begin()

    async def beat(self, send: Callable[[], Awaitable[None]]) -> None:
        """Answer pings for ever.

        Args:
            send: sends `packet`.
        """
        while True:
            await self._ping.wait()
            self._ping = trio.Event()
            await send()
