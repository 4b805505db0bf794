"""The numbers as Prometheus reads them."""

import json
import re
import time
import urllib.request

import prometheus_client
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support import modern
from tests.support.held_loop import Counter, counter as counter
from tests.support.peers import served
from tests.support.raw import raw
from trio_sio import MemoryAdapter, Recovery, RecoveryFailure
from trio_sio.abc import AdapterHost, AdapterNamespace
from trio_sio.disconnect import DisconnectReason
from trio_sio.logs.shown import printable
from trio_sio.metrics import Collector
from trio_sio.options import LIMIT_OPTIONS
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.statistics import DURATIONS, REFUSALS, AdapterStatistics
from trio_sio.testing import connect

FROM_THE_START = {
    *("trio_sio_ended_total", "trio_sio_limits_total", "trio_sio_refused_total"),
    *("trio_sio_left_total", "trio_sio_handler_seconds_bucket"),
}
ALONE = {
    "healthy": 1,
    "nodes": 1,
    "queued_bytes": 0,
    "subscriptions": 0,
    "failures_total": 0,
    "gaps_total": 0,
    "published_total": 0,
    "received_total": 0,
    "dropped_total": 0,
    "invalid_total": 0,
    "unanswered_total": 0,
}
"""What the series of the adapter are without other servers."""
OF_NAMESPACES = (
    *("sockets", "pending_acks", "joined_total", "events_in_total", "events_out_total"),
    *("failures_total", "handler_seconds_count", "handler_seconds_sum"),
)
"""What has the label `namespace`, and no other."""


OF_RECOVERY = {
    f"trio_sio_recovery_{name}"
    for name in (
        *("away", "packets", "packet_bytes"),
        *("recovered_total", "evicted_total", "failed_total"),
    )
}
"""What there is besides if clients may come back."""


def scraped(registry: prometheus_client.CollectorRegistry) -> dict[str, dict[str, float]]:
    """What a scraper reads: for each metric, values by what its labels say, between commas."""
    text = prometheus_client.generate_latest(registry).decode()
    numbers: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values = numbers.setdefault(sample.name, {})
            names = sorted(sample.labels, key=lambda name: name != "namespace")
            label = ",".join(sample.labels[name] for name in names)
            assert label not in values, f"{sample.name} has {label} twice"
            values[label] = sample.value
    return numbers


async def test_a_scraper_reads_what_the_statistics_say(counter: Counter) -> None:
    io = trio_sio.Server(ws_engine="websockets", on_overflow="drop_newest", max_outbox=2)
    io.of("/chat")
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(io))
    async with served(io) as url, raw(url) as wire:
        await wire.joined("/chat")
        polling = await wire.polling()
        for _ in range(5):
            await io.emit("news")
        await wait_all_tasks_blocked()
        numbers = scraped(registry)
        now = io.statistics()
        assert now.queued_bytes > 0
        told = {name: values for name, values in numbers.items() if name not in FROM_THE_START}
        assert told == {
            "trio_sio_connections": {"": now.connections},
            "trio_sio_sessions": {"": 2},
            "trio_sio_sessions_by_protocol": {"3": 2, "4": 0},
            "trio_sio_opened_by_protocol_total": {"3": 2, "4": 0},
            "trio_sio_queued": {"": 2},
            "trio_sio_queued_bytes": {"": now.queued_bytes},
            "trio_sio_largest_queue_bytes": {"": now.queued_bytes},
            "trio_sio_refused_connections_total": {"": 0},
            "trio_sio_behind": {"": 1},
            "trio_sio_longest_stall_seconds": {"": 0},
            "trio_sio_dropped_total": {"": 3},
            "trio_sio_stalls_total": {"": 0},
            "trio_sio_stalled_seconds_total": {"": 0},
            "trio_sio_sockets": {"/": 2, "/chat": 1},
            "trio_sio_opened_total": {"": 2},
            "trio_sio_pending_acks": {"/": 0, "/chat": 0},
            "trio_sio_joined_total": {"/": 2, "/chat": 1},
            "trio_sio_bytes_in_total": {"": now.bytes_in},
            "trio_sio_bytes_out_total": {"": now.bytes_out},
            "trio_sio_events_in_total": {"/": 0, "/chat": 0},
            "trio_sio_events_out_total": {"/": 10, "/chat": 0},
            "trio_sio_failures_total": {"/": 0, "/chat": 0},
            "trio_sio_handler_seconds_count": {"/": 0, "/chat": 0},
            "trio_sio_handler_seconds_sum": {"/": 0, "/chat": 0},
            **{f"trio_sio_adapter_{name}": {"": value} for name, value in ALONE.items()},
        }
        assert now.bytes_in > 100
        assert now.bytes_out > 300
        limits = numbers["trio_sio_limits_total"]
        assert {name: count for name, count in limits.items() if count} == {"max_outbox": 3}
        await polling.post(b"1:9")
        await wait_all_tasks_blocked(0.01)  # it ends behind the answer
        assert scraped(registry)["trio_sio_sessions"] == {"": 1}
        ended = scraped(registry)["trio_sio_ended_total"]
        assert {name: count for name, count in ended.items() if count} == {"parse error": 1}
        left = scraped(registry)["trio_sio_left_total"]
        assert {name: count for name, count in left.items() if count} == {"/,parse error": 1}


