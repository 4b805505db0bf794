"""`RedisAdapter` with servers and a real Redis, and what becomes of them when that has trouble.

Whatever happens to Redis ends in one of two ways: recovered, and the gap is told; or unhealthy, and
that is told.
"""

import math
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
import trio

from tests.support.adapter_host import Host
from tests.support.redis_server import RedisServer, TLSFiles, redis_server, tls_files
from trio_sio import Server, Socket
from trio_sio.abc import AdapterService
from trio_sio.adapters.cluster.adapter import ClusterAdapter
from trio_sio.adapters.redis import Gap, RedisAdapter
from trio_sio.testing import MemoryClient, connect

__all__ = ["redis_server", "tls_files"]

pytestmark = pytest.mark.redis

PATIENCE = 20.0
QUICK = {"probe_interval": 0.2, "probe_timeout": 0.5, "command_timeout": 0.5}
"""Options with which trouble is found soon."""


class Node:
    """A server with one client, and what its adapter tells."""

    def __init__(self, url: str, **options: Any) -> None:  # noqa: ANN401
        self.adapter = RedisAdapter(url, **options)
        self.io = Server(adapter=self.adapter, raise_errors=True)
        self.put_gap, self.gaps = trio.open_memory_channel[Gap](100)
        self.put_health, self.healths = trio.open_memory_channel[bool](100)
        self.adapter.on_gap(self.put_gap.send)
        self.adapter.on_health(self.put_health.send_nowait)
        self.client: MemoryClient

        @self.io.on("connection")
        def connection(socket: Socket) -> None:
            socket.on("join")(socket.join)

    async def gap(self) -> Gap:
        """Wait for the next gap."""
        with trio.fail_after(PATIENCE):
            return await self.gaps.receive()

    async def health(self, expected: bool) -> None:
        """Wait until it is told that the health is this."""
        with trio.fail_after(PATIENCE):
            while await self.healths.receive() is not expected:
                pass


@asynccontextmanager
async def node(url: str, *, is_healthy: bool = True, **options: Any) -> AsyncIterator[Node]:  # noqa: ANN401
    """A running server and its client."""
    made = Node(url, **options)
    async with made.io, connect(made.io) as made.client:
        if is_healthy:
            await made.health(True)
        yield made


async def talk(one: Node, other: Node) -> None:
    """What one server emits arrives at the client of the other, and the other way round."""
    for sender, receiver in ((one, other), (other, one)):
        await sender.io.emit("all", "hello")
        await sender.io.to("room").emit("room", "hello")
        for client in (receiver.client, sender.client):
            with trio.fail_after(PATIENCE):
                assert await client.receive() == ["all", "hello"]
                assert await client.receive() == ["room", "hello"]


@asynccontextmanager
async def two_nodes(url: str, **options: Any) -> AsyncIterator[tuple[Node, Node]]:  # noqa: ANN401
    async with node(url, name="one", **options) as one, node(url, name="two", **options) as two:
        for each in (one, two):
            await each.client.call("join", "room")
        await talk(one, two)
        yield one, two


async def test_two_servers_are_one_cluster(redis_server: RedisServer) -> None:
    assert isinstance(RedisAdapter(), AdapterService)
    async with two_nodes(redis_server.url) as (one, two):
        assert await one.io.clients() == {one.client.id, two.client.id}
        assert [other.name for other in one.adapter.nodes] == ["two"]
        figures = one.io.statistics().adapter
        assert figures.healthy
        assert figures.nodes == 2
        assert figures.published >= 3  # two events and a probe at least
        assert figures.received >= 2
        assert figures.subscriptions == 7 + 2 + 1  # the namespace, two rooms and the probes
        assert (figures.dropped, figures.gaps, figures.invalid) == (0, 0, 0)


async def test_one_that_leaves_says_goodbye(redis_server: RedisServer) -> None:
    async with node(redis_server.url, name="one") as one:
        async with node(redis_server.url, name="two"):
            assert [other.name for other in one.adapter.nodes] == ["two"]
        await one.io.clients()  # behind the goodbye
        assert one.adapter.nodes == ()


