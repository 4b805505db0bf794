"""`RedisAdapter`: one cluster with other servers, JavaScript's among them, through Redis.

    adapter = RedisAdapter("redis://localhost:6379")
    io = Server(adapter=adapter)

    @adapter.on_gap
    async def catch_up(gap: Gap) -> None: ...

It makes an adapter for each namespace and runs what they share: one connection that hears, one that
sends, and the probes that show whether both do. Redis may be away, at the start, too: clients of
this server are served all the same, and what is wrong is told.
"""

import random
import ssl
from typing import Literal

import trio

from trio_sio.abc import Adapter, AdapterHost, AdapterNamespace
from trio_sio.adapters.cluster.adapter import ClusterAdapter
from trio_sio.adapters.cluster.broker import Broker
from trio_sio.adapters.cluster.generation import Generation
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.redis.broker import RedisBroker
from trio_sio.adapters.redis.health import FunctionT, Gap, Health, Notices
from trio_sio.adapters.redis.journal import Journal
from trio_sio.adapters.redis.link.address import Address
from trio_sio.adapters.redis.link.backoff import Backoff
from trio_sio.adapters.redis.link.connection import Connection
from trio_sio.adapters.redis.link.connector import Connector
from trio_sio.adapters.redis.options import RedisOptions
from trio_sio.adapters.redis.probes import Identity, Node, Probes
from trio_sio.adapters.redis.publisher import Publisher
from trio_sio.adapters.redis.subscriber import Subscriber
from trio_sio.adapters.redis.subscriptions import Subscriptions
from trio_sio.protocol.cluster.channels import DEFAULT_KEY, probe_channel
from trio_sio.statistics import AdapterStatistics

_CLUSTER = (
    "Redis runs as a cluster, which is not supported: events reach all servers, but requests are "
    "answered completely only if all servers are connected to the same node"
)


