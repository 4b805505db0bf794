"""What one server of a cluster responds to the others, in the bytes of JavaScript's."""

import json

import pytest
import trio

from tests.support.foreign_node import ForeignNode, foreign, settle
from trio_sio import Server, Socket
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import connect
from trio_sio.testing.cluster import ClusterNode, MemoryCluster

Clock = trio.abc.Clock


async def ask(other: ForeignNode, **fields: JSON) -> dict[str, JSON] | None:
    """Send a request, and return what one server responds at once; or nothing."""
    request = json.dumps({"requestid": "abcDEF", **fields}, separators=(",", ":"))
    await other.send(other.channels.request, request.encode())
    return take(other)


def take(other: ForeignNode) -> dict[str, JSON] | None:
    responses = [json.loads(payload) for payload in other.take(other.channels.response)]
    other.take(other.channels.request)
    assert len(responses) <= 1
    for response in responses:
        assert response.pop("requestid") == "abcDEF"
        assert response.pop("node") == "node01"
    return responses[0] if responses else None


async def test_lookups(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    io = Server(adapter=node)

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        await socket.join("red")

    async with io, foreign(cluster) as other:
        assert await ask(other, type=0, rooms=[]) == {"clients": []}
        assert await ask(other, type=2) == {"rooms": []}
        async with connect(io) as anna, connect(io) as bert:
            await settle()
            assert await ask(other, type=0, rooms=[]) == {"clients": [anna.id, bert.id]}
            assert await ask(other, type=0, rooms=["red"]) == {"clients": [anna.id, bert.id]}
            assert await ask(other, type=0, rooms=[anna.id, "no"]) == {"clients": [anna.id]}
            assert await ask(other, type=0, rooms=["no"]) == {"clients": []}
            assert await ask(other, type=2) == {"rooms": [anna.id, "red", bert.id]}
            assert await ask(other, type=1, sid=anna.id) == {"rooms": [anna.id, "red"]}
            assert await ask(other, type=1, sid="unknown") is None
    assert node.statistics().received == 8
    assert node.statistics().invalid == 0


async def test_commands(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join(), max_rooms=1)
    async with io, foreign(cluster) as other, connect(io) as anna, connect(io) as bert:
        adapter = io.sockets.adapter
        for _ in range(2):  # JavaScript answers even if there is nothing to do
            assert await ask(other, type=3, sid=anna.id, room="red") == {}
            assert adapter.rooms_of(anna.id) == {anna.id, "red"}
        for _ in range(2):
            assert await ask(other, type=4, sid=anna.id, room="red") == {}
            assert adapter.rooms_of(anna.id) == {anna.id}
        assert await ask(other, type=3, sid="unknown", room="red") is None
        assert await ask(other, type=4, sid="unknown", room="red") is None
        assert await ask(other, type=6, sid="unknown", close=True) is None
        assert await ask(other, type=6, sid=anna.id, close=False) == {}
        assert set(io.sockets.connected) == {bert.id}
        assert len(io.router.clients) == 2
        assert await ask(other, type=6, sid=bert.id, close=True) == {}
        await settle()
        assert len(io.router.clients) == 1


async def test_joining_is_confirmed_before_it_is_answered(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join(delay=0.1))
    async with io, foreign(cluster) as other, connect(io) as anna:
        assert await ask(other, type=3, sid=anna.id, room="red") is None
        await trio.sleep(0.25)
        assert take(other) is None  # the request came after 0.1 s, the confirmation after 0.3 s
        await trio.sleep(0.25)
        assert take(other) == {}


async def test_a_room_too_many_is_not_joined_and_not_answered(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join(), max_rooms=1)
    async with io, foreign(cluster) as other, connect(io) as anna:
        assert await ask(other, type=3, sid=anna.id, room="red") == {}
        assert await ask(other, type=3, sid=anna.id, room="blue") is None
        assert io.sockets.adapter.rooms_of(anna.id) == {anna.id, "red"}
        assert "did not join a room as another server asked" in caplog.text
        assert "max_rooms is 1" in caplog.text
        assert io.statistics().limits["max_rooms"] == 1


async def test_hooks(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())
    adapter = io.sockets.adapter
    async with io, foreign(cluster) as other:
        assert await ask(other, type=5, data={"q": 1}) == {"data": None}
        adapter.on_custom_request(lambda data: ["sync", data])
        assert await ask(other, type=5, data={"q": 1}) == {"data": ["sync", {"q": 1}]}
        assert await ask(other, type=5, data=None) == {"data": ["sync", None]}

        @adapter.on_custom_request
        async def slow(data: JSON) -> JSON:
            await trio.sleep(1)
            return "slow"

        assert await ask(other, type=5, data=1) is None
        await trio.sleep(2)
        assert take(other) == {"data": "slow"}


@pytest.mark.parametrize("reply", [{1, 2}, ValueError("of the hook")], ids=repr)
async def test_a_hook_that_fails_is_reported_and_nothing_answered(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture, reply: object
) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join(), raise_errors=False)

    @io.sockets.adapter.on_custom_request
    def failing(data: JSON) -> object:
        if isinstance(reply, Exception):
            raise reply
        return reply

    async with io, foreign(cluster) as other:
        assert await ask(other, type=5, data=None) is None
        assert "a request of another server could not be answered" in caplog.text
        io.sockets.adapter.on_custom_request(lambda data: "better")
        assert await ask(other, type=5, data=None) == {"data": "better"}
        assert io.statistics().adapter.failures == 0


