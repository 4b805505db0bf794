"""Servers of socket.io-redis 5; `test_many_sockets.py` has what they take part in."""

import json

from trio.testing import MockClock

from tests.support.foreign_node import foreign, settle
from trio_sio import Server
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster


async def test_they_are_asked_nothing_while_there_are_none(autojump_clock: MockClock) -> None:
    """A server that listens to its own channels alone sees what else is asked: nothing."""
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join()) for _ in range(2)]
    async with ios[0], ios[1], connect(ios[1]):
        async with foreign(cluster, "/elsewhere") as node:
            await ios[0].fetch_sockets()
            await ios[0].sockets_join("red")
            await settle()
            assert node.heard == []
        published = cluster.nodes[0].broker.published
        await ios[0].fetch_sockets()
        assert cluster.nodes[0].broker.published == published + 1


async def test_they_are_asked_who_is_there_and_who_is_excepted(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join(requests_timeout=0.1))
    async with io, foreign(cluster) as node:
        await io.to("red").fetch_sockets()
        (request,) = node.take(node.channels.request)
        assert json.loads(request)["rooms"] == ["red"]
        assert node.heard == []
