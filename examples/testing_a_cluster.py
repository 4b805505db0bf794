"""Testing an application on several servers: no Redis, one process, one clock."""

import pytest
import trio

import trio_sio
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster


def application(adapter):
    io = trio_sio.Server(adapter=adapter)

    @io.on("join")
    async def join(socket, room):
        await socket.join(room)
        return "ok"

    @io.on("say")
    async def say(socket, room, text):
        await io.to(room).emit("said", text)

    return io


@pytest.fixture
def cluster():
    return MemoryCluster()


async def test_a_room_is_on_all_servers(cluster, autojump_clock):
    one = application(cluster.join(delay=0.05))  # seconds to the broker
    two = application(cluster.join(delay=0.05))
    async with one, two, connect(one) as anna, connect(two) as ben:
        assert await ben.call("join", "kitchen") == ["ok"]
        await anna.emit("say", "kitchen", "soup is ready")
        assert await ben.receive() == ["said", "soup is ready"]
        assert await one.to("kitchen").clients() == {ben.id}


async def test_the_network_fails_for_a_while(cluster, autojump_clock):
    node = cluster.join()
    one, two = application(node), application(cluster.join("kitchen-server"))
    async with one, two, connect(one) as anna, connect(two) as ben:
        node.cut()
        found = await one.clients()
        assert found == {anna.id}
        assert found.missing == ("kitchen-server",)
        await one.emit("news")
        assert await anna.receive() == ["news"]
        with trio.move_on_after(60) as lost:
            await ben.receive()
        assert lost.cancelled_caught
        node.mend()
        await trio.sleep(1)
        assert await one.clients() == {anna.id, ben.id}
