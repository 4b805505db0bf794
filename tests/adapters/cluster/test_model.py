"""Clusters of one to three servers against a naive model, and many senders at once."""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

import pytest
import trio
from hypothesis import given, strategies as st
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import examples
from tests.support.foreign_node import settle
from trio_sio import Server, Socket
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster
from trio_sio.testing.machines import RoomsMachine
from trio_sio.testing.machines.rooms import ROOMS, AdapterFactory

some_rooms = st.frozensets(st.sampled_from(ROOMS), max_size=2)


def run_at_once(function: Callable[[], object]) -> None:
    clock = trio.testing.MockClock(autojump_threshold=0)
    trio.run(function, clock=clock)  # type: ignore[arg-type]  # it is async


@pytest.mark.parametrize("generation", [2, 4])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_cluster_does_what_the_model_does(count: int, generation: int) -> None:
    class Cluster(RoomsMachine):
        def make_adapters(self) -> Iterable[AdapterFactory]:
            cluster = MemoryCluster()
            return [cluster.join(generation=generation) for _ in range(count)]

    run_state_machine_as_test(Cluster, settings=examples(15, stateful_step_count=25))


@pytest.mark.parametrize("count", [1, 2, 3])
@examples(30)
@given(
    delays=st.lists(st.sampled_from([0, 0.01, 0.3]), min_size=3, max_size=3),
    joined=st.lists(some_rooms, min_size=4, max_size=4),
    targets=st.lists(some_rooms, min_size=1, max_size=6),
)
def test_each_sender_is_heard_in_its_order(
    delays: list[float], joined: list[frozenset[str]], targets: list[frozenset[str]], count: int
) -> None:
    run_at_once(partial(send_at_once, delays[:count], joined, targets))


async def send_at_once(
    delays: list[float], joined: list[frozenset[str]], targets: list[frozenset[str]]
) -> None:
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join(delay=delay)) for delay in delays]
    sockets: dict[str, Socket] = {}

    for io in ios:

        @io.on("connection")
        def connection(socket: Socket) -> None:
            sockets[socket.id] = socket

    async def send(sender: int, io: Server) -> None:
        for number, rooms in enumerate(targets):
            await io.to(*rooms).emit("news", sender, number)

    async with contextlib.AsyncExitStack() as stack:
        for io in ios:
            await stack.enter_async_context(io)
        clients = []
        for number, rooms in enumerate(joined):
            client = await stack.enter_async_context(connect(ios[number % len(ios)]))
            await settle()
            await sockets[client.id].join(*rooms)
            clients.append(client)
        async with trio.open_nursery() as nursery:
            for sender, io in enumerate([*ios, *ios]):
                nursery.start_soon(send, sender, io)
        for client, rooms in zip(clients, joined, strict=True):
            heard: dict[int, list[int]] = defaultdict(list)
            with contextlib.suppress(trio.TooSlowError):
                while True:
                    _, sender, number = await client.receive(timeout=1)
                    heard[sender].append(number)
            wanted = [number for number, to in enumerate(targets) if not to or to & rooms]
            senders = range(2 * len(ios)) if wanted else ()
            assert heard == dict.fromkeys(senders, wanted)
