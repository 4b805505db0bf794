"""The server's statistics as metrics for Prometheus; needs the extra `metrics`.

    registry = prometheus_client.CollectorRegistry()
    registry.register(trio_sio.metrics.Collector(io))

Serve `prometheus_client.generate_latest(registry)` to the scraper: from the server's `fallback`, or
from anything else in the same process, such as the thread of `prometheus_client.start_http_server`.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

import trio
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import (
    choose_encoder as choose_encoder,
    gzip_accepted as gzip_accepted,
)
from prometheus_client.registry import (
    Collector as _Collector,
    CollectorRegistry as CollectorRegistry,
)

from trio_sio.disconnect import DisconnectReason
from trio_sio.options import LIMIT_OPTIONS
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.server import Server
from trio_sio.statistics import DURATIONS, EngineStatistics, NamespaceStatistics

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily

_REASONS = {str(reason): 0 for reason in DisconnectReason}
_LIMITS = dict.fromkeys(LIMIT_OPTIONS, 0)
"""All series exist from the start: one that appears with its first count has no rate for it."""

_FAILURES = dict.fromkeys(map(str, RecoveryFailure), 0)
REFUSED = "refused"
"""Why a client that came back in time has not got its socket: middleware did not let it in."""

Read = Callable[[EngineStatistics], float]
ReadOne = Callable[[NamespaceStatistics], float]

_GAUGES: dict[str, tuple[str, Read]] = {
    "connections": ("Open TCP connections", lambda now: now.connections),
    "sessions": ("Connected clients", lambda now: now.sessions),
    "queued": ("Packets queued in all outboxes", lambda now: now.queued),
    "queued_bytes": ("Bytes queued in all outboxes", lambda now: now.queued_bytes),
    "largest_queue_bytes": ("Bytes queued in the largest outbox", lambda now: now.largest_queue),
    "behind": ("Clients whose outbox is above high_water", lambda now: now.behind),
    "longest_stall_seconds": ("Longest stall of the event loop", lambda now: now.longest_stall),
    "adapter_healthy": (
        "Whether broadcasts of other servers arrive here, and those of this one leave: 1 or 0",
        lambda now: now.adapter.healthy,
    ),
    "adapter_queued_bytes": (
        "Bytes that wait to be sent to other servers",
        lambda now: now.adapter.queued_bytes,
    ),
    "adapter_subscriptions": (
        "Channels and patterns that are listened to for other servers",
        lambda now: now.adapter.subscriptions,
    ),
    "adapter_nodes": (
        "Servers in the cluster that are known, this one included",
        lambda now: now.adapter.nodes,
    ),
}
_COUNTERS: dict[str, tuple[str, Read]] = {
    "opened": ("Sessions opened", lambda now: now.opened),
    "bytes_in": ("Bytes received, with HTTP and WebSocket, without TLS", lambda now: now.bytes_in),
    "bytes_out": ("Bytes sent, with HTTP and WebSocket, without TLS", lambda now: now.bytes_out),
    "refused_connections": (
        "Connections refused by max_connections or max_connections_per_address",
        lambda now: now.refused_connections,
    ),
    "dropped": ("Packets dropped: volatile, or by on_overflow", lambda now: now.dropped),
    "stalls": (
        "Stalls of the event loop: steps longer than slow_step, and pauses of the process",
        lambda now: now.stalls,
    ),
    "stalled_seconds": ("Duration of all stalls of the event loop", lambda now: now.stalled),
    "adapter_failures": (
        "Failures of the adapters' tasks, which were started again",
        lambda now: now.adapter.failures,
    ),
    "adapter_gaps": (
        "Times for which broadcasts of other servers may have been missed",
        lambda now: now.adapter.gaps,
    ),
    "adapter_published": ("Messages sent to other servers", lambda now: now.adapter.published),
    "adapter_received": (
        "Messages of other servers that were delivered here or answered",
        lambda now: now.adapter.received,
    ),
    "adapter_dropped": (
        "Messages to other servers that were dropped",
        lambda now: now.adapter.dropped,
    ),
    "adapter_invalid": (
        "Messages that could not be read, and were ignored",
        lambda now: now.adapter.invalid,
    ),
    "adapter_unanswered": (
        "Requests to other servers that not all of them answered in time",
        lambda now: now.adapter.unanswered,
    ),
}


_NAMESPACE_GAUGES: dict[str, tuple[str, ReadOne]] = {
    "sockets": ("Sockets that are in a namespace", lambda one: one.sockets),
    "pending_acks": ("Acknowledgements that are waited for", lambda one: one.pending_acks),
}
_NAMESPACE_COUNTERS: dict[str, tuple[str, ReadOne]] = {
    "joined": ("Sockets that have joined a namespace", lambda one: one.joined),
    "events_in": ("Events received", lambda one: one.events_in),
    "events_out": ("Events sent, counted once for each recipient", lambda one: one.events_out),
    "failures": (
        "Errors of the application's functions: handlers, middleware and callbacks",
        lambda one: one.failures,
    ),
}
_RECOVERY_GAUGES: dict[str, tuple[str, ReadOne]] = {
    "recovery_away": (
        "Clients that are away and may come back to their sockets",
        lambda one: one.recovery.away,
    ),
    "recovery_packets": (
        "Events that are kept for clients that come back",
        lambda one: one.recovery.packets,
    ),
    "recovery_packet_bytes": (
        "Bytes of the events that are kept for clients that come back",
        lambda one: one.recovery.packet_bytes,
    ),
}
_RECOVERY_COUNTERS: dict[str, tuple[str, ReadOne]] = {
    "recovery_recovered": (
        "Clients that came back to their sockets",
        lambda one: one.recovery.recovered,
    ),
    "recovery_evicted": (
        "Clients that may not come back because more than max_sessions were away",
        lambda one: one.recovery.evicted,
    ),
}
_CLIENTS_BY_PROTOCOL = "Connected clients, by Engine.IO: 3 for Socket.IO 2.x, 4 for 3.x and 4.x"
_BOUNDS = (*map(str, DURATIONS), "+Inf")


class Collector(_Collector):
    """Exports `io.statistics()` at each scrape.

    Args:
        io: the server.
        prefix: the first part of each metric's name.
    """

    def __init__(self, io: Server, prefix: str = "trio_sio") -> None:
        self._io = io
        self._prefix = prefix
        self._recovers = io.options.connection_state_recovery is not None

    def collect(self) -> Iterator[Family]:
        """Return the metrics (called by Prometheus's registry, perhaps in a thread of its own)."""
        token = self._io.engine.runtime.home.token
        if token is None or trio.lowlevel.in_trio_run():
            yield from self._families()
        else:
            yield from trio.from_thread.run_sync(lambda: list(self._families()), trio_token=token)

    def _families(self) -> Iterator[Family]:
        now = self._io.statistics()
        for name, (text, read) in _GAUGES.items():
            yield GaugeMetricFamily(f"{self._prefix}_{name}", text, read(now))
        for name, (text, read) in _COUNTERS.items():
            yield CounterMetricFamily(f"{self._prefix}_{name}", text, read(now))
        yield from self._of_protocols(now)
        yield from self._of_namespaces(now.namespaces)
        yield self._counted("refused", "Clients refused", "kind", now.refused)
        yield self._counted("ended", "Sessions ended", "reason", {**_REASONS, **now.ended})
        text = "Limits reached: a session was closed, or something was refused or dropped"
        yield self._counted("limits", text, "option", {**_LIMITS, **now.limits})

    def _of_protocols(self, now: EngineStatistics) -> Iterator[Family]:
        name, text = f"{self._prefix}_sessions_by_protocol", _CLIENTS_BY_PROTOCOL
        gauge = GaugeMetricFamily(name, text, labels=["protocol"])
        for protocol, count in now.sessions_by_protocol.items():
            gauge.add_metric([str(protocol)], count)
        yield gauge
        opened = {str(protocol): count for protocol, count in now.opened_by_protocol.items()}
        text = "Sessions opened, by Engine.IO: 3 for Socket.IO 2.x, 4 for 3.x and 4.x"
        yield self._counted("opened_by_protocol", text, "protocol", opened)

    def _of_namespaces(self, namespaces: Mapping[str, NamespaceStatistics]) -> Iterator[Family]:
        gauges, counters = _NAMESPACE_GAUGES, _NAMESPACE_COUNTERS
        if self._recovers:
            gauges, counters = gauges | _RECOVERY_GAUGES, counters | _RECOVERY_COUNTERS
        for name, (text, read) in gauges.items():
            gauge = GaugeMetricFamily(f"{self._prefix}_{name}", text, labels=["namespace"])
            for label, one in namespaces.items():
                gauge.add_metric([label], read(one))
            yield gauge
        for name, (text, read) in counters.items():
            counts = {label: read(one) for label, one in namespaces.items()}
            yield self._counted(name, text, "namespace", counts)
        if self._recovers:
            yield self._not_recovered(namespaces)
        yield self._left(namespaces)
        yield self._calls(namespaces)

    def _not_recovered(self, namespaces: Mapping[str, NamespaceStatistics]) -> Family:
        name = f"{self._prefix}_recovery_failed"
        text = "Clients that asked for their sockets, and have not got them"
        family = CounterMetricFamily(name, text, labels=["namespace", "reason"])
        for label, one in namespaces.items():
            kept = one.recovery
            for reason, count in {**_FAILURES, **kept.failed, REFUSED: kept.refused}.items():
                family.add_metric([label, reason], count)
        return family

    def _left(self, namespaces: Mapping[str, NamespaceStatistics]) -> Family:
        name, text = f"{self._prefix}_left", "Sockets that have begun to leave a namespace"
        family = CounterMetricFamily(name, text, labels=["namespace", "reason"])
        for label, one in namespaces.items():
            for reason, count in one.left.items():
                family.add_metric([label, reason], count)
        return family

    def _calls(self, namespaces: Mapping[str, NamespaceStatistics]) -> Family:
        text = "Duration of the event handlers that have finished, including waits"
        name = f"{self._prefix}_handler_seconds"
        family = HistogramMetricFamily(name, text, labels=["namespace"])
        for label, one in namespaces.items():
            buckets = [*zip(_BOUNDS, accumulate(one.durations), strict=True)]
            family.add_metric([label], buckets, one.call_seconds)
        return family

    def _counted(self, name: str, text: str, label: str, counts: Mapping[str, float]) -> Family:
        family = CounterMetricFamily(f"{self._prefix}_{name}", text, labels=[label])
        for value, count in counts.items():
            family.add_metric([value], count)
        return family