async def test_what_is_queued_at_the_end_is_sent(redis_server: RedisServer) -> None:
    async with node(redis_server.url) as one:
        async with node(redis_server.url) as two:
            for number in range(100):
                await two.io.emit("last", number)
        for number in range(100):
            assert await one.client.receive() == ["last", number]


@pytest.mark.parametrize("seed", range(5))
async def test_emit_and_emit_nowait_are_in_one_order(redis_server: RedisServer, seed: int) -> None:
    random = Random(seed)
    async with two_nodes(redis_server.url, max_outgoing_bytes=4096) as (one, two):
        heard: list[object] = []
        for number in range(300):
            target = random.choice([one.io, one.io.to("room"), one.io.to("room", "other")])
            if random.random() < 0.5:
                await target.emit("x", number)
                heard.append(number)
                continue
            try:
                target.emit_nowait("x", number)
                heard.append(number)
            except trio.WouldBlock:
                pass  # neither its own client nor another one gets it
        await one.io.emit("end")
        assert len(heard) > 150
        for client in (one.client, two.client):
            with trio.fail_after(PATIENCE):
                got = [await client.receive() for _ in range(len(heard) + 1)]
            assert got == [*(["x", number] for number in heard), ["end"]]
        assert one.adapter.statistics().dropped == 0


# -- ways to Redis ---------------------------------------------------------------------------------


async def test_a_unix_socket(redis_server: RedisServer) -> None:
    async with two_nodes(redis_server.unix_url):
        pass


async def test_tls_and_a_password(tls_files: TLSFiles) -> None:
    with RedisServer(tls=tls_files, password="s p@x") as server:
        url = f"{server.url}?ssl_ca_certs={tls_files.authority}"
        async with two_nodes(url) as (one, two):
            assert server.kill_clients("pubsub") == 2
            await one.gap()
            await two.gap()
            await one.health(True)
            await two.health(True)
            await talk(one, two)


async def test_a_redis_cluster_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer(config=("cluster-enabled yes",)) as server:
        async with two_nodes(server.url):
            assert "Redis runs as a cluster, which is not supported" in caplog.text


MINIMAL_USER = (
    "user node on >word resetchannels &socket.io* -@all "
    "+hello +publish +subscribe +unsubscribe +psubscribe +punsubscribe +pubsub|numsub"
)
"""All that it needs."""


async def test_a_user_with_few_permissions(caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer(config=(MINIMAL_USER,)) as server:
        url = f"redis://node:word@127.0.0.1:{server.port}"
        async with two_nodes(url, max_subscriptions=2) as (one, two):
            # Redis takes a pattern only if it is allowed literally, and the rooms do without.
            assert server.patterns() == 0
            await one.client.call("join", *[f"r{number}" for number in range(9)])
            assert "Redis refuses patterns" in caplog.text
            await two.io.to("r8").emit("exact")
            assert await one.client.receive() == ["exact"]
            assert await one.io.clients() == {one.client.id, two.client.id}


async def test_a_user_without_a_permission_is_told() -> None:
    rule = MINIMAL_USER.replace("&socket.io*", "&other*")
    with RedisServer(config=(rule,)) as server:
        url = f"redis://node:word@127.0.0.1:{server.port}"
        async with node(url, is_healthy=False) as one:
            assert "NOPERM" in one.adapter.problem
            assert "word" not in one.adapter.problem


# -- trouble ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "is_deafness"),
    [
        (lambda server: server.kill_clients("pubsub"), True),
        (lambda server: server.kill_clients("normal"), False),
    ],
    ids=["pubsub", "normal"],
)
async def test_a_connection_that_redis_closes(
    redis_server: RedisServer, trouble: Callable[[RedisServer], object], is_deafness: bool
) -> None:
    async with two_nodes(redis_server.url) as (one, two):
        assert trouble(redis_server) == 2
        for each in (one, two):
            await each.health(False)
            await each.health(True)
            assert each.adapter.statistics().gaps == is_deafness
        if is_deafness:
            gap = await one.gap()
            assert gap.cause == "Redis closed the connection"
            assert gap.ended >= gap.began
        await talk(one, two)


