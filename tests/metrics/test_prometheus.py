"""A real Prometheus answers each question of the dashboard, and each alert comes about."""

import re
import time
from collections.abc import Iterable
from typing import Any

import prometheus_client
import pytest
import trio

import trio_sio
from tests.support import modern
from tests.support.dashboard import ALERTS, expressions, metrics_in, variables
from tests.support.peers import served
from tests.support.prometheus import Scraper, prometheus
from tests.support.proxies import free_port
from tests.support.raw import POLLING, Raw, raw
from tests.support.raw_websocket import RawWebSocket
from tests.support.redis_server import RedisServer, redis_server as redis_server
from trio_sio.adapters.redis import RedisAdapter
from trio_sio.metrics import Collector, page
from trio_sio.testing.wire_websocket import WireWebSocket

TOKEN = "secret"
WINDOW = "4s"
"""In place of the minutes over which dashboard and alerts look."""

PATIENCE = 15.0
"""Seconds in which each part of what is awaited has to be there; it takes about four."""

MOST_SESSIONS = 16
MOST_CONNECTIONS = 20

VARIABLES = {
    "$__rate_interval": WINDOW,
    "$job": "trio_sio",
    "$instance": ".*",
    "$namespace": ".*",
}
STAYS_ZERO = {
    "trio_sio_adapter_failures_total": "the adapter's task would have to fail",
    "trio_sio_adapter_unanswered_total": "a server of the cluster would have to hang",
}
"""Of which there is nothing to see as long as all is well, but a zero."""


