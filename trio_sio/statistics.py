"""Statistics of one client and of an engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """The state of one client.

    Attributes:
        queued: packets in its outbox.
        queued_bytes: their size in bytes.
        peak_bytes: the largest size that its outbox has had, in bytes.
        dropped: packets dropped so far: volatile ones, and those dropped by `on_overflow`.
        last_seen: when it last sent something (`trio.current_time()`).
        is_behind: whether its outbox was above `high_water` at the end of a tick, and has not
            drained to `low_water` since.
    """

    queued: int
    queued_bytes: int
    peak_bytes: int
    dropped: int
    last_seen: float
    is_behind: bool = False


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """The state of an engine, and what it has counted since it was made.

    Attributes:
        connections: open TCP connections.
        refused_connections: connections refused by `max_connections` or
            `max_connections_per_address`.
        sessions: connected clients.
        queued: packets in their outboxes.
        queued_bytes: the size of these packets in bytes.
        largest_queue: the size of the largest outbox in bytes.
        dropped: packets dropped: volatile ones, and those dropped by `on_overflow`.
        ended: sessions ended, by reason.
        limits: how often limits were reached, by option: a session was closed, or something was
            refused or dropped.
        behind: clients whose outbox is above `high_water`, or has not drained to `low_water` since.
        stalls: stalls of the event loop: steps longer than `slow_step`, and pauses of the process.
        stalled: the duration of all stalls in seconds.
        longest_stall: the duration of the longest stall in seconds.
        opened: sessions opened.
        joined: sockets that have joined a namespace.
        refused: clients refused, by kind (see `trio_sio.counters.REFUSALS`).
        bytes_in: bytes received, with HTTP and WebSocket, without TLS.
        bytes_out: bytes sent, likewise.
        events_in: events received.
        events_out: events sent, counted once for each recipient.
        calls: calls of event handlers that have finished.
        call_seconds: their duration in seconds, including waits, to the accuracy of the event
            loop's steps (see `trio_sio.engine.runtime.stalls`); 0 without `slow_step`.
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
