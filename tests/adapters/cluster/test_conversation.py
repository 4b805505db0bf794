"""What all servers can be asked in the format of socket.io-redis 5; `test_adapter` has the rest."""

import json

import pytest
import trio

from tests.support.foreign_node import foreign, settle
from trio_sio import NoAnswer, Server
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock


async def test_it_is_on_the_channels_of_javascript(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(requests_timeout=1))
    async with foreign(cluster) as other, one, connect(one) as anna:
        await settle()
        await one.clients()
        (request,) = other.take(other.channels.request)
        assert json.loads(request).keys() == {"requestid", "type", "rooms"}
        await other.send(
            other.channels.request, b'{"requestid":"a","type":1,"sid":"%b"}' % anna.id.encode()
        )
        (response,) = other.take(other.channels.response)
        assert json.loads(response) == {"requestid": "a", "rooms": [anna.id], "node": "node01"}


async def test_custom_requests_among_servers_of_this_library(autojump_clock: Clock) -> None:
    """In a cluster of the other generation, JavaScript's hear nothing of them."""
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(generation=4))
    two = Server(adapter=cluster.join(generation=4))
    for number, io in enumerate((one, two)):
        io.sockets.adapter.on_custom_request(lambda data, number=number: [number, data])
    async with foreign(cluster) as other, one, two:
        await settle()
        replies = await one.sockets.adapter.custom_request({"a": 1})
        assert sorted(replies, key=str) == [[0, {"a": 1}], [1, {"a": 1}]]
        assert other.heard == []


async def test_a_namespace_that_is_dropped(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join())
    adapter = one.sockets.adapter
    async with foreign(cluster), one, trio.open_nursery() as nursery:
        await settle()

        async def ask() -> None:
            with pytest.raises(NoAnswer, match="the namespace was dropped: no clients response"):
                await adapter.clients(())

        nursery.start_soon(ask)
        await settle()
        adapter.close()
