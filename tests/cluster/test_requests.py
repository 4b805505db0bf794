"""What a node asks of all nodes: who is where, joining and leaving from afar, custom requests."""

from functools import partial
from typing import Any

import pytest

from tests.cluster.nodes import JS_4, OURS, cluster
from tests.cluster.process import Answer, Process, RefusedError, wait_until
from tests.cluster.world import World, from_nodes, from_nodes_of_2
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]


def everyone(world: World) -> set[str]:
    return {client for clients in world.cluster.call("sockets", "/").values() for client in clients}


@from_nodes
def test_clients(world: World, source: Process) -> None:
    found = source.call("clients", "/", [])
    assert len(found) == len(set(found))
    assert set(found) == everyone(world)
    assert set(found) >= {client.id for client in world.audience}


@from_nodes
def test_clients_of_rooms(world: World, source: Process) -> None:
    one, two, empty = (world.fresh("room") for _ in range(3))
    for client in world.members:
        client.join(one)
    world.others[-1].join(one, two)
    expected = {client.id for client in (*world.members, world.others[-1])}
    assert set(source.call("clients", "/", [one])) == expected
    assert set(source.call("clients", "/", [two])) == {world.others[-1].id}
    assert set(source.call("clients", "/", [one, two, empty])) == expected
    assert source.call("clients", "/", [empty]) == []


@from_nodes
def test_all_rooms(world: World, source: Process) -> None:
    rooms = [world.fresh("room") for _ in world.members]
    for client, room in zip(world.members, rooms, strict=True):
        client.join(room)
    found = source.call("allRooms", "/")
    assert len(found) == len(set(found))
    assert set(found) >= {*rooms, *everyone(world)}
    for client, room in zip(world.members, rooms, strict=True):
        client.leave(room)
    assert not set(source.call("allRooms", "/")) & set(rooms)


@from_nodes
def test_rooms_of_a_client(world: World, source: Process) -> None:
    for client in world.crowd.open(world.cluster.ports):
        room = world.fresh("room")
        client.join(room)
        assert set(source.call("clientRooms", "/", client.id)) == {client.id, room}


@from_nodes_of_2
def test_joining_and_leaving_from_afar(world: World, source: Process) -> None:
    """Twice each: what is so already is answered as well."""
    for client in world.members:
        room = world.fresh("room")
        for _ in range(2):
            source.call("remoteJoin", "/", client.id, room)
            assert set(source.call("clients", "/", [room])) == {client.id}
        heard = world.listen()
        source.call("emit", {"rooms": [room]}, "news", room)
        heard.fence(source)
        heard.assert_heard(room, by=[client])
        for _ in range(2):
            source.call("remoteLeave", "/", client.id, room)
            assert source.call("clients", "/", [room]) == []


@from_nodes_of_2
@pytest.mark.parametrize("close", [False, True])
def test_disconnecting_from_afar(world: World, source: Process, close: bool) -> None:
    """A client of ours has left when its handlers have ended, so it may be listed until then."""
    namespace = world.fresh("/left")
    world.cluster.call("of", namespace)
    for client in world.crowd.open(world.cluster.ports):
        other = world.crowd.share(client, namespace)
        source.call("remoteDisconnect", "/", client.id, close)
        client.wait_for("disconnect", "io server disconnect")
        if client.node.startswith(OURS):
            wait_until(partial(has_left, source, client.id), f"{client} has left")
        assert has_left(source, client.id)
        if close:
            other.wait_for("disconnect")
        else:
            other.join("still here")
            other.close()


def has_left(node: Process, sid: str) -> bool:
    return sid not in node.call("clients", "/", [])


@from_nodes_of_2
def test_custom_requests(world: World, source: Process) -> None:
    data = {"text": "é", "list": [1, None, {"deep": True}]}
    namespace = world.fresh("/hooks")
    world.cluster.call("of", namespace)
    world.cluster.wait_subscribed(namespace)
    answering = {n.name: n for n in world.cluster.nodes.values() if n.kind != JS_4}
    without = source.call("customRequest", namespace, data)
    assert without == [None] * len(answering)
    for node in answering.values():
        node.call("hook", namespace)
    replies = source.call("customRequest", namespace, data)
    assert sorted(replies, key=by_name) == [
        {"name": name, "data": data} for name in sorted(answering)
    ]


def by_name(reply: dict[str, Any]) -> str:
    return str(reply["name"])


@from_nodes
def test_many_requests_at_once(world: World, source: Process) -> None:
    """Each gets its own answers."""
    rooms = [world.fresh("room") for _ in range(20)]
    members = [world.audience[i % len(world.audience)] for i in range(len(rooms))]
    for client, room in zip(members, rooms, strict=True):
        client.join(room)
    orders = [
        (node.order("clients", "/", [room]), client)
        for node in world.cluster.nodes.values()
        for room, client in zip(rooms, members, strict=True)
    ]
    for order, client in orders:
        assert order.result() == [client.id]


def test_unknown_clients(quiet_redis: RedisServer) -> None:
    """Nobody answers for them, so only time tells; in the same words."""
    names = ("ours-1", "node-1")
    with cluster(quiet_redis.url, "impatient", names, requests_timeout=0.3) as impatient:
        for node in impatient.nodes.values():
            for what, answer in ask_about_nobody(node).items():
                words = f"timeout reached while waiting for {what} response"
                with pytest.raises(RefusedError, match=words):
                    answer.result()


def test_unknown_clients_of_one_node(quiet_redis: RedisServer) -> None:
    """Ours knows at once that nobody can answer."""
    with cluster(quiet_redis.url, "alone", ["ours-1"], requests_timeout=3600.0) as alone:
        for what, answer in ask_about_nobody(alone.nodes["ours-1"]).items():
            with pytest.raises(RefusedError, match=f"no server has the socket: no {what} response"):
                answer.result()


def ask_about_nobody(node: Process) -> dict[str, Answer]:
    return {
        "remoteJoin": node.order("remoteJoin", "/", "nobody", "room"),
        "remoteLeave": node.order("remoteLeave", "/", "nobody", "room"),
        "remoteDisconnect": node.order("remoteDisconnect", "/", "nobody", True),
        "rooms": node.order("clientRooms", "/", "nobody"),
    }
