"""Sockets of other servers: what is known of them, and what is asked of the adapter.

`tests/adapters/cluster/test_many.py` has them in a cluster.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio
from trio.testing import MockClock

from trio_sio import Disconnected, MemoryAdapter, MissingAnswers, Packet, RemoteSocket, Server
from trio_sio.abc import AnswerCollector, GatheredList, Recipient, SocketDetails, Target
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

HANDSHAKE = {
    "headers": {"user-agent": "x"},
    "time": "Sun Nov 29 2026 20:36:35 GMT+0000",
    "address": "192.0.2.7",
    "xdomain": True,
    "secure": False,
    "issued": 1_795_984_595_000,
    "url": "/socket.io/?a=1",
    "query": {"a": ["1", "2"]},
    "auth": {"token": 1},
}


class Elsewhere(MemoryAdapter):
    """An adapter that knows of one socket of another server."""

    steps: list[object]

    def __init__(self, namespace: object) -> None:
        super().__init__(namespace)  # type: ignore[arg-type]  # it is one
        self.steps = []

    async def fetch_sockets(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
        here = await super().fetch_sockets(target)
        away = SocketDetails("far", HANDSHAKE, frozenset({"far", "red"}), {"name": "Fay"})  # type: ignore[arg-type]  # JSON
        return GatheredList([*here, away])

    async def broadcast(self, packet: Packet, target: Target) -> None:
        self.steps.append(("broadcast", packet.event, *packet.args, *target.rooms))

    @asynccontextmanager
    async def broadcast_with_ack(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AsyncIterator[None]:
        answers.expect("far")
        if packet.event == "gone?":
            answers.drop("far")
        else:
            answers.take("far", [packet.event, *target.rooms])
        yield

    async def add_sockets(self, target: Target, rooms: Collection[str]) -> None:
        self.steps.append(("add", *target.rooms, *rooms))

    async def remove_sockets(self, target: Target, rooms: Collection[str]) -> None:
        self.steps.append(("remove", *target.rooms, *rooms))

    async def disconnect_sockets(self, target: Target, close: bool = False) -> None:
        self.steps.append(("disconnect", *target.rooms, close))


async def test_what_is_known_of_it_and_what_it_does(autojump_clock: MockClock) -> None:
    io = Server(adapter=Elsewhere, raise_errors=True)
    async with connect(io) as anna:
        here, away = await io.fetch_sockets()
        assert here is io.sockets.connected[anna.id]
        assert isinstance(away, RemoteSocket)
        assert (away.id, away.data) == ("far", {"name": "Fay"})
        assert away.rooms == {"far", "red"}
        assert away.handshake.time == datetime(2026, 11, 29, 20, 36, 35, tzinfo=UTC)
        assert away.handshake.as_json() == HANDSHAKE
        assert (away.handshake.get("a"), away.handshake.auth) == ("2", {"token": 1})
        await away.emit("hello", 1)
        await away.join("a", "b")
        await away.leave("a")
        await away.disconnect()
        await away.disconnect(close=True)
        assert await away.call("there?") == ("there?", "far")
        with pytest.raises(Disconnected):
            await away.call("gone?")
        adapter = io.sockets.adapter
        assert isinstance(adapter, Elsewhere)
        assert adapter.steps == [
            ("broadcast", "hello", 1, "far"),
            ("add", "far", "a", "b"),
            ("remove", "far", "a"),
            ("disconnect", "far", False),
            ("disconnect", "far", True),
        ]


class Crowded(Elsewhere):
    """Others are in the room of its id."""

    @asynccontextmanager
    async def broadcast_with_ack(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AsyncIterator[None]:
        answers.expect("near", "far", "silent")
        answers.take("near", ["of another one"])
        if packet.event == "slow?":
            answers.drop("silent")
        else:
            answers.take("far", ["its own"])
        yield


async def test_an_answer_is_its_own_whoever_is_in_its_room(autojump_clock: MockClock) -> None:
    io = Server(adapter=Crowded, raise_errors=True)
    async with connect(io):
        _, away = await io.fetch_sockets()
        assert isinstance(away, RemoteSocket)
        begun = trio.current_time()
        assert await away.call("who?", timeout=60) == "its own"
        assert trio.current_time() == begun  # the others are not waited for
        with pytest.raises(MissingAnswers) as caught:
            await away.call("slow?", timeout=1)
        assert caught.value.missing == ("far",)


@pytest.mark.parametrize("delay", [0.0, 0.5])
async def test_in_a_cluster_whoever_answers_first(autojump_clock: MockClock, delay: float) -> None:
    cluster = MemoryCluster()
    one, two = (Server(adapter=cluster.join(), raise_errors=True) for _ in "12")
    async with one, two, connect(one) as anna, connect(two) as bert, connect(two) as carl:
        await trio.sleep(1)
        for io, guest in ((one, anna), (two, carl)):
            await io.sockets.connected[guest.id].join(bert.id)
        away = next(one for one in await one.fetch_sockets() if one.id == bert.id)
        people = (bert, anna, carl) if delay else (anna, carl, bert)

        async def answer() -> None:
            for client in people:
                packet = await client.receive_packet()
                await client.answer(packet, client.id)
                await trio.sleep(delay)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            assert await away.call("who?") == bert.id
