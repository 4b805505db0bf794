"""Asking a room and moving its sockets, on several nodes over Redis.

There are clients of both generations, 2.5.0 and 4.8.4. Nodes of socket.io 2 take part as far as
socket.io-redis 5 can.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from tests.cluster.clients import Client, Crowd, crowd
from tests.cluster.nodes import OURS, Cluster, cluster
from tests.cluster.world import World
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

PLENTY = 40.0
"""Seconds until answers are missing that should not be."""


class Mixed(NamedTuple):
    """Two nodes of ours, and a client of each generation at each."""

    running: Cluster
    old: Crowd
    new: Crowd
    clients: list[Client]

    def join(self, room: str) -> None:
        for client in self.clients:
            client.join(room)


@pytest.fixture(scope="module")
def mixed(quiet_redis: RedisServer) -> Iterator[Mixed]:
    with ExitStack() as stack:
        running = stack.enter_context(cluster(quiet_redis.url, "many", ("ours-1", "ours-2")))
        old = stack.enter_context(crowd())
        new = stack.enter_context(crowd("4.8"))
        clients = [*old.open(running.ports), *new.open(running.ports)]
        yield Mixed(running, old, new, clients)


def test_both_generations_answer_on_all_nodes(mixed: Mixed) -> None:
    mixed.join("everybody")
    for node in mixed.running.nodes.values():
        answers, missing = node.call("ask", {"rooms": ["everybody"]}, PLENTY, "ask", b"\x01", "é")
        assert (answers, missing) == ([[b"\x01", "é"]] * 4, [])
        assert node.call("ask", {"rooms": ["nobody"]}, PLENTY, "ask") == [[], []]
        excepted = {"rooms": ["everybody"], "except": [mixed.clients[0].id]}
        answers, missing = node.call("ask", excepted, PLENTY, "ask", 1)
        assert (answers, missing) == ([1] * 3, [])


def test_who_does_not_answer_is_missing(mixed: Mixed) -> None:
    mixed.join("silent")
    node = mixed.running.nodes["ours-1"]
    answers, missing = node.call("ask", {"rooms": ["silent"]}, 1.0, "news", "who?")
    assert answers == []
    assert sorted(missing) == sorted(client.id for client in mixed.clients)
    for client in mixed.clients:
        client.wait_for("news", "who?")


def test_who_leaves_is_not_waited_for(mixed: Mixed) -> None:
    node = mixed.running.nodes["ours-1"]
    there = {"ours-2": mixed.running.ports["ours-2"]}
    leaving = [*mixed.old.open(there), *mixed.new.open(there)]
    for client in leaving:
        client.join("leaving")
    asked = node.order("ask", {"rooms": ["leaving"]}, PLENTY, "news", "going?")
    for client in leaving:
        client.wait_for("news", "going?")
        client.close()
    assert asked.result() == [[], []]


def test_sockets_of_all_nodes(mixed: Mixed) -> None:
    mixed.join("known")
    node = mixed.running.nodes["ours-1"]
    told, missing = node.call("fetch", {"rooms": ["known"]})
    assert missing == []
    by_id: dict[str, Any] = {one["id"]: one for one in told}
    assert by_id.keys() == {client.id for client in mixed.clients}
    for client in mixed.clients:
        known = by_id[client.id]
        assert {client.id, "known"} <= {*known["rooms"]}
        assert known["isRemote"] == (client.node != node.name)
        assert known["transport"] == "websocket"
    far = next(client for client in mixed.clients if client.node != node.name)
    assert node.call("tellRemote", far.id, "by remote") == "by remote"
    far.wait_for("news", "by remote")
    assert node.call("clients", "/", ["by remote"]) == [far.id]


def test_they_move_on_all_nodes(mixed: Mixed) -> None:
    ids = sorted(client.id for client in mixed.clients)
    mixed.join("a")
    one, two = mixed.running.nodes.values()
    one.call("socketsJoin", {"rooms": ["a"]}, ["b", "c"])
    assert sorted(two.call("clients", "/", ["b"])) == ids
    two.call("socketsLeave", {"rooms": ["a"], "except": [ids[0]]}, ["b", "never joined"])
    assert one.call("clients", "/", ["b"]) == [ids[0]]
    leaving = [*mixed.old.open(mixed.running.ports), *mixed.new.open(mixed.running.ports)]
    for client in leaving:
        client.join("leaving")
    one.call("disconnectSockets", {"rooms": ["leaving"]}, True)
    for client in leaving:
        assert client.wait_for("disconnect").args[0] == "io server disconnect"
    assert sorted(one.call("clients", "/", ["a"])) == ids


# -- beside a node of socket.io 2 ------------------------------------------------------------------


def test_clients_of_node_js_are_missing_by_their_ids(world_of_both: World) -> None:
    world = world_of_both
    room = world.fresh("room")
    for client in world.members:
        client.join(room)
    source = world.source(OURS)
    theirs = [client.id for client in world.members if not client.node.startswith(OURS)]
    answers, missing = source.call("ask", {"rooms": [room]}, PLENTY, "ask", 1)
    assert (answers, missing) == ([1] * (len(world.members) - len(theirs)), theirs)
    told, missing = source.call("fetch", {"rooms": [room]})
    ours = {client.id for client in world.members} - {*theirs}
    assert ({one["id"] for one in told}, missing) == (ours, theirs)
    answers, missing = source.call("ask", {"rooms": [room], "except": theirs}, PLENTY, "ask", 1)
    assert (answers, missing) == ([1] * len(ours), [])


def test_clients_of_node_js_join_and_leave_and_disconnect(world_of_both: World) -> None:
    world = world_of_both
    source, room, other = world.source(OURS), world.fresh("room"), world.fresh("room")
    clients = world.crowd.open(world.cluster.ports)
    for client in clients:
        client.join(room)
    everybody = {client.id for client in clients}
    source.call("socketsJoin", {"rooms": [room]}, [other])
    assert {*source.call("clients", "/", [other])} == everybody
    source.call("socketsLeave", {"rooms": [room]}, [other])
    assert source.call("clients", "/", [other]) == []
    source.call("disconnectSockets", {"rooms": [room]}, False)
    for client in clients:
        client.wait_for("disconnect", "io server disconnect")
