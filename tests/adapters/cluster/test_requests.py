"""What one server of a cluster asks the others: who responds, and what is missing of it."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from tests.support.foreign_node import ForeignNode, foreign, settle
from trio_sio import LocalProtocolError, NoAnswer, Server, Socket
from trio_sio.adapters.cluster.pending import MAX_PENDING
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock
Fields = dict[str, JSON]


@asynccontextmanager
async def answering(
    other: ForeignNode, answer: Callable[[Fields], Fields | None]
) -> AsyncIterator[list[Fields]]:
    """Have a foreign server respond to requests; what it was asked is in the list."""
    asked: list[Fields] = []

    async def run() -> None:
        while True:
            await trio.sleep(0.01)
            for payload in other.take(other.channels.request):
                request = json.loads(payload)
                asked.append(request)
                reply = answer(request)
                if reply is not None:
                    response = {"requestid": request["requestid"], **reply}
                    await other.send(other.channels.response, json.dumps(response).encode())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        yield asked
        nursery.cancel_scope.cancel()


async def test_everyone_is_asked(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join()), Server(adapter=cluster.join())

    @two.on("connection")
    async def connection(socket: Socket) -> None:
        await socket.join("red")

    async with one, two, connect(one) as anna, connect(two) as bert, connect(two) as carl:
        await settle()
        everyone = await one.clients()
        assert everyone == {anna.id, bert.id, carl.id}
        assert everyone.complete
        assert await two.clients() == everyone
        assert await one.to("red").clients() == {bert.id, carl.id}
        assert await one.to("nobody").clients() == set()
        assert await one.to("red", anna.id).clients() == everyone
        rooms = await one.sockets.adapter.all_rooms()
        assert rooms == {anna.id, bert.id, carl.id, "red"}
        assert rooms.complete
        assert await one.sockets.adapter.client_rooms(bert.id) == {bert.id, "red"}
        assert await one.sockets.adapter.client_rooms(anna.id) == {anna.id}


async def test_sockets_of_other_servers(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join()), Server(adapter=cluster.join())
    reasons: list[str] = []

    @two.on("disconnect")
    def disconnect(socket: Socket, reason: str) -> None:
        reasons.append(reason)

    adapter, far = one.sockets.adapter, two.sockets.adapter
    async with one, two, connect(one) as anna, connect(two) as bert, connect(two) as carl:
        await settle()
        for sid in (anna.id, bert.id):
            await adapter.remote_join(sid, "red")
            await adapter.remote_join(sid, "red")
        assert await far.clients(["red"]) == {anna.id, bert.id}
        for sid in (anna.id, bert.id):
            await adapter.remote_leave(sid, "red")
            await adapter.remote_leave(sid, "never joined")
        assert await far.clients(["red"]) == set()
        await adapter.remote_disconnect(bert.id)
        await adapter.remote_disconnect(carl.id, close=True)
        await settle()
        assert reasons == ["server namespace disconnect", "server namespace disconnect"]
        assert len(two.router.clients) == 1  # bert's connection has stayed
        await adapter.remote_disconnect(anna.id)
        assert await far.clients([]) == set()


async def test_custom_requests(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join()) for _ in range(3)]
    adapters = [io.sockets.adapter for io in ios]
    asked: list[JSON] = []

    @adapters[0].on_custom_request
    async def slow(data: JSON) -> JSON:
        await trio.sleep(1)
        return "slow"

    @adapters[1].on_custom_request
    def quick(data: JSON) -> JSON:
        asked.append(data)
        return {"got": data}

    async with ios[0], ios[1], ios[2]:
        await settle()
        replies = await adapters[0].custom_request({"q": [1, None]})
        assert replies[:2] in ([{"got": {"q": [1, None]}}, None], [None, {"got": {"q": [1, None]}}])
        assert replies[2:] == ["slow"]
        assert await adapters[2].custom_request() == [None, {"got": None}, "slow"]
        assert asked == [{"q": [1, None]}, None]
        with pytest.raises(LocalProtocolError):
            await adapters[1].custom_request({1, 2})  # type: ignore[arg-type]
        assert len(asked) == 2


async def test_what_is_sent_is_what_javascript_sends(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())
    adapter = io.sockets.adapter

    def answer(request: Fields) -> Fields:
        return {
            0: {"clients": ["x", "y"]},
            1: {"rooms": ["x", "red"]},
            2: {"rooms": ["x", "blue"]},
            5: {"data": {"a": 1}},
        }.get(request["type"], {})  # type: ignore[arg-type, return-value]

    async with io, foreign(cluster) as other, answering(other, answer) as asked:
        assert await adapter.clients(["red"]) == {"x", "y"}
        assert await adapter.client_rooms("x") == {"x", "red"}
        assert await adapter.all_rooms() == {"x", "blue"}
        await adapter.remote_join("x", "red")
        await adapter.remote_leave("x", "red")
        assert await adapter.custom_request({"q": 1}) == [None, {"a": 1}]
        await adapter.remote_disconnect("x", close=True)
    ids = [request.pop("requestid") for request in asked]
    assert len(set(map(str, ids))) == 7
    assert [list(request.items()) for request in asked] == [
        [("type", 0), ("rooms", ["red"])],
        [("type", 1), ("sid", "x")],
        [("type", 2)],
        [("type", 3), ("sid", "x"), ("room", "red")],
        [("type", 4), ("sid", "x"), ("room", "red")],
        [("type", 5), ("data", {"q": 1})],
        [("type", 6), ("sid", "x"), ("close", True)],
    ]


async def test_whoever_is_missing_is_named(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join()), Server(adapter=cluster.join("web-2:17", delay=60))
    async with one, two, foreign(cluster), connect(one) as anna:
        await trio.sleep(100)
        begun = trio.current_time()
        found = await one.clients()
        assert trio.current_time() - begun == pytest.approx(5)
        assert found == {anna.id}
        assert found.missing == ("web-2:17", "1 node that does not announce itself")
        async with foreign(cluster), foreign(cluster, "/elsewhere"):
            assert (await one.sockets.adapter.all_rooms()).missing == (
                "web-2:17",
                "2 nodes that do not announce themselves",
            )
        with pytest.raises(NoAnswer, match="waiting for customRequest response") as caught:
            await one.sockets.adapter.custom_request()
        assert caught.value.replies == [None]
        assert caught.value.missing == ("web-2:17", "1 node that does not announce itself")
        assert one.statistics().adapter.unanswered == 3
    told = [one.getMessage() for one in caplog.records if one.name == "trio_sio.adapters"]
    assert told[0] == (
        "the clients response for / is incomplete: "
        "missing web-2:17, 1 node that does not announce itself"
    )
    assert [one.levelno for one in caplog.records][:3] == [logging.WARNING] * 3


async def test_servers_that_do_not_have_the_namespace_are_not_missing(
    autojump_clock: Clock,
) -> None:
    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join()), Server(adapter=cluster.join("web-2"))
    one.of("/chat")
    async with one, two, connect(one, "/chat") as anna:
        found = await one.of("/chat").clients()
        assert found == {anna.id}
        assert found.complete
        async with Server(adapter=cluster.join("web-3")), foreign(cluster, "/chat"):
            found = await one.of("/chat").clients()
            assert found.missing == ("1 of web-2, web-3",)


async def test_the_own_hook_may_be_too_slow(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = (Server(adapter=cluster.join(requests_timeout=2)) for _ in range(2))

    @one.sockets.adapter.on_custom_request
    async def slow(data: JSON) -> None:
        await trio.sleep(3)

    async with one, two:
        with pytest.raises(NoAnswer) as caught:
            await one.sockets.adapter.custom_request()
        assert caught.value.replies == [None]
        assert caught.value.missing == ("this server",)
        with pytest.raises(NoAnswer) as caught:
            await two.sockets.adapter.custom_request()
        assert caught.value.missing == ("node-1",)


async def test_the_own_hook_may_fail(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())

    @io.sockets.adapter.on_custom_request
    def failing(data: JSON) -> JSON:
        raise ValueError("of the hook")

    async with io:
        with pytest.raises(ValueError, match="of the hook"):
            await io.sockets.adapter.custom_request()
        assert await io.clients() == set()


async def test_nobody_has_the_socket(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())
    adapter = io.sockets.adapter
    questions: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("remoteJoin", lambda: adapter.remote_join("x", "red")),
        ("remoteLeave", lambda: adapter.remote_leave("x", "red")),
        ("remoteDisconnect", lambda: adapter.remote_disconnect("x")),
        ("rooms", lambda: adapter.client_rooms("x")),
    ]
    async with io:
        begun = trio.current_time()
        for name, ask in questions:
            with pytest.raises(NoAnswer, match=f"no server has the socket: no {name} response"):
                await ask()
        assert trio.current_time() == begun
        async with foreign(cluster):
            for number, (name, ask) in enumerate(questions, 1):
                with pytest.raises(
                    trio.TooSlowError, match=f"timeout reached while waiting for {name} response"
                ):
                    await ask()
                assert trio.current_time() - begun == pytest.approx(5 * number)


async def test_while_cut_off(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    one, two = Server(adapter=node), Server(adapter=cluster.join("web-2"))
    adapter = one.sockets.adapter
    async with one, two, connect(one) as anna:
        node.cut()
        begun = trio.current_time()
        found = await one.clients()
        assert found == {anna.id}
        assert found.missing == ("web-2",)
        with pytest.raises(NoAnswer, match="customRequest") as caught:
            await adapter.custom_request()
        assert caught.value.replies == [None]
        with pytest.raises(NoAnswer, match="the other servers cannot be reached: no remoteJoin"):
            await adapter.remote_join("x", "red")
        assert trio.current_time() == begun
        node.mend()
        await settle()
        assert (await one.clients()).complete
    async with one:
        node.cut()
        assert (await one.clients()).missing == ("the other servers, which cannot be reached",)


async def test_a_server_counts_once_and_whoever_comes_late_not_at_all(
    autojump_clock: Clock,
) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())

    async with io, foreign(cluster) as other, foreign(cluster):

        async def respond(number: int, **fields: JSON) -> None:
            (request,) = other.take(other.channels.request)
            response = {"requestid": json.loads(request)["requestid"], **fields}
            for _ in range(number):
                await other.send(other.channels.response, json.dumps(response).encode())

        for node, number in (("uid001", 3), (None, 1)):
            with trio.move_on_after(1):
                async with trio.open_nursery() as nursery:
                    results: list[object] = []

                    async def ask() -> None:
                        results.append(await io.clients())  # noqa: B023

                    nursery.start_soon(ask)
                    await settle()
                    await respond(number, clients=["a"], node=node)
                    assert results == []
                    other.take(other.channels.request)
            assert results == []
        # Nobody waits for these any more.
        await other.send(other.channels.response, b'{"requestid":"unknown","clients":["a"]}')
        result = await io.clients()
        assert result == set()
        assert len(result.missing) == 1


async def test_concurrent_requests(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = Server(adapter=cluster.join(delay=0.1)), Server(adapter=cluster.join())
    two.sockets.adapter.on_custom_request(lambda data: data)
    replies: dict[int, list[JSON]] = {}

    async def ask(number: int) -> None:
        replies[number] = await one.sockets.adapter.custom_request(number)

    async with one, two:
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(ask, number)
    assert replies == {number: [None, number] for number in range(50)}


async def test_the_end_of_a_namespace_ends_its_requests(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())
    io.of(lambda name, query: True)
    errors: list[NoAnswer] = []

    async def ask() -> None:
        with pytest.raises(NoAnswer) as caught:
            await namespace.adapter.clients(())  # `namespace.clients` would have it stay
        errors.append(caught.value)

    async with io, foreign(cluster, "/room"), connect(io, "/room") as anna:
        await settle()
        namespace = io.router.namespaces["/room"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await settle()
            begun = trio.current_time()
            await anna.leave()
        assert trio.current_time() == begun
        await ask()
        assert [str(one) for one in errors] == [
            "the namespace was dropped: no clients response"
        ] * 2


async def test_so_many_requests_at_a_time(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())
    found: list[object] = []

    async def ask() -> None:
        found.append(await io.clients())

    async with io, foreign(cluster) as other:
        begun = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(MAX_PENDING + 5):
                nursery.start_soon(ask)
            await settle()
            assert len(other.take(other.channels.request)) == MAX_PENDING
            await trio.sleep(2)
            nursery.cancel_scope.cancel()  # what is cancelled makes room
        async with answering(other, lambda request: {"clients": ["x"]}):
            assert await io.clients() == {"x"}
        assert trio.current_time() - begun < 3
        assert found == []


async def test_who_waits_for_a_turn_does_not_wait_longer_than_others(
    autojump_clock: Clock,
) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join())
    found: list[tuple[str, ...]] = []

    async def ask() -> None:
        found.append((await io.clients()).missing)

    async with io, foreign(cluster):
        begun = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(MAX_PENDING + 5):
                nursery.start_soon(ask)
        assert trio.current_time() - begun == pytest.approx(5)
        assert len(found) == MAX_PENDING + 5
        assert set(found) == {("1 node that does not announce itself",)}
