"""What an engine, and one client of it, is in numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trio_sio.engine.session import Session


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """A moment of one client.

    Attributes:
        queued: items that wait for it.
        queued_bytes: their bytes.
        peak_bytes: the most bytes that ever waited.
        dropped: items that were dropped so far: volatile ones, and those of the overflow policy.
        last_seen: when something was last heard of it (`trio.current_time()`).
    """

    queued: int
    queued_bytes: int
    peak_bytes: int
    dropped: int
    last_seen: float


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """A moment of an engine, and what has happened since it was made.

    Attributes:
        connections: TCP connections that are open.
        refused_connections: how many were refused so far, by `max_connections` or
            `max_connections_per_address`.
        sessions: clients that are here.
        queued: items that wait in their outboxes.
        queued_bytes: their bytes.
        largest_queue: bytes in the fullest outbox.
        dropped: items that were dropped so far: volatile ones, and those of the overflow policy.
        ended: how many sessions have ended so far, by reason.
        limits: how many of those have ended because of a limit, by option.
    """

    connections: int
    refused_connections: int
    sessions: int
    queued: int
    queued_bytes: int
    largest_queue: int
    dropped: int
    ended: Mapping[str, int]
    limits: Mapping[str, int]


class Ledger:
    """What is kept of sessions that have ended."""

    def __init__(self) -> None:
        self._dropped = 0
        self._ended: Counter[str] = Counter()
        self._limits: Counter[str] = Counter()

    def enter(self, session: "Session") -> None:
        """Note the end of a session."""
        self._dropped += session.outbox.dropped
        detail = session.detail
        if detail is not None:
            self._ended[str(detail.reason)] += 1
            if detail.option:
                self._limits[detail.option] += 1

    def statistics(
        self, sessions: Iterable["Session"], connections: int, refused: int
    ) -> EngineStatistics:
        """Put it together with those that are here."""
        present = [session.statistics() for session in tuple(sessions)]
        return EngineStatistics(
            connections=connections,
            refused_connections=refused,
            sessions=len(present),
            queued=sum(one.queued for one in present),
            queued_bytes=sum(one.queued_bytes for one in present),
            largest_queue=max((one.queued_bytes for one in present), default=0),
            dropped=self._dropped + sum(one.dropped for one in present),
            ended=dict(self._ended),
            limits=dict(self._limits),
        )