def test_each_series_is_there_from_the_start() -> None:
    registry = prometheus_client.CollectorRegistry()
    io = trio_sio.Server()
    io.of(re.compile("/room-.*"))
    registry.register(Collector(io))
    numbers = scraped(registry)
    assert set(numbers["trio_sio_ended_total"]) == set(map(str, DisconnectReason))
    assert set(numbers["trio_sio_refused_total"]) == set(REFUSALS)
    assert set(numbers["trio_sio_limits_total"]) == set(LIMIT_OPTIONS)
    for name in OF_NAMESPACES:
        assert set(numbers[f"trio_sio_{name}"]) == {"/", "/room-.*"}
    left = {f"{name},{reason}" for name in ("/", "/room-.*") for reason in DisconnectReason}
    assert set(numbers["trio_sio_left_total"]) == left
    bounds = (*map(str, DURATIONS), "+Inf")
    buckets = {f"{name},{bound}" for name in ("/", "/room-.*") for bound in bounds}
    assert set(numbers["trio_sio_handler_seconds_bucket"]) == buckets
    of_adapter = {name: numbers.pop(f"trio_sio_adapter_{name}")[""] for name in ALONE}
    assert of_adapter == ALONE
    assert {value for values in numbers.values() for value in values.values()} == {0}


class Ailing:
    """A factory of adapters whose tasks fail once, and that reaches nobody then."""

    def __init__(self) -> None:
        self._is_new = True

    def __call__(self, namespace: AdapterNamespace) -> MemoryAdapter:
        return MemoryAdapter(namespace)

    async def run(
        self,
        host: AdapterHost,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        if self._is_new:
            self._is_new = False
            raise ValueError("the first time")
        task_status.started()
        await trio.sleep_forever()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()

    def statistics(self) -> AdapterStatistics:
        return AdapterStatistics(
            healthy=False,
            problem="Redis is away",
            gaps=3,
            published=4,
            received=5,
            dropped=6,
            invalid=7,
            unanswered=11,
            queued_bytes=8,
            subscriptions=9,
            nodes=10,
        )


async def test_what_the_adapter_counts(autojump_clock: MockClock) -> None:
    registry = prometheus_client.CollectorRegistry()
    io = trio_sio.Server(adapter=Ailing(), raise_errors=False)
    registry.register(Collector(io))
    async with io:
        numbers = scraped(registry)
    assert {name: numbers[f"trio_sio_adapter_{name}"][""] for name in ALONE} == {
        "healthy": 0,
        "failures_total": 1,
        "gaps_total": 3,
        "published_total": 4,
        "received_total": 5,
        "dropped_total": 6,
        "invalid_total": 7,
        "unanswered_total": 11,
        "queued_bytes": 8,
        "subscriptions": 9,
        "nodes": 10,
    }


async def test_clients_that_come_back(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(connection_state_recovery=Recovery(max_sessions=1))
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(io))
    numbers = scraped(registry)
    assert {name for name in numbers if "recovery" in name} == OF_RECOVERY
    assert {value for name in OF_RECOVERY for value in numbers[name].values()} == {0}
    is_banned = False

    @io.use
    async def ask(socket: trio_sio.Socket) -> None:
        if is_banned:
            raise trio_sio.ConnectionRefused("banned")

    async with modern.client(io) as one, modern.client(io) as other:
        claims = [f"40{json.dumps(await modern.join(client))}" for client in (one, other)]
        await io.emit("news")
        for socket in [*io.sockets.sockets.values()]:
            socket.session.abort(DisconnectReason.TRANSPORT_CLOSE)
            await wait_all_tasks_blocked()
        assert recovery_of(scraped(registry)) == {
            "away": 1,
            "packets": 1,
            "packet_bytes": io.statistics().recovery.packet_bytes,
            "recovered_total": 0,
            "evicted_total": 1,
        }
    for claim in (claims[1], claims[1], claims[1], claims[0]):
        async with modern.client(io) as client:
            await client.send(claim)
            await wait_all_tasks_blocked()
            is_banned = True
    found = recovery_of(scraped(registry))
    assert (found["away"], found["recovered_total"]) == (0, 1)
    failed = scraped(registry)["trio_sio_recovery_failed_total"]
    assert set(failed) == {f"/,{why}" for why in (*RecoveryFailure, "refused")}
    assert {name: count for name, count in failed.items() if count} == {
        "/,too many sessions away": 1,
        "/,unknown session": 1,
        "/,refused": 1,
    }
    now = io.statistics()
    assert now.recovery == now.namespaces["/"].recovery
    assert (now.recovery.refused, now.refused["middleware"]) == (1, 3)


def recovery_of(numbers: dict[str, dict[str, float]]) -> dict[str, float]:
    """The numbers of recovery in the only namespace, but for why clients are not recovered."""
    start = "trio_sio_recovery_"
    names = OF_RECOVERY - {f"{start}failed_total"}
    return {name.removeprefix(start): numbers[name]["/"] for name in names}


async def test_what_clients_say_is_in_no_label(autojump_clock: MockClock) -> None:
    """Whatever names they give to dynamic namespaces, the page can be read and does not grow."""

    async def anything(name: str, query: object) -> bool:
        return True

    io = trio_sio.Server()
    io.of(re.compile("/room-[0-9]+"))
    io.of(anything)
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(io))
    label = f"{__name__}.{anything.__qualname__}"
    async with connect(io) as client:
        for number in range(20):
            await client.send_packet(Packet(PacketType.CONNECT, f"/room-{number}"))
            await client.send_packet(Packet(PacketType.CONNECT, f"/x-{number}"))
        await client.send_packet(Packet(PacketType.CONNECT, "/\ud800"))
        await wait_all_tasks_blocked()
        numbers = scraped(registry)
        for name in ("sockets", "joined_total"):
            counted = {"/": 1, "/room-[0-9]+": 20, printable(label): 20}
            assert numbers[f"trio_sio_{name}"] == counted
        for name in OF_NAMESPACES:
            assert set(numbers[f"trio_sio_{name}"]) == {"/", "/room-[0-9]+", printable(label)}
        assert "/\ud800" not in io.router.namespaces
        assert io.statistics().refused["namespace"] == 1
    with pytest.raises(ValueError, match="lone surrogate"):
        io.of("/\ud800")


