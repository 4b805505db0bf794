"""A cluster in memory, as tests of applications use it."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import Server, Socket
from trio_sio.statistics import AdapterStatistics
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock


async def test_servers_of_one_process_are_one_cluster(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join("web-1")), Server(adapter=cluster.join())
    assert [node.broker.name for node in cluster.nodes] == ["web-1", "node-2"]

    @one.on("say")
    async def say(socket: Socket, words: str) -> None:
        await socket.broadcast.emit("said", words)

    async with one, two, connect(one) as anna, connect(two) as bert:
        await anna.emit("say", "hello")
        assert await bert.receive() == ["said", "hello"]
        assert await one.clients() == {anna.id, bert.id}


async def test_a_message_takes_the_delays_of_both_servers(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join(delay=1)), Server(adapter=cluster.join(delay=0.5))
    async with one, two, connect(one) as anna, connect(two) as bert:
        begun = trio.current_time()
        await one.emit("hello")
        assert await anna.receive() == ["hello"]
        assert trio.current_time() == begun
        assert await bert.receive() == ["hello"]
        assert trio.current_time() - begun == pytest.approx(1.5)


async def test_who_is_cut_off_misses_what_is_sent(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join(delay=0.1)
    one, two = Server(adapter=node), Server(adapter=cluster.join(delay=0.1))
    async with one, two, connect(one) as anna, connect(two) as bert:
        await two.emit("on its way")
        await trio.sleep(0.15)
        node.cut()
        node.cut()
        await one.emit("lost on the way there")
        await two.emit("lost on the way back")
        assert not one.statistics().adapter.healthy
        assert one.statistics().adapter.problem == "it is cut off"
        assert one.statistics().adapter.dropped == 1
        assert two.statistics().adapter.nodes == 1
        await trio.sleep(1)
        node.mend()
        node.mend()
        await trio.sleep(1)
        await one.emit("again")
        await trio.sleep(1)
        await two.emit("and back")
        assert [await anna.receive() for _ in range(3)] == [
            ["lost on the way there"],
            ["again"],
            ["and back"],
        ]
        expected = [["on its way"], ["lost on the way back"], ["again"], ["and back"]]
        assert [await bert.receive() for _ in range(4)] == expected
        assert one.statistics().adapter == AdapterStatistics(
            published=1, received=1, dropped=1, subscriptions=8, nodes=2
        )


async def test_a_server_that_ends_sends_what_it_has_said(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join(delay=0.1)), Server(adapter=cluster.join())

    @one.on("disconnect")
    async def disconnect(socket: Socket, reason: str) -> None:
        await socket.broadcast.emit("gone")

    async with two, connect(two) as bert:
        async with one, connect(one):
            await trio.sleep(1)
        assert await bert.receive() == ["gone"]
        await wait_all_tasks_blocked()
        assert two.statistics().adapter.nodes == 1
        async with one, connect(one) as anna:  # it can be run again
            await trio.sleep(1)
            await two.emit("welcome back")
            assert await anna.receive() == ["welcome back"]