async def test_a_redis_that_is_killed_and_started_again(redis_server: RedisServer) -> None:
    async with two_nodes(redis_server.url) as (one, two):
        redis_server.kill()
        await one.health(False)
        await two.health(False)
        await one.io.emit("meanwhile", 1)
        assert await one.client.receive() == ["meanwhile", 1]  # at once
        redis_server.restart()
        await two.health(True)
        await one.health(True)
        await one.gap()
        await talk_after(one, two, "meanwhile")


async def talk_after(one: Node, other: Node, event: str) -> None:
    """As `talk`; what was queued may have come before, or come too soon for the other."""
    await other.io.emit("mark")
    await one.io.emit("mark")
    for each in (one, other):
        for _ in range(2):
            with trio.fail_after(PATIENCE):
                while await each.client.receive() != ["mark"]:
                    pass
    await talk(one, other)


async def test_a_redis_that_hangs(redis_server: RedisServer) -> None:
    async with two_nodes(redis_server.url, **QUICK) as (one, two):
        redis_server.pause()
        await one.health(False)
        await two.health(False)
        assert "Redis" in one.adapter.problem
        redis_server.resume()
        await one.health(True)
        await two.health(True)
        await talk_after(one, two, "")


async def test_a_redis_that_is_busy_for_a_while_is_waited_for(redis_server: RedisServer) -> None:
    async with two_nodes(redis_server.url) as (one, two):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, redis_server.command, "DEBUG", "SLEEP", 0.5)
            await trio.sleep(0.1)
            await talk(one, two)
        assert one.adapter.statistics().gaps == 0


async def test_a_message_that_is_more_than_redis_keeps_for_a_subscriber() -> None:
    config = ("client-output-buffer-limit pubsub 1mb 1mb 0",)
    with RedisServer(config=config) as server:
        async with two_nodes(server.url) as (one, two):
            await trio.to_thread.run_sync(
                server.publish, "socket.io-response#/#", bytes(33 * 2**20)
            )
            await one.health(False)
            await one.health(True)
            gap = await one.gap()
            assert "Redis closed the connection" in gap.cause or "broke" in gap.cause
            await two.health(False)
            await two.health(True)
            await talk(one, two)


async def test_a_message_that_is_more_than_we_take(redis_server: RedisServer) -> None:
    async with two_nodes(redis_server.url, max_message_bytes=100_000) as (one, two):
        redis_server.publish("socket.io-response#/#", bytes(100_001))
        gap = await one.gap()
        assert gap.cause == "Redis sends a reply of more than 100,000 bytes"
        await two.gap()
        await one.health(True)
        await two.health(True)
        await talk(one, two)


async def test_a_redis_that_is_absent_at_the_start(redis_server: RedisServer) -> None:
    redis_server.kill()
    with trio.fail_after(PATIENCE):
        async with node(redis_server.url, is_healthy=False) as one:
            assert one.adapter.problem.endswith("Connection refused")
            assert not one.io.statistics().adapter.healthy
            await one.client.call("join", "room")  # it serves
            await one.io.to("room").emit("here")
            assert await one.client.receive() == ["here"]
            redis_server.restart()
            await one.health(True)
            gap = await one.gap()
            assert gap.cause.endswith("Connection refused")
            async with node(redis_server.url) as two:
                await two.client.call("join", "room")
                await talk_after(one, two, "")


async def test_a_wrong_password_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_sio.adapters.redis.link.backoff.MAX_DELAY", 0.2)
    with RedisServer(password="right") as server:
        url = f"redis://:wrong@127.0.0.1:{server.port}"
        async with node(url, is_healthy=False) as one:
            assert one.adapter.problem.endswith(": Redis refuses the user or the password")
            server.command("CONFIG", "SET", "requirepass", "wrong")
            await one.health(True)