async def test_a_socket_that_leaves_before_its_turn_comes(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())
    async with io, foreign(cluster) as other, connect(io) as anna:
        for _ in range(2):
            request = {"requestid": "abcDEF", "type": 6, "sid": anna.id, "close": True}
            other.post(other.channels.request, json.dumps(request).encode())
        other.post(other.channels.request, json.dumps({**request, "type": 3, "room": "r"}).encode())
        await settle()
        assert len(other.take(other.channels.response)) >= 1
        assert io.sockets.adapter.rooms_of(anna.id) == set()


@pytest.mark.parametrize(
    "request_text",
    [
        "",
        "secret",
        "[]",
        '{"requestid":"","type":0,"rooms":[]}',
        '{"requestid":1,"type":0,"rooms":[]}',
        '{"requestid":"a","type":0,"rooms":"secret"}',
        '{"requestid":"a","type":0,"rooms":[{}]}',
        '{"requestid":"a","type":1,"sid":{}}',
        '{"requestid":"a","type":3,"sid":"SID","room":[7]}',
        '{"requestid":"a","type":3,"sid":"SID"}',
        '{"requestid":"a","type":3,"sid":["SID"],"room":"secret"}',
        '{"requestId":"secret","type":3,"uid":"other1"}',
        "[" * 100_000,
    ],
)
async def test_bad_requests(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture, request_text: str
) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    io = Server(adapter=node)
    async with io, foreign(cluster) as other, connect(io) as anna:
        text = request_text.replace("SID", anna.id)
        await other.send(other.channels.request, text.encode())
        assert other.take(other.channels.response) == []
        assert io.sockets.adapter.rooms_of(anna.id) == {anna.id}
        assert "secret" not in caplog.text
        assert await ask(other, type=0, rooms=[]) == {"clients": [anna.id]}
        assert node.statistics().invalid == 1


async def test_unknown_types_are_ignored(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    async with Server(adapter=node), foreign(cluster) as other:
        assert await ask(other, type=7, sid="x") is None
        assert await ask(other) is None
        assert await ask(other, type=2) == {"rooms": []}


async def test_too_many_answers_under_way_are_refused(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = MemoryCluster()
    node: ClusterNode = cluster.join()
    io = Server(adapter=node)

    @io.sockets.adapter.on_custom_request
    async def slow(data: JSON) -> JSON:
        await trio.sleep(1)
        return None

    limit = node.member.max_answers
    async with io, foreign(cluster) as other:
        for number in range(limit + 3):
            request = {"requestid": str(number), "type": 5, "data": None}
            other.post(other.channels.request, json.dumps(request).encode())
        await trio.sleep(2)
        assert len(other.take(other.channels.response)) == limit
        assert node.statistics().dropped == 3
        assert f"{limit} answers are under way" in caplog.text
        assert await ask(other, type=2) == {"rooms": []}
