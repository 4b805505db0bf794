"""How a namespace reaches the other servers."""

import trio

from tests.support.foreign_node import ForeignNode, Host, settle
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.cluster.v8.post import Post
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.testing.cluster import KEY, ClusterNode, MemoryCluster


def post_of(node: ClusterNode) -> Post:
    channels = Channels(KEY, "/")
    subscription = node.broker.open(channels, lambda channel, payload: 1)
    return Post(node.broker, channels, subscription, Member(), 5.0)


async def test_messages_and_counts(autojump_clock: trio.abc.Clock) -> None:
    cluster = MemoryCluster()
    one, two = cluster.join(), cluster.join()
    post, other = post_of(one), ForeignNode(two, "/")
    assert await post.count_others() is None  # it is not connected
    async with trio.open_nursery() as nursery:
        await nursery.start(one.run, Host())
        assert await post.count_others() == 0
        await nursery.start(two.run, Host())
        await settle()
        assert await post.count_others() == 1
        await post.request(b"request")
        await post.respond(b"response")
        post.respond_nowait(b"another")
        await settle()
        assert other.take(other.channels.request) == [b"request"]
        assert other.take(other.channels.response) == [b"response", b"another"]
        nursery.cancel_scope.cancel()
