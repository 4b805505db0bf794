"""Clients of one server are asked for another one: what that is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.adapters.cluster.v8.test_post import post_of
from tests.support.foreign_node import ForeignNode, Host, settle
from tests.support.recipient import Bystander
from trio_sio import Server
from trio_sio.abc import Flags, Target
from trio_sio.adapters.cluster.told import MAX_STATEMENT
from trio_sio.adapters.cluster.v8.surveyor import Surveyor
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.protocol.cluster.v8.request import Request, RequestKind
from trio_sio.protocol.cluster.v8.response import Response, ResponseKind, decode_response
from trio_sio.protocol.cluster.v8.selection import Manner
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock
COUNT, ANSWER = ResponseKind.CLIENT_COUNT, ResponseKind.ANSWER


def request(*, departures: bool = True, timeout: float | None = 3.0) -> Request:
    packet = Packet(PacketType.EVENT, "/", ["ask"])
    manner = Manner(timeout=timeout)
    kind = RequestKind.BROADCAST
    return Request(kind, "js", "x", packet=packet, manner=manner, departures=departures)


class Scene:
    """A server whose clients are asked, and the one that asks.

    Args:
        sockets: of the server.
    """

    def __init__(self, *sockets: Bystander) -> None:
        cluster = MemoryCluster()
        self.node, self.asking = cluster.join(), cluster.join()
        self.post = post_of(self.node)
        namespace = Server().sockets
        for number, socket in enumerate(sockets):
            namespace.sockets[str(number)] = socket  # type: ignore[assignment]  # it will do
        self.surveyor = Surveyor(MemoryAdapter(namespace), self.post)
        self.other = ForeignNode(self.asking, "/")
        self.host = Host()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have both servers connected."""
        async with trio.open_nursery() as nursery:
            for node in (self.node, self.asking):
                await nursery.start(node.run, self.host)
            await nursery.start(self.post.member.run, self.host)
            await settle()
            yield
            nursery.cancel_scope.cancel()
        assert self.host.errors == []

    async def told(self) -> list[Response]:
        """Return what the one that asks has been told since the last time."""
        await settle()
        return list(map(decode_response, self.other.take(self.other.channels.response)))


async def test_answers_and_departures_are_told(autojump_clock: Clock) -> None:
    anna, bert, carl = (Bystander() for _ in range(3))
    scene = Scene(anna, bert, carl)
    async with scene.running():
        scene.surveyor.ask(request(), Target())
        assert [len(one.heard) for one in (anna, bert, carl)] == [1, 1, 1]
        assert await scene.told() == [Response("x", COUNT, count=3, node="node01")]
        anna.answer("one", b"two")
        assert await scene.told() == [Response("x", ANSWER, args=("one", b"two"), node="node01")]
        bert.go()
        assert await scene.told() == [Response("x", COUNT, departed=1, node="node01")]
        carl.answer()
        assert await scene.told() == [Response("x", ANSWER, node="node01")]
    assert not any(one.owed for one in (anna, bert, carl))


async def test_javascript_is_not_told_of_departures(autojump_clock: Clock) -> None:
    anna = Bystander()
    scene = Scene(anna)
    async with scene.running():
        scene.surveyor.ask(request(departures=False), Target())
        assert len(await scene.told()) == 1
        anna.go()
        assert await scene.told() == []


async def test_nobody_is_here(autojump_clock: Clock) -> None:
    scene = Scene()
    async with scene.running():
        scene.surveyor.ask(request(), Target(frozenset(["a"])))
        assert await scene.told() == [Response("x", COUNT, count=0, node="node01")]


async def test_volatile_ones_that_cannot_take_it_are_not_asked(autojump_clock: Clock) -> None:
    scene = Scene(Bystander(can_take=False), Bystander())
    async with scene.running():
        scene.surveyor.ask(request(), Target(flags=Flags(volatile=True)))
        assert await scene.told() == [Response("x", COUNT, count=1, node="node01")]


async def test_who_owes_too_much_is_counted_and_never_answers(autojump_clock: Clock) -> None:
    anna = Bystander()
    scene = Scene(anna, Bystander(limit=0))
    async with scene.running():
        scene.surveyor.ask(request(), Target())
        assert await scene.told() == [Response("x", COUNT, count=2, node="node01")]
        anna.answer(1)
        assert len(await scene.told()) == 1


@pytest.mark.parametrize("said", [3.0, None])
async def test_answers_are_forgotten_in_time(autojump_clock: Clock, said: float | None) -> None:
    """JavaScript's servers without a timeout have given up by then."""
    anna = Bystander()
    scene = Scene(anna)
    async with scene.running():
        scene.surveyor.ask(request(timeout=said), Target())
        await trio.sleep((said or scene.post.timeout) - 0.1)
        assert anna.owed
        await trio.sleep(0.2)
        assert not anna.owed


async def test_too_much_is_under_way(autojump_clock: Clock) -> None:
    anna = Bystander()
    scene = Scene(anna)
    async with scene.running():
        scene.post.member.max_answers = 0
        scene.surveyor.ask(request(), Target())
        assert not anna.owed
        assert scene.post.member.counters.refused == 1


@pytest.mark.parametrize("answer", [object(), "x" * MAX_STATEMENT], ids=["odd", "too large"])
async def test_an_answer_that_cannot_be_sent(autojump_clock: Clock, answer: JSON) -> None:
    """A parser of the application's own makes anything; a client says as much as it likes."""
    anna, bert = Bystander(), Bystander()
    scene = Scene(anna, bert)
    async with scene.running():
        scene.surveyor.ask(request(), Target())
        await scene.told()
        anna.answer(answer)
        bert.answer(1)
        assert await scene.told() == [Response("x", ANSWER, args=(1,), node="node01")]
