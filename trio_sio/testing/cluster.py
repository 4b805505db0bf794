"""A cluster in memory: joins servers of one process as Redis joins those of several.

    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join()), Server(adapter=cluster.join())
    async with one, two, connect(one) as anna, connect(two) as bert:
        await one.emit("hello")  # reaches both

The servers do all that they do over Redis, in the same bytes. With a delay and pytest-trio's
`autojump_clock`, what may happen while a message is on its way can be tried in no time; and a
server can be cut off, as by a network that fails.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial

import trio

from trio_sio.abc import AdapterHost, AdapterNamespace
from trio_sio.adapters.cluster.adapter import REQUESTS_TIMEOUT, ClusterAdapter
from trio_sio.adapters.cluster.broker import Receive
from trio_sio.adapters.cluster.generation import Generation
from trio_sio.adapters.cluster.member import Member
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.statistics import AdapterStatistics

SUBSCRIBE_TIMEOUT = 1.0
"""Seconds for which joining a room waits at most."""

KEY = "memory"


class MemoryCluster:
    """A cluster of servers in one process.

    Attributes:
        nodes: the servers that have joined, in that order.
    """

    def __init__(self) -> None:
        self.nodes: list[ClusterNode] = []

    def join(
        self,
        name: str = "",
        *,
        delay: float = 0.0,
        requests_timeout: float = REQUESTS_TIMEOUT,
        announce: bool = True,
        generation: int = 2,
    ) -> "ClusterNode":
        """Return the adapter of one more server, for the option `adapter`.

        Args:
            name: what the others call it; "node-1" and so on by default.
            delay: seconds that a message takes from this server to the broker, and back.
            requests_timeout: seconds in which the other servers have to respond to a request.
            announce: whether the others know of it, as they do not know of a JavaScript server.
            generation: of Socket.IO, whose messages it speaks; 2 or 4.
        """
        number = len(self.nodes) + 1
        broker = _MemoryBroker(self, f"node{number:02}", name or f"node-{number}", delay, announce)
        node = ClusterNode(broker, requests_timeout, Generation(generation))
        self.nodes.append(node)
        return node

    def listeners(self, channel: bytes) -> "list[_MemoryBroker]":
        """Return the connections of the servers that listen to a channel now."""
        brokers = (node.broker for node in self.nodes)
        return [one for one in brokers if one.is_up and channel in one.heard]


class ClusterNode:
    """One server of a cluster in memory, as a factory of adapters.

    Attributes:
        member: what its adapters have in common.
        broker: its connection.
    """

    def __init__(
        self, broker: "_MemoryBroker", requests_timeout: float, generation: Generation
    ) -> None:
        self.broker = broker
        self.member = Member()
        self._requests_timeout = requests_timeout
        self._generation = generation

    def __call__(self, namespace: AdapterNamespace) -> ClusterAdapter:
        """Make the adapter of one namespace."""
        return ClusterAdapter(
            namespace,
            self.broker,
            self.member,
            requests_timeout=self._requests_timeout,
            generation=self._generation,
        )

    async def run(
        self,
        host: AdapterHost,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Pass messages on until cancelled; the server calls it."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.member.run, host)
            nursery.start_soon(self.broker.run_outgoing)
            nursery.start_soon(self.broker.run_incoming)
            self.broker.begin()
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self.broker.end()

    async def aclose(self) -> None:
        """Wait until what was published has left; the server calls it."""
        await self.broker.round_trip()

    def cut(self) -> None:
        """Cut the server off: what is on its way is lost, and so is what comes meanwhile."""
        self.broker.end()

    def mend(self) -> None:
        """Undo `cut`."""
        self.broker.begin()

    def statistics(self) -> AdapterStatistics:
        """Return the state of the adapters, and what they have counted."""
        counters, broker = self.member.counters, self.broker
        return AdapterStatistics(
            healthy=broker.is_up,
            problem="" if broker.is_up else "it is cut off",
            published=broker.published,
            received=counters.received,
            dropped=broker.dropped + counters.refused,
            invalid=counters.invalid,
            unanswered=counters.unanswered,
            subscriptions=len(broker.heard),
            nodes=len(broker.peers) + 1,
        )


_Step = Callable[[], object]


class _Line:
    """One direction of a connection: what is put in comes out in order, after a while."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._put, self._steps = trio.open_memory_channel[tuple[float, int, _Step]](float("inf"))
        self._era = 0

    def put(self, step: _Step) -> None:
        """Have a step taken at the other end."""
        self._put.send_nowait((trio.current_time() + self._delay, self._era, step))

    def lose(self) -> None:
        """Lose what is under way."""
        self._era += 1

    async def run(self) -> None:
        """Take the steps when their time has come."""
        async for due, era, step in self._steps:
            await trio.sleep_until(due)
            if era == self._era:
                step()


