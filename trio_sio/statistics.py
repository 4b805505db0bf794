"""What one client is in numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """A moment of one client.

    Attributes:
        queued: items that wait for it.
        queued_bytes: their bytes.
        peak_bytes: the most bytes that ever waited.
        dropped: items that were dropped so far: volatile ones, and those of the overflow policy.
        last_seen: when something was last heard of it (`trio.current_time()`).
        is_behind: whether more waited at the end of a tick than `high_water` says, and what waits
            has not come down to `low_water` since.
    """

    queued: int
    queued_bytes: int
    peak_bytes: int
    dropped: int
    last_seen: float
    is_behind: bool = False
