"""What becomes of a client that sends more events than it may (option `max_events_per_second`)."""

import logging
import math
from typing import TYPE_CHECKING

import trio

from trio_sio.detail import Explanation
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.router.bucket import Bucket
from trio_sio.router.limits import Limits

if TYPE_CHECKING:
    from trio_sio.router.socket import Socket

logger = logging.getLogger("trio_sio.router")

OPTION = "max_events_per_second"

TELL_EVERY = 10.0
"""Seconds between two packets to the client about the same socket."""


class Flood:
    """Watches the events of one socket.

    Args:
        socket: the socket.
        limits: the options.
        rate: events that it may send each second, in the long run.
    """

    __slots__ = ("_bucket", "_limits", "_rate", "_socket", "_told")

    def __init__(self, socket: "Socket", limits: Limits, rate: float) -> None:
        self._socket = socket
        self._limits = limits
        self._rate = rate
        self._bucket = Bucket(rate, limits.event_burst or math.ceil(rate), trio.current_time())
        self._told = -math.inf

    async def admits(self) -> bool:
        """Whether an event may be handled, now or after a while; does what `on_flood` says.

        Raises:
            RemoteProtocolError: the client is to be closed.
        """
        now = trio.current_time()
        if self._limits.on_flood == "wait":
            await self._wait_until(self._bucket.take_next(now), now)
            return True
        if self._bucket.take(now):
            return True
        text = f"more than {self._rate} events a second"
        if self._limits.on_flood == "disconnect":
            self._socket.send_error(f"{text} ({OPTION})")
            self._socket.session.explain(Explanation(text, OPTION, self._rate))
            raise RemoteProtocolError("too much", f"{text} ({OPTION} is {self._rate})")
        self._socket.session.count_limit(OPTION)
        self._tell(f"{text} ({OPTION}): some are dropped")
        return False

    async def _wait_until(self, then: float, now: float) -> None:
        if then > now:
            self._socket.session.count_limit(OPTION)
            await trio.sleep_until(then)

    def _tell(self, text: str) -> None:
        now, log = trio.current_time(), self._socket.client.router.log
        log.tell(logger, logging.WARNING, OPTION, "%r: %s", self._socket, text)
        if now - self._told >= TELL_EVERY:
            self._told = now
            self._socket.send_error(text)


def watch_flood(socket: "Socket", limits: Limits) -> Flood | None:
    """Return what watches a socket; `None` if its events are not limited."""
    rate = limits.max_events_per_second
    return None if rate is None else Flood(socket, limits, rate)