async def test_a_server_that_never_answers_does_not_hold_up_the_start() -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    url = f"redis://127.0.0.1:{port}"
    async with listeners[0], node(url, is_healthy=False, connect_timeout=0.2) as one:
        assert not one.adapter.healthy
        await one.client.call("join", "room")
        assert "does not answer in 0.2 s" in one.adapter.problem


class Proxy:
    """Passes bytes on between us and Redis, until it swallows what Redis sends."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._generation = 0

    def swallow(self) -> None:
        """Swallow all that comes by the present connections, which stay open."""
        self._generation += 1

    async def handle(self, stream: trio.SocketStream) -> None:
        redis = await trio.open_tcp_stream("127.0.0.1", self._port)
        born = self._generation
        async with trio.open_nursery() as nursery, redis:
            nursery.start_soon(self._pass_on, stream, redis, math.inf)
            await self._pass_on(redis, stream, born)
            nursery.cancel_scope.cancel()

    async def _pass_on(
        self, here: trio.SocketStream, there: trio.SocketStream, born: float
    ) -> None:
        try:
            async for data in here:
                if born >= self._generation:
                    await there.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass


async def test_a_half_open_connection(redis_server: RedisServer) -> None:
    proxy = Proxy(redis_server.port)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, proxy.handle, listeners)
        port = listeners[0].socket.getsockname()[1]
        async with two_nodes(f"redis://127.0.0.1:{port}", **QUICK) as (one, two):
            proxy.swallow()
            await one.health(False)
            await two.health(False)
            await one.health(True)
            await two.health(True)
            await one.gap()
            await two.gap()
            await talk_after(one, two, "")
        nursery.cancel_scope.cancel()


# -- the application's part ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "options", "error", "text"),
    [
        ("http://h", {}, ValueError, "option 'url' must begin with one of redis://"),
        ("redis://h", {"kye": 1}, TypeError, "kye"),
        ("redis://h", {"probe_interval": 0}, ValueError, "option 'probe_interval'"),
        (
            "redis://h",
            {"ssl_context": ssl.create_default_context()},
            ValueError,
            "option 'ssl_context' needs a URL that begins with 'rediss'",
        ),
        ("rediss://h?ssl_ca_certs=/nowhere", {}, ValueError, "certificates cannot be read"),
    ],
)
def test_what_is_wrong_is_said_at_once(
    url: str, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        RedisAdapter(url, **options)


async def test_a_function_that_fails_is_reported(redis_server: RedisServer) -> None:
    adapter, host, called = RedisAdapter(redis_server.url), Host(), trio.Event()

    @adapter.on_gap
    def fails(gap: Gap) -> None:
        called.set()
        raise ValueError("mine")

    async with trio.open_nursery() as nursery:
        await nursery.start(adapter.run, host)
        redis_server.kill_clients("pubsub")
        with trio.fail_after(PATIENCE):
            await called.wait()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    ((error, line),) = host.reported
    assert str(error) == "mine"
    assert "a function of on_gap failed" in line


async def test_it_serves_one_server_at_a_time(redis_server: RedisServer) -> None:
    adapter = RedisAdapter(redis_server.url)
    for _ in range(2):
        async with trio.open_nursery() as nursery:
            await nursery.start(adapter.run, Host())
            assert adapter.healthy
            with pytest.raises(RuntimeError, match="serves one server"):
                await adapter.run(Host())
            nursery.cancel_scope.cancel()
        assert not adapter.healthy


async def test_the_url_with_its_password_is_not_shown() -> None:
    adapter = RedisAdapter("redis://:hidden@localhost")
    assert "hidden" not in repr(adapter)
    assert repr(adapter) == "<RedisAdapter redis://localhost:6379>"


async def test_an_answer_that_is_refused_is_a_message_that_is_dropped() -> None:
    adapter = RedisAdapter()
    root = adapter(Server().sockets)
    assert isinstance(root, ClusterAdapter)
    root.receive(b"socket.io-request#/#", b'{"requestid":"a","type":5}')  # no task can be started
    assert adapter.statistics().dropped == 1