class RedisAdapter:
    """Connects a server with the others of its cluster (JS: socket.io-redis 5.4).

    Pass it as the option `adapter`; it serves one server.

    Args:
        url: where Redis is: `redis://[[user]:password@]host[:port]`, `rediss://…` with TLS,
            `unix://[[user]:password@]/path`, or `redis+sentinel://…@host:port,host:port/service`.
        key: what the names of all channels begin with (JS: `key`); the same on all servers.
        generation: of Socket.IO, of the servers in Node.js that share the cluster: 2 speaks as
            socket.io-redis 5, 4 as @socket.io/redis-adapter 7 and 8; the same on all servers.
        name: what this server is called in logs of the others; `None` for host and process id.
        ssl_context: for TLS, in place of what the URL says; needs a URL that begins with `rediss`.
        requests_timeout: seconds in which other servers have to respond (JS: `requestsTimeout`).
        connect_timeout: seconds that connecting to Redis may take, each time.
        command_timeout: seconds for which Redis may be silent while it owes a reply; then the
            connection is given up.
        subscribe_timeout: seconds for which `socket.join` waits until Redis has confirmed the
            subscription to a room that is new here.
        probe_interval: seconds between two proofs that this server hears.
        probe_timeout: seconds in which the own probe has to come back.
        max_subscriptions: rooms of a namespace with a subscription each; with more, one pattern
            serves all of them.
        max_outgoing_bytes: how much may be queued for Redis; then `emit` waits, and while Redis is
            away the oldest events are dropped.
        max_message_bytes: the size of one message from Redis; at a larger one, it is connected to
            anew.

    Raises:
        TypeError: an option of a wrong type.
        ValueError: a URL that cannot be read, or an option out of its range.
    """

    def __init__(
        self,
        url: str = "redis://localhost:6379",
        *,
        key: str = DEFAULT_KEY,
        generation: Literal[2, 4] = 2,
        name: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        requests_timeout: float = 5.0,
        connect_timeout: float = 5.0,
        command_timeout: float = 5.0,
        subscribe_timeout: float = 1.0,
        probe_interval: float = 5.0,
        probe_timeout: float = 5.0,
        max_subscriptions: int = 10_000,
        max_outgoing_bytes: int = 16 * 2**20,
        max_message_bytes: int = 64 * 2**20,
    ) -> None:
        self._options = RedisOptions(
            key=key,
            generation=generation,
            name=name,
            ssl_context=ssl_context,
            requests_timeout=requests_timeout,
            connect_timeout=connect_timeout,
            command_timeout=command_timeout,
            subscribe_timeout=subscribe_timeout,
            probe_interval=probe_interval,
            probe_timeout=probe_timeout,
            max_subscriptions=max_subscriptions,
            max_outgoing_bytes=max_outgoing_bytes,
            max_message_bytes=max_message_bytes,
        )
        self._address = address = Address.of(url)
        self._identity = Identity(self._options.name)
        self._journal = Journal()
        self._member = Member()
        self._gaps = Notices[Gap]("on_gap", Gap.merged)
        self._healths = Notices[bool]("on_health", lambda _earlier, later: later)
        self._health = Health(self._health_changed)
        connector = self._connector(address)
        self._publisher = self._make_publisher(connector)
        self._subscriber = self._make_subscriber(connector)
        self._probes = self._make_probes()
        self._broker = RedisBroker(
            self._options.key,
            self._identity,
            self._publisher,
            self._subscriber,
            self._probes,
            count_timeout=self._options.command_timeout,
        )
        self._is_running = False

    # -- for the server ------------------------------------------------------------------------

    def __call__(self, namespace: AdapterNamespace) -> Adapter:
        """Make the adapter of one namespace."""
        return ClusterAdapter(
            namespace,
            self._broker,
            self._member,
            requests_timeout=self._options.requests_timeout,
            generation=Generation(self._options.generation),
        )

    async def run(
        self,
        host: AdapterHost,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Keep the connections until cancelled; a server does that.

        It has started when Redis is there, or when the first attempt has failed.

        Raises:
            RuntimeError: it serves another server already.
        """
        if self._is_running:
            raise RuntimeError("a RedisAdapter serves one server: make another one")
        self._is_running = True
        self._journal.begin(host.log)
        self._identity.renew()
        self._health.begin()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._gaps.run, host)
                nursery.start_soon(self._healths.run, host)
                nursery.start_soon(self._publisher.run)
                nursery.start_soon(self._subscriber.run)
                nursery.start_soon(self._probes.run)
                await nursery.start(self._member.run, host)
                with trio.move_on_after(self._options.connect_timeout):
                    await self._health.wait_settled()
                task_status.started()
        finally:
            self._is_running = False
            self._health.begin()

    async def aclose(self) -> None:
        """Say goodbye to the other servers, and wait until Redis has taken all that is queued."""
        await self._probes.leave()
        await self._publisher.flush()

    @property
    def broker(self) -> Broker:
        """What carries the messages of its adapters."""
        return self._broker

    # -- for the application -------------------------------------------------------------------

    @property
    def healthy(self) -> bool:
        """Whether this server hears the others, and they hear it."""
        return self._health.healthy

    @property
    def problem(self) -> str:
        """What is wrong, as a sentence; `""` if nothing is."""
        return self._health.problem

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The other servers that announce themselves, as servers in JavaScript do not."""
        return self._probes.nodes

    def on_gap(self, function: FunctionT) -> FunctionT:
        """Register a function that is told of each `Gap`; a decorator.

        A gap is a time in which events of other servers may have been missed, and is told when it
        is over. Meanwhile further gaps are merged into one. The function may be async.
        """
        return self._gaps.add(function)

    def on_health(self, function: FunctionT) -> FunctionT:
        """Register a function that is told whenever `healthy` changes; a decorator.

        It is called with the new value, and may be async; if it takes its time, it is told the
        last state afterwards.
        """
        return self._healths.add(function)

    def statistics(self) -> AdapterStatistics:
        """Return the state, and what has been counted."""
        journal, counters = self._journal, self._member.counters
        return AdapterStatistics(
            healthy=self.healthy,
            problem=self.problem,
            gaps=journal.gaps,
            published=journal.published,
            received=counters.received,
            dropped=journal.dropped + counters.refused,
            invalid=journal.invalid + counters.invalid,
            unanswered=counters.unanswered,
            queued_bytes=self._publisher.queued_bytes,
            subscriptions=self._subscriber.subscriptions,
            nodes=1 + len(self.nodes),
        )

    def __repr__(self) -> str:
        return f"<RedisAdapter {self._address}>"

    # -- private -------------------------------------------------------------------------------

    def _connector(self, address: Address) -> Connector:
        options = self._options
        if options.ssl_context is not None and not address.tls:
            raise ValueError("option 'ssl_context' needs a URL that begins with 'rediss'")
        return Connector(
            address,
            options.ssl_context or address.ssl_context(),
            name=lambda: self._identity.name,
            connect_timeout=options.connect_timeout,
            max_message_bytes=options.max_message_bytes,
        )

    def _make_publisher(self, connector: Connector) -> Publisher:
        return Publisher(
            connector,
            Backoff(random.random),
            self._health,
            self._journal,
            on_connected=self._publisher_connected,
            max_bytes=self._options.max_outgoing_bytes,
            command_timeout=self._options.command_timeout,
        )

    def _make_subscriber(self, connector: Connector) -> Subscriber:
        return Subscriber(
            connector,
            Subscriptions(self._options.max_subscriptions),
            Backoff(random.random),
            self._health,
            self._journal,
            on_connected=self._subscriber_connected,
            on_hearing=self._hears,
            subscribe_timeout=self._options.subscribe_timeout,
            command_timeout=self._options.command_timeout,
        )

    def _make_probes(self) -> Probes:
        return Probes(
            probe_channel(self._options.key),
            self._identity,
            self._publisher,
            self._subscriber,
            self._health,
            self._journal,
            interval=self._options.probe_interval,
            timeout=self._options.probe_timeout,
        )

    def _publisher_connected(self, connection: Connection) -> None:
        if self._subscriber.endpoint not in (None, connection.endpoint):
            self._subscriber.restart(f"the primary is now {connection.endpoint}")
        self._probes.nudge()

    def _subscriber_connected(self, connection: Connection) -> None:
        if connection.is_cluster:
            self._journal.warn("cluster", "%s", _CLUSTER)
        if self._publisher.endpoint not in (None, connection.endpoint):
            self._publisher.restart(f"the primary is now {connection.endpoint}")

    def _health_changed(self, healthy: bool) -> None:
        if healthy:
            self._journal.info("healthy", "Redis takes messages and is heard")
        self._healths.tell(healthy)

    def _hears(self, gap: Gap | None) -> None:
        self._probes.nudge()
        if gap is not None:
            self._journal.count_gap(gap.seconds, gap.cause)
            self._gaps.tell(gap)
