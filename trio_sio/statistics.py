"""What a server counts while it runs, and the statistics made of it.

The counters are plain attributes, since every event increments some.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from trio_sio.disconnect import DisconnectReason

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


PROTOCOLS = (3, 4)
"""Revisions of Engine.IO: clients of Socket.IO 2.x speak 3, those of 3.x and 4.x speak 4."""

DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds up to which calls of handlers are counted together, as the buckets of a histogram; longer
ones have a bucket of their own."""


class Counters:
    """What a server counts since it was made, but for what its namespaces count.

    Attributes:
        opened: sessions opened, by the revision of Engine.IO; each of `PROTOCOLS` is a key.
        refused: refusals, by kind; every one of `REFUSALS` is a key.
        bytes_in: bytes received, with HTTP and WebSocket, without TLS.
        bytes_out: bytes sent, likewise.
    """

    __slots__ = ("bytes_in", "bytes_out", "opened", "refused")

    def __init__(self) -> None:
        self.opened = dict.fromkeys(PROTOCOLS, 0)
        self.refused = dict.fromkeys(REFUSALS, 0)
        self.bytes_in = 0
        self.bytes_out = 0


class NamespaceCounters:
    """What a namespace counts since it was made.

    All namespaces that a dynamic one makes have the same: clients choose how many there are, and
    what was counted stays when one of them goes.

    Attributes:
        joined: sockets that have joined.
        left: sockets that have begun to leave, by reason.
        events_in: events received.
        events_out: events sent, counted once for each recipient.
        durations: calls of event handlers that have finished, by their duration; see `DURATIONS`.
        call_seconds: the duration of these calls in seconds, including waits.
        failures: errors of the application's functions that were called for a socket.
    """

    __slots__ = (
        "call_seconds",
        "durations",
        "events_in",
        "events_out",
        "failures",
        "joined",
        "left",
    )

    def __init__(self) -> None:
        self.joined = 0
        self.left: dict[DisconnectReason, int] = dict.fromkeys(DisconnectReason, 0)
        self.events_in = 0
        self.events_out = 0
        self.durations = [0] * (len(DURATIONS) + 1)
        self.call_seconds = 0.0
        self.failures = 0

    def statistics(
        self,
        sockets: int,
        pending_acks: int,
        recovery: "RecoveryStatistics | None" = None,
    ) -> "NamespaceStatistics":
        """Return what has been counted, and what there is at this moment."""
        return NamespaceStatistics(
            sockets=sockets,
            pending_acks=pending_acks,
            joined=self.joined,
            left={str(reason): count for reason, count in self.left.items()},
            events_in=self.events_in,
            events_out=self.events_out,
            durations=tuple(self.durations),
            call_seconds=self.call_seconds,
            failures=self.failures,
            recovery=recovery or RecoveryStatistics(),
        )


@dataclass(frozen=True, slots=True)
class RecoveryStatistics:
    """What a namespace keeps for clients that may come back (`connection_state_recovery`).

    Attributes:
        away: sessions of clients that are away.
        packets: events that are kept.
        packet_bytes: their size in bytes.
        recovered: sessions that were recovered.
        failed: sessions that were asked for and not recovered, by why; every
            `trio_sio.RecoveryFailure` is a key, unless the option is off.
        evicted: sessions that were dropped because more than `max_sessions` were away.
        refused: sessions whose clients came back in time, and that middleware did not let in, or
            that failed with it or the adapter.
    """

    away: int = 0
    packets: int = 0
    packet_bytes: int = 0
    recovered: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    evicted: int = 0
    refused: int = 0

    def __add__(self, other: "RecoveryStatistics") -> "RecoveryStatistics":
        causes = {**self.failed, **other.failed}
        return RecoveryStatistics(
            away=self.away + other.away,
            packets=self.packets + other.packets,
            packet_bytes=self.packet_bytes + other.packet_bytes,
            recovered=self.recovered + other.recovered,
            failed={why: self.failed.get(why, 0) + other.failed.get(why, 0) for why in causes},
            evicted=self.evicted + other.evicted,
            refused=self.refused + other.refused,
        )