class _MemorySubscription:
    """The channels of one namespace of one server."""

    def __init__(self, broker: "_MemoryBroker", channels: Channels, receive: Receive) -> None:
        self.receive = receive
        self._broker = broker
        self._own: set[bytes] = set()
        self._is_closed = False
        self.add((channels.base, channels.request, channels.response))

    def add(self, channels: Collection[bytes]) -> None:
        if not self._is_closed:
            self._own.update(channels)
            self._broker.listen(self, channels)

    def discard(self, channels: Collection[bytes]) -> None:
        self._own.difference_update(channels)
        self._broker.ignore(self, channels)

    async def wait(self) -> None:
        with trio.move_on_after(SUBSCRIBE_TIMEOUT):
            await self._broker.round_trip()

    def close(self) -> None:
        self._is_closed = True
        self.discard(tuple(self._own))


class _MemoryBroker:
    """The connection of one server.

    Attributes:
        uid, key: as of a broker.
        name: what the others call the server.
        is_up: whether it is connected.
        heard: the channels that it listens to, as far as the cluster knows by now.
        published, dropped: messages of this server.
    """

    def __init__(
        self, cluster: MemoryCluster, uid: str, name: str, delay: float, announce: bool
    ) -> None:
        self.uid = uid
        self.key = KEY
        self.name = name
        self.is_up = False
        self.heard: set[bytes] = set()
        self.published = 0
        self.dropped = 0
        self._cluster = cluster
        self._announce = announce
        self._wanted: dict[bytes, list[_MemorySubscription]] = {}
        self._asked: set[_Answer] = set()
        self._out, self._in = _Line(delay), _Line(delay)
        self.run_outgoing, self.run_incoming = self._out.run, self._in.run

    @property
    def peers(self) -> Mapping[str, str]:
        """The other servers that are up and announce themselves."""
        others = (node.broker for node in self._cluster.nodes if node.broker is not self)
        return {one.uid: one.name for one in others if one.is_up and one._announce}

    # -- listening ---------------------------------------------------------------------------

    def open(
        self, channels: Channels, receive: Receive, private: Collection[bytes] = ()
    ) -> _MemorySubscription:
        subscription = _MemorySubscription(self, channels, receive)
        subscription.add(private)
        return subscription

    def listen(self, subscription: _MemorySubscription, channels: Collection[bytes]) -> None:
        """Have a subscription hear channels, as soon as the cluster knows."""
        for channel in channels:
            wanting = self._wanted.setdefault(channel, [])
            if subscription not in wanting:
                wanting.append(subscription)
        added = tuple(channels)
        if self.is_up:
            self._out.put(lambda: self.heard.update(added))

    def ignore(self, subscription: _MemorySubscription, channels: Collection[bytes]) -> None:
        """Have a subscription hear channels no more."""
        gone = []
        for channel in channels:
            wanting = self._wanted.get(channel, [])
            if subscription in wanting:
                wanting.remove(subscription)
                if not wanting:
                    del self._wanted[channel]
                    gone.append(channel)
        if self.is_up:
            self._out.put(lambda: self.heard.difference_update(gone))

    # -- sending -----------------------------------------------------------------------------

    async def publish(self, channel: bytes, payload: bytes) -> None:
        self.publish_nowait(channel, payload)

    def publish_nowait(self, channel: bytes, payload: bytes) -> bool:
        if not self.is_up:
            self.dropped += 1
            return False
        self.published += 1
        self._out.put(lambda: self._pass_on(channel, payload))
        return True

    def has_room(self, channel: bytes, payload: bytes) -> bool:
        return True

    def _pass_on(self, channel: bytes, payload: bytes) -> None:
        for one in self._cluster.listeners(channel):
            one.hear(channel, payload)

    def hear(self, channel: bytes, payload: bytes) -> None:
        """Receive a message, when it has come."""
        self._in.put(lambda: self._receive(channel, payload))

    def _receive(self, channel: bytes, payload: bytes) -> None:
        for subscription in tuple(self._wanted.get(channel, ())):
            subscription.receive(channel, payload)

    async def count_subscribers(self, channel: bytes) -> int | None:
        if not self.is_up:
            return None
        return await self._ask(lambda: len(self._cluster.listeners(channel)))

    async def round_trip(self) -> None:
        """Wait until the cluster has confirmed all that this server has sent."""
        if self.is_up:
            await self._ask(lambda: 0)
        else:
            await trio.lowlevel.checkpoint()

    async def _ask(self, question: Callable[[], int]) -> int | None:
        answer = _Answer()
        self._asked.add(answer)
        self._out.put(lambda: self._in.put(partial(answer.come, question())))
        try:
            return await answer.wait()
        finally:
            self._asked.discard(answer)

    # -- the connection ----------------------------------------------------------------------

    def begin(self) -> None:
        """Connect, and listen to all that is wanted."""
        if self.is_up:
            return
        self.is_up = True
        wanted = tuple(self._wanted)
        self._out.put(lambda: self.heard.update(wanted))

    def end(self) -> None:
        """Disconnect: what is on its way is lost, and nobody is answered any more."""
        self.is_up = False
        self.heard.clear()
        self._out.lose()
        self._in.lose()
        for answer in self._asked:
            answer.come(None)


class _Answer:
    """What somebody waits for."""

    def __init__(self) -> None:
        self._value: int | None = None
        self._has_come = trio.Event()

    def come(self, value: int | None) -> None:
        """Let it be waited for no more."""
        self._value = value
        self._has_come.set()

    async def wait(self) -> int | None:
        """Return the answer; `None` if there is none."""
        await self._has_come.wait()
        return self._value
