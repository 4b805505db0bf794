"""Requests of other servers, in the bytes of JavaScript's: what they are answered, what is done."""

import json
import logging
from contextlib import AsyncExitStack
from typing import Any

import msgpack
import pytest
import trio

from tests.support.foreign_node import ForeignNode, foreign, settle
from trio_sio import Server, Socket
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock


def servers(**options: Any) -> tuple[MemoryCluster, Server]:  # noqa: ANN401 - options of a server
    cluster = MemoryCluster()
    return cluster, Server(adapter=cluster.join(generation=4), raise_errors=False, **options)


async def ask(other: ForeignNode, request: dict[str, object]) -> list[dict[str, Any]]:
    """Send a request as JavaScript does; return the responses in JSON."""
    await other.send(other.channels.request, json.dumps({"uid": "n7Xnno", **request}).encode())
    responses = other.take(other.channels.response)
    other.take(other.channels.request)
    return [json.loads(one) for one in responses]


async def test_what_is_looked_up(autojump_clock: Clock) -> None:
    cluster, io = servers()

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        socket.data["name"] = "anna"
        await socket.join("red")

    async with foreign(cluster) as other, io, connect(io) as anna:
        await settle()
        common = {"requestId": "a", "node": "node01"}
        assert await ask(other, {"requestId": "a", "type": 0, "rooms": []}) == [
            {"requestId": "a", "sockets": [anna.id], "node": "node01"}
        ]
        assert await ask(other, {"requestId": "a", "type": 0, "rooms": ["x"]}) == [
            {**common, "sockets": []}
        ]
        assert await ask(other, {"requestId": "a", "type": 0, "rooms": [""], "fence": True}) == []
        (rooms,) = await ask(other, {"requestId": "a", "type": 1})
        assert sorted(rooms["rooms"]) == sorted([anna.id, "red"])
        for options, found in (
            ({"rooms": ["red"], "except": []}, 1),
            ({"rooms": ["red"], "except": [anna.id]}, 0),
            ({"rooms": ["blue"]}, 0),
        ):
            (fetched,) = await ask(other, {"requestId": "a", "type": 5, "opts": options})
            assert len(fetched["sockets"]) == found
            for socket in fetched["sockets"]:
                assert socket["id"] == anna.id
                assert sorted(socket["rooms"]) == sorted([anna.id, "red"])
                assert socket["data"] == {"name": "anna"}
                assert {*socket["handshake"]} == {
                    *("headers", "time", "address", "xdomain", "secure", "issued", "url"),
                    *("query", "auth"),
                }


@pytest.mark.parametrize("default", [None, lambda value: f"<{type(value).__name__}>"])
async def test_data_that_cannot_be_told(
    autojump_clock: Clock, default: object, caplog: pytest.LogCaptureFixture
) -> None:
    cluster, io = servers(json_default=default)

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.data["odd"] = 1j

    async with foreign(cluster) as other, io, connect(io):
        await settle()
        (fetched,) = await ask(other, {"requestId": "a", "type": 5, "opts": {}})
        (socket,) = fetched["sockets"]
        assert socket["data"] == ({"odd": "<complex>"} if default else {})
    warned = [one for one in caplog.messages if "was not told another server" in one]
    assert len(warned) == (default is None)