async def test_events_calls_and_refusals(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(raise_errors=False)

    @io.on("work")
    async def work(socket: trio_sio.Socket, seconds: float) -> None:
        await trio.sleep(seconds)

    io.on("fail", lambda socket: 1 / 0)
    io.of("/closed").use(lambda socket: refuse())
    async with connect(io, raise_errors=False) as client:
        begun = time.perf_counter()
        await client.call("work", 0.0)
        await client.emit("fail")
        await client.emit("nobody listens")
        await client.send_packet(Packet(PacketType.CONNECT, "/closed"))
        await client.send_packet(Packet(PacketType.CONNECT, "/nowhere"))
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        await socket.emit("one")
        await io.emit("two")
        await io.to("nobody").emit("three")
        now = io.statistics()
    assert (now.events_in, now.events_out, now.calls) == (3, 2, 2)
    assert 0 < now.call_seconds < time.perf_counter() - begun
    assert now.failures == 1
    assert (now.opened, now.joined) == (1, 1)
    refused = {kind: count for kind, count in now.refused.items() if count}
    assert refused == {"middleware": 1, "namespace": 1}


def refuse() -> None:
    raise trio_sio.ConnectionRefused("no")


@pytest.mark.parametrize(
    ("method", "target", "kind"),
    [
        ("GET", "/socket.io/?EIO=3", "transport_unknown"),
        ("GET", "/socket.io/?transport=polling&sid=a", "session_id_unknown"),
        ("POST", "/socket.io/?transport=polling", "bad_handshake_method"),
        ("GET", "/socket.io/?a=b" + "&a=b" * 1000, "bad_request"),
        ("GET", "/socket.io/?transport=polling", "forbidden"),
        ("GET", "/socket.io/?transport=polling&EIO=5", "unsupported_protocol"),
        ("GET", "/elsewhere", "not_found"),
        ("G T", "/", "no_http"),
    ],
)
async def test_each_kind_of_refusal(method: str, target: str, kind: str) -> None:
    io = trio_sio.Server(origins="http://ours")
    async with served(io) as url, raw(url) as wire:
        fields = {} if kind == "forbidden" else {"Origin": "http://ours"}
        await wire.request(method, target, fields)
        refused = io.statistics().refused
    assert {name: count for name, count in refused.items() if count} == {kind: 1}


async def test_what_the_event_loop_was_held(counter: Counter) -> None:
    io = trio_sio.Server()
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(io))
    async with io:
        for seconds in (2, 3):
            await trio.lowlevel.checkpoint()
            counter.hold(seconds)
            await trio.lowlevel.checkpoint()
    numbers = scraped(registry)
    assert numbers["trio_sio_stalls_total"] == {"": 2}
    assert numbers["trio_sio_stalled_seconds_total"] == {"": 5}
    assert numbers["trio_sio_longest_stall_seconds"] == {"": 3}


