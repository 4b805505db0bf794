"""The server's statistics as metrics for Prometheus; needs the extra `metrics`.

    registry = prometheus_client.CollectorRegistry()
    registry.register(trio_sio.metrics.Collector(io))

Serve `prometheus_client.generate_latest(registry)` to the scraper: from the server's `fallback`, or
from anything else in the same process, such as the thread of `prometheus_client.start_http_server`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import trio
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.exposition import (
    choose_encoder as choose_encoder,
    gzip_accepted as gzip_accepted,
)
from prometheus_client.registry import (
    Collector as _Collector,
    CollectorRegistry as CollectorRegistry,
)

from trio_sio.disconnect import DisconnectReason
from trio_sio.logs.shown import printable
from trio_sio.options import LIMIT_OPTIONS
from trio_sio.server import Server
from trio_sio.statistics import EngineStatistics

Family = CounterMetricFamily | GaugeMetricFamily | SummaryMetricFamily

_REASONS = {str(reason): 0 for reason in DisconnectReason}
_LIMITS = dict.fromkeys(LIMIT_OPTIONS, 0)
"""All series exist from the start: one that appears with its first count has no rate for it."""

Read = Callable[[EngineStatistics], float]

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
    "joined": ("Sockets that have joined a namespace", lambda now: now.joined),
    "bytes_in": ("Bytes received, with HTTP and WebSocket, without TLS", lambda now: now.bytes_in),
    "bytes_out": ("Bytes sent, with HTTP and WebSocket, without TLS", lambda now: now.bytes_out),
    "events_in": ("Events received", lambda now: now.events_in),
    "events_out": ("Events sent, counted once for each recipient", lambda now: now.events_out),
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


class Collector(_Collector):
    """Exports `io.statistics()` at each scrape.

    Args:
        io: the server.
        prefix: the first part of each metric's name.
    """

    def __init__(self, io: Server, prefix: str = "trio_sio") -> None:
        self._io = io
        self._prefix = prefix

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
        yield self._calls(now.calls, now.call_seconds)
        yield self._sockets()
        yield self._counted("refused", "Clients refused", "kind", now.refused)
        yield self._counted("ended", "Sessions ended", "reason", {**_REASONS, **now.ended})
        text = "Limits reached: a session was closed, or something was refused or dropped"
        yield self._counted("limits", text, "option", {**_LIMITS, **now.limits})

    def _calls(self, count: int, seconds: float) -> Family:
        text = "Event handlers that have finished, and their duration including waits"
        return SummaryMetricFamily(f"{self._prefix}_handler_seconds", text, count, seconds)

    def _sockets(self) -> Family:
        name = f"{self._prefix}_sockets"
        family = GaugeMetricFamily(
            name,
            "Sockets in each namespace; those of a dynamic namespace's children together",
            labels=["namespace"],
        )
        sockets: Counter[str] = Counter(
            {printable(one.label): 0 for one in self._io.router.namespaces.parents}
        )
        for namespace in tuple(self._io.router.namespaces.values()):
            parent = namespace.parent  # of a dynamic namespace, whose names clients choose
            label = namespace.name if parent is None else parent.label
            sockets[printable(label)] += len(namespace.connected)
        for label, count in sockets.items():
            family.add_metric([label], count)
        return family

    def _counted(self, name: str, text: str, label: str, counts: Mapping[str, int]) -> Family:
        family = CounterMetricFamily(f"{self._prefix}_{name}", text, labels=[label])
        for value, count in counts.items():
            family.add_metric([value], count)
        return family
