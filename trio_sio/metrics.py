"""The server's numbers for Prometheus; needs the extra `metrics`.

    registry = prometheus_client.CollectorRegistry()
    registry.register(trio_sio.metrics.Collector(io))

Whoever answers the scraper calls `prometheus_client.generate_latest(registry)`: a `fallback` of the
server itself, or anything else in its process.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector as _Collector

from trio_sio.disconnect import DisconnectReason
from trio_sio.logs.shown import printable
from trio_sio.options import LIMIT_OPTIONS
from trio_sio.server import Server

Family = CounterMetricFamily | GaugeMetricFamily | SummaryMetricFamily

_REASONS = {str(reason): 0 for reason in DisconnectReason}
_LIMITS = dict.fromkeys(LIMIT_OPTIONS, 0)
"""All series are there from the start: what appears with its first count has no rate for it."""

_GAUGES = {
    "connections": "TCP connections that are open",
    "sessions": "Clients that are here",
    "queued": "Items that wait for clients",
    "queued_bytes": "Bytes that wait for clients",
    "largest_queue_bytes": "Bytes that wait for the client that most wait for",
    "behind": "Clients that take less than is sent to them (high_water)",
    "longest_stall_seconds": "Longest time for which the event loop was held or stood still",
}
_COUNTERS = {
    "opened": "Sessions that have begun",
    "joined": "Sockets that were let into namespaces",
    "bytes_in": "Bytes that came over connections, HTTP and WebSocket included, TLS not",
    "bytes_out": "Bytes that left over connections, likewise",
    "events_in": "Events that clients have sent",
    "events_out": "Events that were sent, one for each recipient",
    "refused_connections": "Connections refused by max_connections or max_connections_per_address",
    "dropped": "Items dropped: volatile ones, and those of the overflow policy",
    "stalls": "Times that the event loop was held for more than slow_step, or stood still",
    "stalled_seconds": "Seconds that this took altogether",
}


class Collector(_Collector):
    """Says what `io.statistics()` says, each time that it is asked.

    Args:
        io: the server.
        prefix: of the metrics' names.
    """

    def __init__(self, io: Server, prefix: str = "trio_sio") -> None:
        self._io = io
        self._prefix = prefix

    def collect(self) -> Iterator[Family]:
        """Return the metrics (called by Prometheus's registry)."""
        now = self._io.statistics()
        values = {
            "connections": now.connections,
            "sessions": now.sessions,
            "queued": now.queued,
            "queued_bytes": now.queued_bytes,
            "largest_queue_bytes": now.largest_queue,
            "refused_connections": now.refused_connections,
            "dropped": now.dropped,
            "behind": now.behind,
            "opened": now.opened,
            "joined": now.joined,
            "bytes_in": now.bytes_in,
            "bytes_out": now.bytes_out,
            "events_in": now.events_in,
            "events_out": now.events_out,
            "stalls": now.stalls,
            "stalled_seconds": now.stalled,
            "longest_stall_seconds": now.longest_stall,
        }
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"{self._prefix}_{name}", text, values[name])
        for name, text in _COUNTERS.items():
            yield CounterMetricFamily(f"{self._prefix}_{name}", text, values[name])
        yield self._calls(now.calls, now.call_seconds)
        yield self._sockets()
        yield self._counted("refused", "Clients that were refused", "kind", now.refused)
        yield self._counted(
            "ended", "Sessions that have ended", "reason", {**_REASONS, **now.ended}
        )
        text = "Limits reached: by sessions that ended for it, and by what was refused or dropped"
        yield self._counted("limits", text, "option", {**_LIMITS, **now.limits})

    def _calls(self, count: int, seconds: float) -> Family:
        text = "Handlers of events that have run, and the seconds that they took, with all waiting"
        return SummaryMetricFamily(f"{self._prefix}_handler_seconds", text, count, seconds)

    def _sockets(self) -> Family:
        name = f"{self._prefix}_sockets"
        family = GaugeMetricFamily(
            name,
            "Sockets in each namespace; in all of a dynamic one together",
            labels=["namespace"],
        )
        sockets: Counter[str] = Counter(
            {printable(one.label): 0 for one in self._io.router.namespaces.parents}
        )
        for namespace in tuple(self._io.router.namespaces.values()):
            parent = namespace.parent  # of those whose names clients choose
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
