"""What an engine is in numbers."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trio_sio.counters import Counters
from trio_sio.engine.watch import Watch

if TYPE_CHECKING:
    from trio_sio.engine.session import Session


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
        limits: how often limits were reached so far, by option: of sessions that have ended for
            it, and of whatever was refused or dropped.
        behind: how many clients take less than is sent to them; see `high_water`.
        stalls: how often the event loop was held for more than `slow_step`, or stood still.
        stalled: seconds that this took altogether.
        longest_stall: seconds that the longest took.
        opened: how many sessions have begun so far.
        joined: how many sockets were let into namespaces so far.
        refused: how many clients were refused so far, by kind.
        bytes_in: bytes that came over connections so far, HTTP and WebSocket included, TLS not.
        bytes_out: bytes that left over connections so far, likewise.
        events_in: events that clients have sent so far.
        events_out: events that were sent so far, one for each recipient.
        calls: calls of handlers of events that are over by now.
        call_seconds: seconds that these took altogether, with all waiting, to the accuracy of
            turns of the event loop (see `trio_sio.engine.watch`); 0 without `slow_step`.
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
    behind: int = 0
    stalls: int = 0
    stalled: float = 0.0
    longest_stall: float = 0.0
    opened: int = 0
    joined: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0
    events_in: int = 0
    events_out: int = 0
    calls: int = 0
    call_seconds: float = 0.0


class Ledger:
    """What is kept of sessions that have ended, and of limits that were reached.

    Args:
        counters: what else the server counts.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
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
        self._limits.update(session.limits or {})

    def count_limit(self, option: str) -> None:
        """Note that a limit was reached outside of sessions."""
        self._limits[option] += 1

    def statistics(
        self, sessions: Collection["Session"], connections: int, refused: int, watch: Watch
    ) -> EngineStatistics:
        """Put it together with those that are here."""
        present = [session.statistics() for session in sessions]
        limits, counters = self._limits.copy(), self._counters
        for session in sessions:
            limits.update(session.limits or {})
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
            stalls=watch.stalls,
            stalled=watch.stalled,
            longest_stall=watch.longest,
            opened=counters.sessions,
            joined=counters.joins,
            refused=counters.refused.copy(),
            bytes_in=counters.bytes_in,
            bytes_out=counters.bytes_out,
            events_in=counters.events_in,
            events_out=counters.events_out,
            calls=counters.calls,
            call_seconds=counters.call_seconds,
        )
