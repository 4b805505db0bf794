"""What becomes of a client that sends more events than it may (option `max_events_per_second`)."""

import logging
import math
from collections.abc import Callable

import trio

from trio_sio.abc import Session
from trio_sio.disconnect import Explanation
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.logs.shown import short_id
from trio_sio.logs.throttle import LogThrottle
from trio_sio.router.bucket import Bucket
from trio_sio.router.limits import Limits

logger = logging.getLogger("trio_sio.router")

OPTION = "max_events_per_second"

_LINE = "session %s: %s"

TELL_EVERY = 10.0
"""Seconds between two packets to the client that tell it about dropped events."""

Tell = Callable[[str], object]
"""Sends the client an ERROR packet with a sentence."""


class Flood:
    """Watches what one client sends, in all of its namespaces, for as long as it stays.

    Args:
        session: the client's session.
        limits: the options.
        rate: events that it may send each second, in the long run.
        log: where it is told what is dropped or refused.
    """

    __slots__ = ("_bucket", "_limits", "_log", "_rate", "_session", "_told")

    def __init__(self, session: Session, limits: Limits, rate: float, log: LogThrottle) -> None:
        self._log = log
        self._session = session
        self._limits = limits
        self._rate = rate
        self._bucket = Bucket(rate, limits.event_burst or math.ceil(rate), trio.current_time())
        self._told = -math.inf

    async def admits(self, tell: Tell) -> bool:
        """Whether an event may be handled, now or after a while; does what `on_flood` says.

        Args:
            tell: tells the client what happens to its event, at a rate.

        Raises:
            RemoteProtocolError: the client is to be closed.
        """
        if await self._passes(tell):
            return True
        text = f"{self._text} ({OPTION}): some are dropped"
        self._write(text)
        now = trio.current_time()
        if now - self._told >= TELL_EVERY:
            self._told = now
            tell(text)
        return False

    async def refusal(self, tell: Tell) -> str:
        """Return why the client may not join a namespace now, `""` if it may: joins count, too.

        Args:
            tell: tells the client why it is closed.

        Raises:
            RemoteProtocolError: the client is to be closed.
        """
        if await self._passes(tell):
            return ""
        text = f"{self._text} ({OPTION})"
        self._write(f"{text}: a namespace is refused")
        return text

    def _write(self, text: str) -> None:
        self._log.tell(logger, logging.WARNING, OPTION, _LINE, short_id(self._session.id), text)

    @property
    def _text(self) -> str:
        return f"more than {self._rate} events a second"

    async def _passes(self, tell: Tell) -> bool:
        """Whether one more may pass, now or after a while; a client may be closed for it."""
        if self._limits.on_flood == "wait":
            await self._wait()
            return True
        if self._bucket.take(trio.current_time()):
            return True
        if self._limits.on_flood == "disconnect":
            text = f"{self._text} ({OPTION}"
            tell(f"{text})")
            self._session.explain(Explanation(self._text, OPTION, self._rate))
            raise RemoteProtocolError("too much", f"{text} is {self._rate})")
        self._session.count_limit(OPTION)
        return False

    async def _wait(self) -> None:
        now = trio.current_time()
        then = self._bucket.take_next(now)
        if then > now:
            self._session.count_limit(OPTION)
            await trio.sleep_until(then)


def watch_flood(session: Session, limits: Limits, log: LogThrottle) -> Flood | None:
    """Return what watches a client; `None` if its events are not limited."""
    rate = limits.max_events_per_second
    return None if rate is None else Flood(session, limits, rate, log)