def test_names_begin_as_one_likes() -> None:
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(trio_sio.Server(), prefix="chat"))
    assert {name.partition("_")[0] for name in scraped(registry)} == {"chat"}


async def test_a_histogram_of_each_namespace(counter: Counter, autojump_clock: MockClock) -> None:
    io = trio_sio.Server(raise_errors=False)
    for namespace in (io.of("/chat"), io.of(re.compile("/room-.*"))):
        namespace.on("work", lambda socket, seconds: counter.hold(seconds))
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(io))
    async with connect(io, "/chat") as chat, connect(io, "/room-1") as room:
        for seconds in (0.0625, 0.0625, 3.0, 100.0):
            await chat.call("work", seconds)
        await room.call("work", 0.0)
    numbers = scraped(registry)
    assert numbers["trio_sio_handler_seconds_count"] == {"/": 0, "/chat": 4, "/room-.*": 1}
    assert numbers["trio_sio_handler_seconds_sum"] == {"/": 0, "/chat": 103.125, "/room-.*": 0}
    at_most = {"0.05": 0, "0.1": 2, "2.5": 2, "5.0": 3, "10.0": 3, "+Inf": 4}
    for bound, count in at_most.items():
        assert numbers["trio_sio_handler_seconds_bucket"][f"/chat,{bound}"] == count
    assert numbers["trio_sio_handler_seconds_bucket"]["/room-.*,0.001"] == 1


async def test_no_counter_falls_when_a_dynamic_namespace_loses_its_children(
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server()
    io.of(re.compile("/room-.*")).on("hello", lambda socket: "hello")
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(io))
    before = scraped(registry)
    for number in range(3):
        async with connect(io, f"/room-{number}") as client:
            await client.call("hello")
        await wait_all_tasks_blocked()
        assert not [name for name in io.router.namespaces if name != "/"]
        numbers = scraped(registry)
        for name, values in numbers.items():
            if name.endswith(("_total", "_count", "_sum", "_bucket")):
                assert all(value >= before[name][label] for label, value in values.items()), name
        assert numbers["trio_sio_events_in_total"]["/room-.*"] == number + 1
        assert numbers["trio_sio_handler_seconds_count"]["/room-.*"] == number + 1
        before = numbers


async def test_a_scraper_may_have_a_thread_of_its_own() -> None:
    io = trio_sio.Server()
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(io))
    http, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)

    def scrape() -> str:
        port = http.server_address[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            return str(response.read(), "utf-8")

    try:
        async with io, connect(io):
            await wait_all_tasks_blocked()
            assert "trio_sio_sessions 1.0" in await trio.to_thread.run_sync(scrape)
        assert "trio_sio_sessions 0.0" in await trio.to_thread.run_sync(scrape)
    finally:
        await trio.to_thread.run_sync(http.shutdown)
        http.server_close()
        thread.join()