async def test_one_message_does_not_tell_more_than_all_servers_can_take(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers in JavaScript expect one; at one that is too large, all connect to Redis anew."""
    monkeypatch.setattr("trio_sio.adapters.cluster.v8.answers.MAX_SOCKETS", 10_000)
    cluster, io = servers()

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        number = len(io.sockets.connected)
        socket.data["much"] = "x" * (20_000 if number == 2 else 3_000)
        await socket.join("red")

    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(foreign(cluster))
        await stack.enter_async_context(io)
        clients = [await stack.enter_async_context(connect(io)) for _ in range(5)]
        await settle()
        (fetched,) = await ask(other, {"requestId": "a", "type": 5, "opts": {}})
    assert [one["id"] for one in fetched["sockets"]] == [one.id for one in clients]
    told = [bool(one["handshake"]) for one in fetched["sockets"]]
    assert told == [bool(one["data"]) for one in fetched["sockets"]]
    assert told == [True, False, True, False, False]
    assert all("red" in one["rooms"] for one in fetched["sockets"])
    assert "were too much for another server" in caplog.text


async def test_joining_and_leaving_in_order(autojump_clock: Clock) -> None:
    """JavaScript does not wait in between, and here each join waits for the broker."""
    cluster, io = servers()
    async with foreign(cluster) as other, io, connect(io) as anna, connect(io) as bert:
        await settle()
        everybody: dict[str, object] = {"rooms": [], "except": []}
        for _ in range(10):
            for kind in (2, 3):
                request = {"uid": "js", "type": kind, "opts": everybody, "rooms": ["a", "b"]}
                other.post(other.channels.request, json.dumps(request).encode())
        other.post(
            other.channels.request,
            b'{"type":2,"opts":{"rooms":[],"except":["%b"]},"rooms":["c"]}' % anna.id.encode(),
        )
        await settle()
        assert io.sockets.adapter.rooms_of(anna.id) == {anna.id}
        assert io.sockets.adapter.rooms_of(bert.id) == {bert.id, "c"}
        assert other.take(other.channels.response) == []  # nobody has asked for one


async def test_one_socket(autojump_clock: Clock) -> None:
    cluster, io = servers()
    async with foreign(cluster) as other, io, connect(io) as anna:
        await settle()
        done = [{"requestId": "a", "node": "node01"}]
        request: dict[str, object] = {"requestId": "a", "sid": anna.id}
        assert await ask(other, {**request, "type": 2, "room": "red"}) == done
        assert io.sockets.adapter.rooms_of(anna.id) == {anna.id, "red"}
        assert await ask(other, {**request, "type": 3, "room": "red"}) == done
        assert io.sockets.adapter.rooms_of(anna.id) == {anna.id}
        assert await ask(other, {"requestId": "a", "type": 2, "sid": "x", "room": "red"}) == []
        assert await ask(other, {**request, "type": 4, "close": True}) == done
        assert not io.sockets.connected


async def test_disconnecting_many(autojump_clock: Clock) -> None:
    cluster, io = servers()
    async with foreign(cluster) as other, io, connect(io), connect(io), connect(io) as carl:
        await settle()
        options = {"rooms": [], "except": [carl.id]}
        assert await ask(other, {"type": 4, "opts": options, "close": False}) == []
        assert list(io.sockets.connected) == [carl.id]


async def test_too_many_rooms(autojump_clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    cluster, io = servers(max_rooms=2)
    async with foreign(cluster) as other, io, connect(io) as anna:
        await settle()
        done = [{"requestId": "a", "node": "node01"}]
        many = {"requestId": "a", "type": 2, "opts": {}, "rooms": ["a", "b", "c"]}
        assert await ask(other, many) == done
        assert io.sockets.adapter.rooms_of(anna.id) == {anna.id}
        one: dict[str, object] = {"requestId": "a", "type": 2, "sid": anna.id, "room": "a"}
        assert await ask(other, one) == done
        assert await ask(other, {**one, "room": "b"}) == done
        assert await ask(other, {**one, "room": "c"}) == []
        assert io.sockets.adapter.rooms_of(anna.id) == {anna.id, "a", "b"}
    assert any("did not join a room as another server asked" in one for one in caplog.messages)


async def test_events_of_servers(autojump_clock: Clock) -> None:
    cluster, io = servers()
    heard: list[object] = []

    @io.on_server("news")
    def news(*args: object) -> object:
        heard.append(args)
        return {"got": [*args]}

    async with foreign(cluster) as other, io:
        await settle()
        assert await ask(other, {"type": 6, "data": ["news", 1]}) == []
        assert heard == [(1,)]
        assert await ask(other, {"type": 6, "requestId": "a", "data": ["news", 2]}) == [
            {"type": 6, "requestId": "a", "data": {"got": [2]}, "node": "node01"}
        ]
        assert await ask(other, {"type": 6, "requestId": "a", "data": ["nobody's"]}) == []
        assert await ask(other, {"type": 6, "uid": "node01", "data": ["news", "own"]}) == []
        assert heard == [(1,), (2,)]


async def test_asking_clients(autojump_clock: Clock) -> None:
    cluster, io = servers()
    async with foreign(cluster) as other, io, connect(io) as anna, connect(io) as bert:
        await settle()
        packet = {"type": 2, "data": ["ask", b"\x01"], "nsp": "/"}
        options = {"rooms": [], "except": [bert.id], "flags": {"timeout": 1000}}
        request = {"uid": "js", "requestId": "a", "type": 7, "packet": packet, "opts": options}
        other.post(
            other.channels.request, msgpack.packb(request | {"packet": {**packet, "nsp": "/x"}})
        )
        await other.send(other.channels.request, msgpack.packb(request))
        (count,) = other.take(other.channels.response)
        assert json.loads(count) == {
            "type": 8,
            "requestId": "a",
            "clientCount": 1,
            "node": "node01",
        }
        event = await anna.receive_packet()
        assert event.data == ["ask", b"\x01"]
        await anna.answer(event, "yes", 2)
        await settle()
        (answer,) = other.take(other.channels.response)
        assert msgpack.unpackb(answer)["packet"] == "yes"


async def test_garbage_on_the_channels_ends_nothing(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    cluster, io = servers()
    async with foreign(cluster) as other, io, connect(io) as anna:
        await settle()
        garbage = [b"", b"{", b"\xc1", b"[]", b"\x90", b'{"requestId":"a","type":7}', b"\xdd" * 9]
        for payload in garbage:
            for channel in (other.channels.request, other.channels.base):
                await other.send(channel, payload)
        assert io.statistics().adapter.invalid == 2 * len(garbage)
        await io.emit("still here")
        assert await anna.receive() == ["still here"]
    warnings = [one for one in caplog.records if "was ignored" in one.getMessage()]
    assert 0 < len(warnings) < len(garbage)  # at a limited rate
    assert all(one.levelno == logging.WARNING for one in warnings)


@pytest.mark.parametrize("generation", [2, 4])
async def test_the_other_generation_is_told(
    autojump_clock: Clock, generation: int, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = MemoryCluster()
    io = Server(adapter=cluster.join(generation=generation))
    old = [b'{"requestid":"gcAWuZ","type":0,"rooms":[]}']
    packet = {"type": 2, "data": ["x"], "nsp": "/"}
    ask = {"uid": "js", "requestId": "a", "type": 7, "packet": packet, "opts": {}}
    new = [b'{"uid":"js","requestId":"a","type":5,"opts":{}}', msgpack.packb(ask)]
    async with foreign(cluster) as other, io, connect(io) as anna:
        await settle()
        for payload in new if generation == 2 else old:
            for _ in range(100):
                await other.send(other.channels.request, payload)
        assert other.take(other.channels.response) == []
        await io.emit("still here")
        assert await anna.receive() == ["still here"]
    told = [one for one in caplog.messages if "another generation of servers" in one]
    assert 0 < len(told) < 10
    assert "let all have the option `generation` of one of them" in told[0]
