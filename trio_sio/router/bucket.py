"""A token bucket: so many at once, and so many a second in the long run."""


class Bucket:
    """Counts by a clock that it is told.

    Args:
        rate: tokens that come each second.
        size: tokens that it has at first, and at most.
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
        """Take a token, the next that comes if there is none; return the time when it is there."""
        self._fill(now)
        self._tokens -= 1
        return now + max(0.0, -self._tokens / self._rate)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._since) * self._rate)
        self._since = now
