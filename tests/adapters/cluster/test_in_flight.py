"""Joining and leaving while messages are on their way, with any delays.

join called          join returned                    leave called
    |  may be received   |      has to be received         |   is not received
"""

import contextlib
import math
from dataclasses import dataclass, field
from functools import partial

import pytest
import trio
from hypothesis import given, strategies as st

from tests.support.examples import examples
from tests.support.foreign_node import settle
from trio_sio import Server, Socket
from trio_sio.testing import MemoryClient, connect
from trio_sio.testing.cluster import MemoryCluster

ROOM = "red"


@dataclass
class Stay:
    """A client's stay in the room, by the clock."""

    called: float
    returned: float = math.inf
    left: float = math.inf


@dataclass
class Guest:
    """A client that comes and goes, and what it has heard: the number and the time."""

    server: int
    stays: list[Stay] = field(default_factory=list)
    heard: list[tuple[int, float]] = field(default_factory=list)

    async def stay(self, socket: Socket, times: list[int]) -> None:
        """Join and leave by turns; the times are in hundredths of a second, and never whole."""
        begun = trio.current_time()
        for number, time in enumerate(sorted(times)):
            await trio.sleep_until(begun + (time + 0.5) / 100)
            if number % 2:
                self.stays[-1].left = trio.current_time()
                await socket.leave(ROOM)
            else:
                self.stays.append(Stay(trio.current_time()))
                await socket.join(ROOM)
                self.stays[-1].returned = trio.current_time()

    async def listen(self, client: MemoryClient) -> None:
        while True:
            _, number = await client.receive(timeout=1000)
            self.heard.append((number, trio.current_time()))


async def run(delays: list[float], guests: list[list[int]], emits: list[tuple[int, int]]) -> None:
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join(delay=delay)) for delay in delays]
    sockets: dict[str, Socket] = {}
    for io in ios:
        io.on("connection", lambda socket: sockets.update({socket.id: socket}))
    sent: list[tuple[int, float]] = []

    async def emit() -> None:
        begun = trio.current_time()
        for number, (server, time) in enumerate(sorted(emits, key=lambda one: one[1])):
            await trio.sleep_until(begun + time / 100)
            sent.append((server % len(ios), trio.current_time()))
            await ios[server % len(ios)].to(ROOM).emit("news", number)

    made = [Guest(number // 2 % len(ios)) for number in range(len(guests))]
    async with contextlib.AsyncExitStack() as stack:
        for io in ios:
            await stack.enter_async_context(io)
        clients = [await stack.enter_async_context(connect(ios[one.server])) for one in made]
        await settle()
        async with trio.open_nursery() as nursery:
            for guest, client in zip(made, clients, strict=True):
                nursery.start_soon(guest.listen, client)
            async with trio.open_nursery() as acting:
                for guest, client, times in zip(made, clients, guests, strict=True):
                    acting.start_soon(guest.stay, sockets[client.id], times)
                acting.start_soon(emit)
            await trio.sleep(2)
            nursery.cancel_scope.cancel()
    for guest in made:
        judge(guest, delays, sent)


def judge(guest: Guest, delays: list[float], sent: list[tuple[int, float]]) -> None:
    """Compare what a guest has heard with its stays."""
    numbers = [number for number, _ in guest.heard]
    assert len(set(numbers)) == len(numbers)
    for number, (server, time) in enumerate(sent):
        way = 0 if server == guest.server else delays[server] + delays[guest.server]
        arrival = time + way
        if any(one.returned <= time and arrival < one.left for one in guest.stays):
            assert number in numbers
        elif not any(one.called <= arrival < one.left for one in guest.stays):
            assert number not in numbers
    for number, moment in guest.heard:
        server, time = sent[number]
        way = 0 if server == guest.server else delays[server] + delays[guest.server]
        assert moment == pytest.approx(time + way)
    for server in range(len(delays)):
        of_one = [number for number in numbers if sent[number][0] == server]
        assert of_one == sorted(of_one)


times = st.integers(0, 50)


@pytest.mark.parametrize("count", [1, 2, 3])
@examples(60)
@given(
    delays=st.lists(st.sampled_from([0, 0.031, 0.15]), min_size=3, max_size=3),
    guests=st.lists(st.lists(times, min_size=1, max_size=5, unique=True), min_size=2, max_size=4),
    emits=st.lists(st.tuples(st.integers(0, 2), times), min_size=10, max_size=30),
)
def test_whoever_is_in_a_room_hears_what_is_sent_there(
    count: int, delays: list[float], guests: list[list[int]], emits: list[tuple[int, int]]
) -> None:
    clock = trio.testing.MockClock(autojump_threshold=0)
    trio.run(partial(run, delays[:count], guests, emits), clock=clock)
