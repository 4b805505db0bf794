"""The numbers as Prometheus reads them."""

import prometheus_client
import trio
from prometheus_client.parser import text_string_to_metric_families
from trio.testing import wait_all_tasks_blocked

import trio_sio
from tests.api.raw import raw
from tests.end_to_end.peers import served
from tests.held_loop import Counter, counter as counter
from trio_sio.metrics import Collector


def scraped(registry: prometheus_client.CollectorRegistry) -> dict[str, dict[str, float]]:
    """What a scraper reads: for each metric, values by label."""
    text = prometheus_client.generate_latest(registry).decode()
    return {
        sample.name: {
            next(iter(other.labels.values()), ""): other.value
            for other in family.samples
            if other.name == sample.name
        }
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


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
        assert numbers == {
            "trio_sio_connections": {"": now.connections},
            "trio_sio_sessions": {"": 2},
            "trio_sio_queued": {"": 2},
            "trio_sio_queued_bytes": {"": now.queued_bytes},
            "trio_sio_largest_queue_bytes": {"": now.queued_bytes},
            "trio_sio_refused_connections_total": {"": 0},
            "trio_sio_behind": {"": 1},
            "trio_sio_longest_stall_seconds": {"": 0},
            "trio_sio_dropped_total": {"": 3},
            "trio_sio_stalls_total": {"": 0},
            "trio_sio_stalled_seconds_total": {"": 0},
            "trio_sio_limits_total": {"max_outbox": 3},
            "trio_sio_sockets": {"/": 2, "/chat": 1},
        }
        await polling.post(b"1:9")
        await wait_all_tasks_blocked(0.01)  # it ends behind the answer
        assert scraped(registry)["trio_sio_sessions"] == {"": 1}
        assert scraped(registry)["trio_sio_ended_total"] == {"parse error": 1}


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
