"""Counts sessions, also those that have ended, and the limits that were reached."""

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from trio_sio.engine.runtime.stalls import StallMonitor
from trio_sio.statistics import PROTOCOLS, Counters, EngineStatistics

if TYPE_CHECKING:
    from trio_sio.engine.session.session import Session


class SessionCounters:
    """The numbers of an engine's sessions.

    Args:
        counters: what else the server counts.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._dropped = 0
        self._ended: Counter[str] = Counter()
        self._limits: Counter[str] = Counter()

    def add_ended(self, session: "Session") -> None:
        """Keep the numbers of a session that has ended."""
        self._dropped += session.outbox.dropped
        detail = session.detail
        if detail is not None:
            self._ended[str(detail.reason)] += 1
            if detail.option:
                self._limits[detail.option] += 1
        self._limits.update(session.limits or {})

    def count_limit(self, option: str) -> None:
        """Count a limit that was reached outside of sessions."""
        self._limits[option] += 1

    def statistics(
        self, sessions: Collection["Session"], connections: int, refused: int, stalls: StallMonitor
    ) -> EngineStatistics:
        """Return the numbers of all sessions, those that are here included."""
        present = [session.statistics() for session in sessions]
        limits, counters = self._limits.copy(), self._counters
        by_protocol = dict.fromkeys(PROTOCOLS, 0)
        for session in sessions:
            limits.update(session.limits or {})
            by_protocol[session.protocol] += 1
        return EngineStatistics(
            connections=connections,
            refused_connections=refused,
            sessions=len(present),
            queued=sum(one.queued for one in present),
            queued_bytes=sum(one.queued_bytes for one in present),
            largest_queue=max((one.queued_bytes for one in present), default=0),
            dropped=self._dropped + sum(one.dropped for one in present),
            ended=dict(self._ended),
            limits=dict(limits),
            behind=sum(one.is_behind for one in present),
            stalls=stalls.stalls,
            stalled=stalls.stalled,
            longest_stall=stalls.longest,
            opened=sum(counters.opened.values()),
            refused=counters.refused.copy(),
            bytes_in=counters.bytes_in,
            bytes_out=counters.bytes_out,
            sessions_by_protocol=by_protocol,
            opened_by_protocol=counters.opened.copy(),
        )
