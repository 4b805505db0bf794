"""The verbs for many sockets; `test_many_sockets.py` has what they do in a cluster."""

from typing import TYPE_CHECKING

from trio.testing import MockClock

from trio_sio import Server
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

if TYPE_CHECKING:
    from trio_sio.abc import Adapter
    from trio_sio.adapters.cluster.adapter import ClusterAdapter

    def fits(adapter: ClusterAdapter) -> Adapter:
        return adapter


async def test_a_local_target_is_of_this_server_alone(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join()) for _ in range(2)]
    async with ios[0], ios[1], connect(ios[0]) as anna, connect(ios[1]):
        published = cluster.nodes[0].broker.published
        target = ios[0].local
        assert [one.id for one in await target.fetch_sockets()] == [anna.id]
        await target.sockets_join("red", "green")
        await target.sockets_leave("red")
        assert ios[0].sockets.connected[anna.id].rooms == {anna.id, "green"}
        await target.disconnect_sockets()
        assert cluster.nodes[0].broker.published == published


async def test_a_server_that_is_cut_off_counts_itself(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join()) for _ in range(3)]
    async with ios[0], ios[1], ios[2]:
        adapter = ios[0].sockets.adapter
        assert await adapter.server_count() == 3
        cluster.nodes[0].cut()
        assert await adapter.server_count() == 1
