"""One node of a cluster drains behind nginx and is taken out: what clients say and hear meanwhile.

Two servers of ours with Redis between them, nginx before them, and real JavaScript clients by each
way of travelling, which come back by themselves. Each client sends numbered events with
acknowledgements, and both servers broadcast numbered events, all the time.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio

import trio_sio
from tests.support.peers import (
    DEADLINE,
    POLLING,
    QUICKLY_BACK,
    UPGRADING,
    WEBSOCKET,
    Client,
    Heard,
    Kind,
    peer,
)
from tests.support.proxies import configuration, proxy
from tests.support.redis_server import RedisServer, redis_server
from trio_sio.adapters.redis import RedisAdapter

__all__ = ["redis_server"]

pytestmark = [
    *(pytest.mark.slow, pytest.mark.node, pytest.mark.nginx, pytest.mark.redis),
]

PACE = 0.02
"""Seconds between two events of one sender."""


class Node:
    """A server of the cluster, and what it has handled and broadcast."""

    def __init__(self, name: str, redis_url: str) -> None:
        self.name = name
        self.io = trio_sio.Server(
            node_id=name, adapter=RedisAdapter(redis_url), raise_errors=True, slow_step=None
        )
        self.handled = Counter[tuple[int, int]]()
        self.present: dict[int, frozenset[str]] = {}
        self.port = 0
        self._out = trio.CancelScope()

        @self.io.on("count")
        async def count(socket: trio_sio.Socket, client: int, number: int) -> list[int]:
            await trio.sleep(0.005)  # so there is always something under way
            self.handled[client, number] += 1
            return [client, number]

        @self.io.on("where")
        def where(socket: trio_sio.Socket) -> str:
            return name

    async def serve(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve until it is taken out."""
        with self._out:
            async with trio.open_nursery() as nursery:
                listeners = await nursery.start(partial(self.io.serve_tcp, 0, "127.0.0.1"))
                self.port = listeners[0].socket.getsockname()[1]
                task_status.started()

    async def broadcast(self) -> None:
        """Tell everybody numbers, and note who of this node is there each time."""
        for number in itertools.count():
            self.present[number] = frozenset(
                socket_id
                for socket_id, socket in self.io.sockets.connected.items()
                if not socket.client.session.closed  # as it is from its turn in a drain on
            )
            await self.io.emit(f"from {self.name}", number)
            await trio.sleep(PACE)

    async def drain(self) -> None:
        """Let the clients go, and end."""
        await self.io.drain(grace=10, spread=0.5)
        self._out.cancel()


class Ledger:
    """What one client has heard, in its order.

    Attributes:
        acknowledged: numbers of its events that were acknowledged.
        visits: for each time it was connected, its id and what it heard, by the name of the node.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.acknowledged: list[int] = []
        self.visits: list[tuple[str, dict[str, list[int]]]] = []
        self.changed = trio.Event()
        self.node = ""
        client.listener = self.hear

    def hear(self, event: str, heard: Heard) -> None:
        """Take note of a report."""
        kind, _, rest = event.partition(" ")
        if event == "connect":
            self.visits.append((heard.args[0], defaultdict(list)))
        elif kind == "from":
            self.visits[-1][1][rest].append(heard.args[0])
        elif rest == "1000000":
            self.node = heard.args[0]
        elif kind == "answer":
            assert heard.args[0] == [self.client.number, int(rest)]
            self.acknowledged.append(int(rest))
        self.changed.set()
        self.changed = trio.Event()

    async def wait(self, visits: int) -> None:
        """Wait until it has been connected so often."""
        with trio.fail_after(DEADLINE):
            while len(self.visits) < visits:
                await self.changed.wait()

    async def send(self) -> None:
        """Send numbers, whether or not there is a connection: the client keeps them."""
        for number in itertools.count():
            await self.client.order("call", number, "count", self.client.number, number)
            await trio.sleep(PACE)

    async def find(self) -> str:
        """Return the node on which it is."""
        await self.client.order("call", 1_000_000, "where")
        with trio.fail_after(DEADLINE):
            while not self.node:
                await self.changed.wait()
        return self.node


@asynccontextmanager
async def cluster(redis_url: str) -> AsyncIterator[tuple[list[Node], list[Ledger]]]:
    """Two nodes behind nginx, and twelve clients on them."""
    nodes = [Node(name, redis_url) for name in ("w1", "w2")]
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(trio.open_nursery())
        for node in nodes:
            await nursery.start(node.serve)
        ports = [node.port for node in nodes]
        url = await stack.enter_async_context(proxy(configuration("nginx.conf"), ports))
        process = await stack.enter_async_context(peer())
        kinds: Iterable[Kind] = (POLLING, UPGRADING, WEBSOCKET)
        hear = [f"from {node.name}" for node in nodes]
        options: list[dict[str, Any]] = [
            {**kind.options, **QUICKLY_BACK} for kind in kinds for _ in range(4)
        ]
        ledgers = []
        for one in options:
            client = process.add_client()
            ledgers.append(Ledger(client))
            await client.order("open", url, {"hear": hear, "answers": {}, **one})
        for ledger in ledgers:
            await ledger.wait(1)
        yield nodes, ledgers
        nursery.cancel_scope.cancel()


def is_consecutive(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True


async def test_a_node_is_drained_and_nothing_is_lost(redis_server: RedisServer) -> None:
    async with cluster(redis_server.url) as (nodes, ledgers):
        first, _ = nodes
        async with trio.open_nursery() as nursery:
            for node in nodes:
                nursery.start_soon(node.broadcast)
            for ledger in ledgers:
                nursery.start_soon(ledger.send)
            await trio.sleep(0.5)  # of normal life
            moving = [ledger for ledger in ledgers if ledger.visits[0][0].startswith("w1.")]
            assert 0 < len(moving) < len(ledgers)
            await first.drain()
            for ledger in moving:
                await ledger.wait(2)
            await trio.sleep(0.5)
            nursery.cancel_scope.cancel()
        assert {await ledger.find() for ledger in ledgers} == {"w2"}  # everybody is there
        check_events(nodes, ledgers)
        check_broadcasts(nodes, ledgers)
        for ledger in ledgers:
            assert len(ledger.visits) == (2 if ledger in moving else 1)


def check_events(nodes: list[Node], ledgers: list[Ledger]) -> None:
    """What was acknowledged was handled once, and nothing twice."""
    handled = sum((node.handled for node in nodes), Counter[tuple[int, int]]())
    assert set(handled.values()) == {1}
    for ledger in ledgers:
        assert ledger.acknowledged
        assert len(set(ledger.acknowledged)) == len(ledger.acknowledged)
        assert all(handled[ledger.client.number, number] for number in ledger.acknowledged)


def check_broadcasts(nodes: list[Node], ledgers: list[Ledger]) -> None:
    """While it was connected, each client has heard all that its own node and the other said."""
    for ledger in ledgers:
        for socket_id, heard in ledger.visits:
            for node in nodes:
                numbers = heard[node.name]
                assert is_consecutive(numbers), (node.name, numbers)
                told = [number for number, ids in node.present.items() if socket_id in ids]
                missed = sorted(set(told) - set(numbers))
                assert not missed, (ledger.client.number, node.name, missed, numbers[-1:])
