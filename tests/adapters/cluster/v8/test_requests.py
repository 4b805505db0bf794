"""Requests to other servers, and their responses: bytes as JavaScript sends them."""

import json

import pytest
import trio

from tests.support.foreign_node import ForeignNode, foreign, settle
from trio_sio import NoAnswer, Server
from trio_sio.adapters.cluster.pending import MAX_PENDING
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock


async def answer(other: ForeignNode, channel: bytes, **members: object) -> dict[str, object]:
    """Answer the only request that has come; return it."""
    await settle()
    (payload,) = other.take(other.channels.request)
    request: dict[str, object] = json.loads(payload)
    response = json.dumps({"requestId": request["requestId"], **members})
    await other.send(channel, response.encode())
    return request


@pytest.mark.parametrize("is_specific", [False, True])
async def test_a_response_on_either_channel(autojump_clock: Clock, is_specific: bool) -> None:
    """JavaScript's `publishOnSpecificResponseChannel`."""
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(generation=4))
    async with foreign(cluster) as other, one, trio.open_nursery() as nursery:
        await settle()
        found: list[object] = []

        async def ask() -> None:
            found.append(await one.sockets.adapter.all_rooms())

        nursery.start_soon(ask)
        await settle()
        channel = other.channels.response + (b"node01#" if is_specific else b"")
        request = await answer(other, channel, rooms=["a"])
        assert (request["uid"], request["type"]) == ("node01", 1)
        await settle()
        assert found == [{"a"}]


async def test_who_does_not_respond_is_missing(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(generation=4, requests_timeout=2))
    async with foreign(cluster), one:
        await settle()
        begun = trio.current_time()
        rooms = await one.sockets.adapter.all_rooms()
        assert trio.current_time() - begun == pytest.approx(2)
        assert rooms.missing == ("1 node that does not announce itself",)
        assert one.statistics().adapter.unanswered == 1


async def test_what_is_for_others_is_not_read(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(generation=4, requests_timeout=2))
    async with foreign(cluster) as other, one, trio.open_nursery() as nursery:
        await settle()
        nursery.start_soon(one.sockets.adapter.all_rooms)
        await settle()
        for payload in (b"{}", b"{", b'{"requestId":"n7Xnno","rooms":["a"]}'):
            await other.send(other.channels.response, payload)
        assert one.statistics().adapter.invalid == 0
        await other.send(other.channels.response, b'{"node01')
        assert one.statistics().adapter.invalid == 1


async def test_requests_wait_for_their_turn(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(generation=4, requests_timeout=9))
    async with foreign(cluster) as other, one, trio.open_nursery() as nursery:
        await settle()
        for _ in range(MAX_PENDING + 5):
            nursery.start_soon(one.sockets.adapter.all_rooms)
        await settle()
        assert len(other.take(other.channels.request)) == MAX_PENDING
        nursery.cancel_scope.cancel()


async def test_a_namespace_that_is_dropped(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(generation=4))
    adapter = one.sockets.adapter
    async with foreign(cluster), one, trio.open_nursery() as nursery:
        await settle()

        async def ask() -> None:
            with pytest.raises(NoAnswer, match="the namespace was dropped: no allRooms response"):
                await adapter.all_rooms()

        nursery.start_soon(ask)
        await settle()
        adapter.close()
        await settle()
        await ask()


async def test_the_owner_of_a_socket(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(generation=4, requests_timeout=2))
    adapter = one.sockets.adapter
    async with one:
        await settle()
        with pytest.raises(NoAnswer, match="no server has the socket: no remoteJoin response"):
            await adapter.remote_join("sid", "room")
        async with foreign(cluster) as other, foreign(cluster), trio.open_nursery() as nursery:
            await settle()
            with pytest.raises(NoAnswer, match="timeout reached while waiting for remoteLeave"):
                await adapter.remote_leave("sid", "room")
            other.take(other.channels.request)
            nursery.start_soon(adapter.remote_join, "sid", "room")
            request = await answer(other, other.channels.response)
            del request["requestId"]
            assert request == {"uid": "node01", "type": 2, "sid": "sid", "room": "room"}
