"""The rate limit of one client's events: a token bucket, and what to do when it is empty.

Nothing here acts or looks at a clock: the caller says what time it is, and does what the verdict
says.
"""

import math
from enum import Enum, auto
from typing import NamedTuple

OPTION = "max_events_per_second"

TELL_EVERY = 10.0
"""Seconds between two packets to the client that tell it about dropped events."""


class TokenBucket:
    """Admits a burst at once, and a fixed rate in the long run.

    Args:
        rate: tokens that are added each second.
        size: tokens that it holds at first, and at most.
        now: the time, in seconds.
    """

    __slots__ = ("_rate", "_since", "_size", "_tokens")

    def __init__(self, rate: float, size: int, now: float) -> None:
        self._rate = rate
        self._size = size
        self._tokens = float(size)
        self._since = now

    def take(self, now: float) -> bool:
        """Take a token; return whether there was one."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def take_next(self, now: float) -> float:
        """Take a token, if need be one that is yet to be added; return the time of its addition."""
        self._fill(now)
        self._tokens -= 1
        return now + max(0.0, -self._tokens / self._rate)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._since) * self._rate)
        self._since = now


class Outcome(Enum):
    """What is to be done with an event, or with a request to join a namespace."""

    ADMIT = auto()
    WAIT = auto()
    DROP = auto()
    DISCONNECT = auto()


class Verdict(NamedTuple):
    """What is to be done, and when.

    Attributes:
        outcome: what is to be done.
        until: for `WAIT`, the time at which the event is admitted.
    """

    outcome: Outcome
    until: float = 0.0


ADMITTED = Verdict(Outcome.ADMIT)

_OF_POLICIES = {"drop": Verdict(Outcome.DROP), "disconnect": Verdict(Outcome.DISCONNECT)}


class EventRateLimit:
    """Limits what one client sends, in all of its namespaces together.

    Args:
        rate: events that it may send each second, in the long run.
        burst: events that it may send at once; `None` for those of one second.
        policy: what happens to more: "disconnect", "drop" or "wait" (option `on_flood`).
        now: the time, in seconds.

    Attributes:
        rate: the same.
    """

    __slots__ = ("_bucket", "_policy", "_told", "rate")

    def __init__(self, rate: float, burst: int | None, policy: str, now: float) -> None:
        self.rate = rate
        self._bucket = TokenBucket(rate, burst or math.ceil(rate), now)
        self._policy = policy
        self._told = -math.inf

    def __str__(self) -> str:
        """Return what the client did too much of."""
        return f"more than {self.rate} events a second"

    def admit(self, now: float) -> Verdict:
        """Count one more event, and say what is to be done with it."""
        if self._policy == "wait":
            until = self._bucket.take_next(now)
            return Verdict(Outcome.WAIT, until) if until > now else ADMITTED
        return ADMITTED if self._bucket.take(now) else _OF_POLICIES[self._policy]

    def is_telling_due(self, now: float) -> bool:
        """Whether the client is to be told of a dropped event, which it is every 10 seconds."""
        if now - self._told < TELL_EVERY:
            return False
        self._told = now
        return True
