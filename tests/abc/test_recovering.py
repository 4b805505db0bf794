"""An adapter that keeps what clients miss: which of ours is one."""

from trio_sio import Server
from trio_sio.abc import RecoveringAdapter
from trio_sio.testing.cluster import MemoryCluster


async def test_the_adapter_of_one_server_is_one_and_that_of_a_cluster_is_not() -> None:
    assert isinstance(Server().sockets.adapter, RecoveringAdapter)
    in_a_cluster = Server(adapter=MemoryCluster().join()).sockets.adapter
    assert not isinstance(in_a_cluster, RecoveringAdapter)