@dataclass(frozen=True, slots=True)
class NamespaceStatistics:
    """The state of a namespace, and what it has counted since it was made.

    Attributes:
        sockets: sockets that are here.
        pending_acks: acknowledgements that are waited for.
        joined: sockets that have joined.
        left: sockets that have begun to leave, by reason; every `DisconnectReason` is a key.
        events_in: events received.
        events_out: events sent, counted once for each recipient.
        durations: calls of event handlers that have finished, by their duration: as many as took at
            most the first of `trio_sio.statistics.DURATIONS`, then at most the next, and so on; at
            the end, the longer ones.
        call_seconds: the duration of these calls in seconds, including waits.
        failures: errors of the application's functions that were called for a socket: handlers of
            events, of its beginning and of its end, middleware and callbacks. Refusals, and what
            clients do wrong, are not among them.
        recovery: what is kept for clients that may come back.
    """

    sockets: int
    pending_acks: int
    joined: int
    left: Mapping[str, int]
    events_in: int
    events_out: int
    durations: tuple[int, ...]
    call_seconds: float
    failures: int
    recovery: RecoveryStatistics = RecoveryStatistics()

    @property
    def calls(self) -> int:
        """Calls of event handlers that have finished."""
        return sum(self.durations)

    def __add__(self, other: "NamespaceStatistics") -> "NamespaceStatistics":
        return NamespaceStatistics(
            sockets=self.sockets + other.sockets,
            pending_acks=self.pending_acks + other.pending_acks,
            joined=self.joined + other.joined,
            left={reason: count + other.left[reason] for reason, count in self.left.items()},
            events_in=self.events_in + other.events_in,
            events_out=self.events_out + other.events_out,
            durations=tuple(map(sum, zip(self.durations, other.durations, strict=True))),
            call_seconds=self.call_seconds + other.call_seconds,
            failures=self.failures + other.failures,
            recovery=self.recovery + other.recovery,
        )


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


def _no_sessions() -> dict[int, int]:
    return dict.fromkeys(PROTOCOLS, 0)


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
        refused: clients refused, by kind (see `trio_sio.statistics.REFUSALS`).
        bytes_in: bytes received, with HTTP and WebSocket, without TLS.
        bytes_out: bytes sent, likewise.
        sockets: sockets in all namespaces. This, and all that follows, is nothing for an engine
            alone.
        pending_acks: acknowledgements that are waited for.
        joined: sockets that have joined a namespace.
        events_in: events received.
        events_out: events sent, counted once for each recipient.
        calls: calls of event handlers that have finished.
        call_seconds: their duration in seconds, including waits.
        failures: errors of the application's functions, as in `NamespaceStatistics`.
        namespaces: the statistics of each namespace, by name, of which those above are the sums.
            What a dynamic namespace has made is counted together, by its pattern or the name of its
            function.
        adapter: what joins the server to others.
        recovery: what is kept for clients that may come back, another such sum.
        sessions_by_protocol: connected clients, by the revision of Engine.IO that they speak; each
            of `trio_sio.statistics.PROTOCOLS` is a key, as below.
        opened_by_protocol: sessions opened, by the revision that their requests asked for.
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
    refused: Mapping[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0
    sockets: int = 0
    pending_acks: int = 0
    joined: int = 0
    events_in: int = 0
    events_out: int = 0
    calls: int = 0
    call_seconds: float = 0.0
    failures: int = 0
    namespaces: Mapping[str, NamespaceStatistics] = field(default_factory=dict)
    adapter: AdapterStatistics = AdapterStatistics()
    recovery: RecoveryStatistics = RecoveryStatistics()
    sessions_by_protocol: Mapping[int, int] = field(default_factory=_no_sessions)
    opened_by_protocol: Mapping[int, int] = field(default_factory=_no_sessions)

    def with_server(
        self, namespaces: Mapping[str, NamespaceStatistics], adapter: AdapterStatistics
    ) -> "EngineStatistics":
        """Return the same with what a server knows besides."""
        total = added_up(namespaces.values())
        return replace(
            self,
            sockets=total.sockets,
            pending_acks=total.pending_acks,
            joined=total.joined,
            events_in=total.events_in,
            events_out=total.events_out,
            calls=total.calls,
            call_seconds=total.call_seconds,
            failures=total.failures,
            namespaces=namespaces,
            adapter=adapter,
            recovery=total.recovery,
        )


def added_up(parts: Iterable[NamespaceStatistics]) -> NamespaceStatistics:
    """Return the sum of the statistics of namespaces; of none, it is nothing."""
    return sum(parts, start=NamespaceCounters().statistics(0, 0))
