"""What a server counts while it runs, and the statistics made of it.

The counters are plain attributes, since every event increments some.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

REFUSALS = (
    "transport_unknown",
    "session_id_unknown",
    "other_node",
    "bad_handshake_method",
    "bad_request",
    "forbidden",
    "unsupported_protocol",
    "not_found",
    "no_http",
    "full",
    "draining",
    "closing",
    "preflight",
    "too_slow",
    "body",
    "namespace",
    "middleware",
)
"""Why clients are refused: the error codes of Engine.IO, and

    other_node   the session is of another node (node_id): session affinity is missing
    not_found    the path is not the server's
    no_http      the bytes are not an HTTP request, or too many
    full         max_connections, max_connections_per_address or max_sessions
    draining     the server drains
    closing      the server closes
    preflight    a header field that allow_headers does not name
    too_slow     a function of the application exceeded handshake_timeout
    body         fallback could not read the body
    namespace    the namespace does not exist, or exceeds a limit
    middleware   middleware of a namespace refused
"""


class Counters:
    """Counts since the server was made.

    Attributes:
        sessions: sessions opened.
        joins: sockets that have joined a namespace.
        refused: refusals, by kind; every one of `REFUSALS` is a key.
        bytes_in: bytes received, with HTTP and WebSocket, without TLS.
        bytes_out: bytes sent, likewise.
        events_in: events that clients have sent to namespaces that they have joined.
        events_out: events sent, counted once for each recipient.
        calls: calls of event handlers that have finished.
        call_seconds: their duration in seconds, including waits; a part of it is added by
            `trio_sio.engine.runtime.stalls`, which is off without `slow_step`.
        turn: when the current task's step of the event loop began, by `perf_counter()`; 0 without
            `slow_step`. Handlers are timed from here, which saves two reads of the clock.
    """

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "call_seconds",
        "calls",
        "events_in",
        "events_out",
        "joins",
        "refused",
        "sessions",
        "turn",
    )

    def __init__(self) -> None:
        self.sessions = 0
        self.joins = 0
        self.refused = dict.fromkeys(REFUSALS, 0)
        self.bytes_in = 0
        self.bytes_out = 0
        self.events_in = 0
        self.events_out = 0
        self.calls = 0
        self.call_seconds = 0.0
        self.turn = 0.0


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
class AdapterStatistics:
    """The state of the adapters that join this server to others, and what they have counted.

    Without such adapters, all is well and nothing is counted.

    Attributes:
        healthy: whether broadcasts of other servers arrive here, and ours leave.
        problem: why they do not, as a sentence; empty if they do.
        failures: how often the adapters' tasks have failed, and were started again.
        gaps: times for which broadcasts of other servers may have been missed.
        published: messages sent to other servers.
        received: messages of other servers that were delivered here or answered.
        dropped: messages to other servers that were dropped.
        invalid: messages that could not be read, and were ignored.
        unanswered: requests to other servers that not all of them answered in time.
        queued_bytes: the size of the messages that wait to be sent, in bytes.
        subscriptions: channels and patterns that are listened to.
        nodes: servers in the cluster that are known, this one included.
    """

    healthy: bool = True
    problem: str = ""
    failures: int = 0
    gaps: int = 0
    published: int = 0
    received: int = 0
    dropped: int = 0
    invalid: int = 0
    unanswered: int = 0
    queued_bytes: int = 0
    subscriptions: int = 0
    nodes: int = 1


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
        refused: clients refused, by kind (see `trio_sio.statistics.REFUSALS`).
        bytes_in: bytes received, with HTTP and WebSocket, without TLS.
        bytes_out: bytes sent, likewise.
        events_in: events received.
        events_out: events sent, counted once for each recipient.
        calls: calls of event handlers that have finished.
        call_seconds: their duration in seconds, including waits, to the accuracy of the event
            loop's steps (see `trio_sio.engine.runtime.stalls`); 0 without `slow_step`.
        adapter: what joins the server to others; of an engine alone, nothing.
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
    adapter: AdapterStatistics = AdapterStatistics()
