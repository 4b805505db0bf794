"""Statistics of one client and of an engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
            turns of the event loop (see `trio_sio.engine.runtime.stalls`); 0 without `slow_step`.
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