def filled_in(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def hurried(rules: str) -> str:
    """The rules, looking over seconds in place of minutes."""
    return re.sub(r"\[\d+m\]", f"[{WINDOW}]", rules)


def make_server(url: str, **options: Any) -> trio_sio.Server:  # noqa: ANN401
    """A server to which everything happens that a dashboard shows."""
    adapter = RedisAdapter(url, max_outgoing_bytes=2000)
    io = trio_sio.Server(adapter=adapter, raise_errors=False, slow_step=0.02, **options)
    chat = io.of("/chat")
    io.on("fail", lambda socket: 1 / 0)

    @chat.on("wait", concurrent=True)
    async def wait(socket: trio_sio.Socket) -> None:
        await trio.sleep(1.5)

    @chat.on("ask")
    async def ask(socket: trio_sio.Socket) -> None:
        await socket.emit("question", ack=lambda answer: None)

    return io


async def chatting(wire: Raw) -> RawWebSocket:
    """A client in both namespaces, who may hear news in between."""
    websocket = await wire.websocket()
    await websocket.send("40/chat,")
    while await websocket.receive() != "40/chat,":
        pass
    return websocket


async def fall_behind(wire: Raw) -> None:
    """Clients that take nothing of what they are sent."""
    for _ in range(12):
        target, _ = await wire.handshake()
        await wire.get(target)  # and they do not poll again


async def listen(talker: RawWebSocket) -> None:
    while True:
        await talker.receive()


async def talk(io: trio_sio.Server, talker: RawWebSocket) -> None:
    """What a client sends, and what all are sent."""
    await talker.send('42/chat,["ask"]')
    while True:
        for packet in ('42["fail"]', '42/chat,["wait"]'):
            await talker.send(packet)
        for _ in range(8):
            await io.emit("news", "x" * 100)
        await trio.sleep(0.3)


async def hold() -> None:
    """What the application should not do."""
    while True:
        time.sleep(0.1)  # noqa: ASYNC251
        await trio.sleep(0.3)


async def come_and_go(io: trio_sio.Server, wire: Raw) -> None:
    """Who comes, who leaves, who is refused, and for whom there is no room."""
    while True:
        await wire.get("/elsewhere")
        guest = await chatting(wire)
        await guest.send("41/chat,")
        await guest.send("1")
        await guest.stream.aclose()
        await fill_up(io, wire)
        await trio.sleep(0.1)


async def be_heard(other: trio_sio.Server) -> None:
    """What comes from another server."""
    while True:
        await other.emit("news", "from elsewhere")
        await trio.sleep(0.1)


async def be_misunderstood(
    server: RedisServer,
    task_status: trio.TaskStatus[trio.CancelScope] = trio.TASK_STATUS_IGNORED,
) -> None:
    """What comes from Redis, and nobody can read."""
    with trio.CancelScope() as scope:
        task_status.started(scope)
        while True:
            server.command("PUBLISH", "socket.io#/#", b"\xc1")
            await trio.sleep(0.3)


async def come_back(io: trio_sio.Server) -> None:
    """Who loses the connection; of two, one gets its socket back, and there is room for one."""
    claims = ["40", "40"]
    while True:
        async with modern.client(io) as one, modern.client(io) as other:
            for client, claim in zip((one, other), claims, strict=True):
                await client.send(claim)
            claims = [await told(client) for client in (one, other)]
            await io.emit("news", "x" * 100)
        await trio.sleep(0.1)


async def told(client: WireWebSocket) -> str:
    """The answer to a client's CONNECT, behind what it missed: with it, it can come back."""
    while not (packet := str(await client.receive())).startswith("40"):
        pass
    return packet


async def fill_up(io: trio_sio.Server, wire: Raw) -> None:
    """Ask for more sessions, and then for more connections, than there may be."""
    targets = []
    for _ in range(MOST_SESSIONS - len(io.engine.sessions) + 2):
        answer = await wire.get(POLLING)
        if answer.status == 200:
            sid = answer.body.partition(b'"sid":"')[2].partition(b'"')[0].decode()
            targets.append(f"{POLLING}&sid={sid}")
    for target in targets:
        await wire.post(target, b"1:1")
    for stream in [await wire.connect() for _ in range(MOST_CONNECTIONS)]:
        await stream.aclose()
    while io.statistics().connections > MOST_CONNECTIONS / 2:  # noqa: ASYNC110 - they end soon
        await trio.sleep(0.01)


class Watch:
    """Looks until everything has been seen that is wanted.

    Args:
        scraper: Prometheus.

    Attributes:
        alerts: those that have been about to fire, so far.
    """

    def __init__(self, scraper: Scraper) -> None:
        self._scraper = scraper
        self.alerts: set[str] = set()

    async def see(self, expressions: Iterable[str], alerts: set[str]) -> None:
        """Return when each expression has had data that is not zero, and each alert was there."""
        missing = set(expressions)
        with trio.move_on_after(PATIENCE):
            while missing or not alerts <= self.alerts:
                self.alerts |= await self._scraper.alerts()
                for expression in list(missing):
                    may_be_zero = metrics_in(expression) & STAYS_ZERO.keys()
                    if any(one.value or may_be_zero for one in await self._scraper.ask(expression)):
                        missing.discard(expression)
                await trio.sleep(0.1)
        assert (missing, alerts - self.alerts) == (set(), set())


def wanted() -> set[str]:
    """What the dashboard's panels and its variables ask Prometheus, for this server."""
    found = {*expressions()}
    for variable in list(variables().values())[1:]:
        asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
        assert asked is not None
        found.add(f"group by ({asked[2]}) ({asked[1]})")
    return {filled_in(expression) for expression in found}


@pytest.mark.slow
@pytest.mark.prometheus
@pytest.mark.redis
async def test_every_panel_and_every_alert_has_something_to_show(redis_server: RedisServer) -> None:
    registry = prometheus_client.CollectorRegistry()
    answer = page(registry, token=TOKEN)
    limits = {"max_sessions": MOST_SESSIONS, "max_connections": MOST_CONNECTIONS, "max_outbox": 4}
    io = make_server(redis_server.url, fallback=answer, on_overflow="drop_newest", **limits)
    registry.register(Collector(io))
    recoveries = prometheus_client.CollectorRegistry()
    kept = trio_sio.Server(  # no adapter for several servers keeps what clients miss
        connection_state_recovery=trio_sio.Recovery(max_sessions=1),
        fallback=page(recoveries, token=TOKEN),
    )
    recoveries.register(Collector(kept))
    other = make_server(redis_server.url)
    away = {one for one in wanted() if re.search("adapter_(queued|dropped)", one)}
    back = {one for one in wanted() if "adapter_gaps" in one}
    alerts = set(re.findall(r"alert: (\w+)", ALERTS))
    async with (
        served(io) as url,
        served(other),
        served(kept) as url_of_kept,
        raw(url) as wire,
        raw(url_of_kept) as wire_of_kept,
        trio.open_nursery() as nursery,
    ):
        ports = [wire.port, wire_of_kept.port, free_port()]  # nobody answers at the last one
        async with prometheus(ports, token=TOKEN, rules=hurried(ALERTS)) as scraper:
            watch = Watch(scraper)
            await fall_behind(wire)
            talker = await chatting(wire)
            nursery.start_soon(listen, talker)
            nursery.start_soon(talk, io, talker)
            nursery.start_soon(come_and_go, io, wire)
            nursery.start_soon(hold)
            nursery.start_soon(be_heard, other)
            nursery.start_soon(come_back, kept)
            scope = await nursery.start(be_misunderstood, redis_server)
            of_cluster = {"ClusterUnreachable", "BroadcastsMissed"}
            await watch.see(wanted() - away - back, alerts - of_cluster)
            scope.cancel()
            redis_server.kill()
            await watch.see(away, {"ClusterUnreachable"})
            redis_server.restart()
            await watch.see(back, alerts)
            assert watch.alerts == alerts
        nursery.cancel_scope.cancel()
