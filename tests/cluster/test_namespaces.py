"""Namespaces and keys keep to themselves, dynamic ones too, and odd names of both and of rooms."""

from functools import partial

import pytest

from tests.cluster.clients import Hearing
from tests.cluster.nodes import JS, JS_4, OURS, cluster
from tests.cluster.process import Process, wait_until
from tests.cluster.world import (
    MIXED,
    NODES_ONLY,
    World,
    each_source,
    from_all,
    from_nodes,
    from_nodes_of_2,
)
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

ODD_ROOMS = [
    *(" ", "#", "a#b", "#a#", "a\nb\r\n", "\0", "'\"", "é\U0001f600", "x" * 5000),
    *("*", "?", "[ab]", "\\", "[", "a\\*b"),
    "socket.io#/#",
]


@from_all
def test_namespaces_do_not_leak(world: World, source: Process) -> None:
    first, second = world.fresh("/a"), world.fresh("/a")
    room = world.fresh("room")
    for namespace in (first, second):
        world.cluster.call("of", namespace)
        world.cluster.wait_subscribed(namespace)
    inside = world.crowd.open(world.cluster.ports, first)
    outside = world.crowd.open(world.cluster.ports, second)
    for client in (*inside, *outside, *world.members):
        client.join(room)
    heard = Hearing([*inside, *outside, *world.audience])
    source.call("emit", {"namespace": first}, "news", "to a namespace")
    source.call("emit", {"namespace": first, "rooms": [room]}, "news", "to its room")
    source.call("emit", {"namespace": first, "rooms": [room, "other"]}, "news", "to its rooms")
    Hearing(inside).fence(source, namespace=first)
    Hearing(outside).fence(source, namespace=second)
    Hearing(world.audience).fence(source)
    heard.assert_heard("to a namespace", "to its room", "to its rooms", by=inside)


@from_nodes
def test_requests_do_not_leak(world: World, source: Process) -> None:
    namespace = world.fresh("/a")
    room = world.fresh("room")
    world.cluster.call("of", namespace)
    world.cluster.wait_subscribed(namespace)
    inside = world.crowd.open(world.cluster.ports, namespace)
    world.members[0].join(world.fresh("elsewhere"))
    for client in inside:
        client.join(room)
    ids = {client.id for client in inside}
    assert set(source.call("clients", namespace, [])) == ids
    assert set(source.call("allRooms", namespace)) == {room, *ids}
    assert source.call("clients", "/", [room]) == []


@each_source((MIXED, JS), (MIXED, "emitter"), (NODES_ONLY, JS), (NODES_ONLY, "emitter"))
def test_a_room_whose_channel_is_that_of_a_namespace(world: World, source: Process) -> None:
    """`/x#y#` is the channel of the room "y" of "/x", and of the namespace "/x#y".

    Ours refuse such a name. Nodes of Node.js subscribe to the channel with the pattern of each
    namespace, and deliver what comes twice.
    """
    one = world.fresh("/x")
    two = f"{one}#y"
    world.cluster.call("of", one)
    for node in world.cluster.of_kind(JS):
        node.call("of", two)
    world.cluster.wait_subscribed(one)
    world.cluster.wait_subscribed(two, missing=len(world.cluster.of_kind(OURS)))
    first = world.crowd.open(world.cluster.ports, one)
    for client in first:
        client.join("y")
    heard = Hearing(first)
    source.call("emit", {"namespace": two}, "news", "to the second namespace")
    source.call("emit", {"namespace": one, "rooms": ["y"]}, "news", "to the room")
    heard.fence(source, namespace=one)
    for client, news in heard.news().items():
        twice = client.node.startswith(JS) and client.node != source.name
        assert news == [["to the room"]] * (2 if twice else 1), client


@from_all
def test_dynamic_namespaces(world: World, source: Process) -> None:
    """A node hears of one only after a client of its own has joined it."""
    base = world.fresh("/dynamic")
    world.cluster.call("dynamic", rf"^{base}-\d+$")
    clients = world.crowd.open(world.cluster.ports, f"{base}-1")
    others = world.crowd.open(world.cluster.ports, f"{base}-22")
    for number in (1, 22):
        world.cluster.wait_subscribed(f"{base}-{number}")
    for client in clients:
        client.join("room")
    heard = Hearing([*clients, *others])
    source.call("emit", {"namespace": f"{base}-1"}, "news", "to all")
    source.call("emit", {"namespace": f"{base}-1", "rooms": ["room"]}, "news", "to a room")
    Hearing(clients).fence(source, namespace=f"{base}-1")
    Hearing(others).fence(source, namespace=f"{base}-22")
    heard.assert_heard("to all", "to a room", by=clients)


@from_nodes
def test_dynamic_namespaces_come_and_go(world: World, source: Process) -> None:
    """Ours leave the cluster's namespace with their last client; those of Node.js stay.

    So does one of ours that has asked for it by its name.
    """
    leaving = [node for node in world.cluster.of_kind(OURS) if node is not source]
    base = world.fresh("/short-lived")
    namespace = f"{base}-1"
    world.cluster.call("dynamic", rf"^{base}-\d+$")
    for _ in range(3):
        clients = world.crowd.open(world.cluster.ports, namespace)
        world.cluster.wait_subscribed(namespace)
        for client in clients:
            client.join("room")
        heard = Hearing(clients)
        source.call("emit", {"namespace": namespace, "rooms": ["room"]}, "news", "to a room")
        heard.fence(source, namespace=namespace)
        heard.assert_heard("to a room", by=clients)
        assert set(source.call("clients", namespace, [])) == {client.id for client in clients}
        for client in clients:
            client.close()
        world.cluster.wait_subscribed(namespace, missing=len(leaving))
        for node in world.cluster.of_kind(JS):
            wait_until(partial(has_no_clients, node, namespace), f"{node} has no clients")


def has_no_clients(node: Process, namespace: str) -> bool:
    return node.call("clients", namespace, []) == []  # type: ignore[no-any-return]


@from_all
def test_odd_rooms(world: World, source: Process) -> None:
    """Each alone, and with another one: its channel is that of the namespace then."""
    for room in ODD_ROOMS:
        for client in world.members:
            client.join(room)
        heard = world.listen()
        source.call("emit", {"rooms": [room]}, "news", room)
        source.call("emit", {"rooms": [room, "nobody"]}, "news", room)
        heard.fence(source)
        heard.assert_heard(room, room, by=world.members)
        for client in world.members:
            client.leave(room)


@from_nodes_of_2
def test_requests_about_odd_rooms(world: World, source: Process) -> None:
    ids = {client.id for client in world.members}
    for room in ODD_ROOMS:
        for client in world.members:
            source.call("remoteJoin", "/", client.id, room)
        assert set(source.call("clients", "/", [room])) == ids
        assert room in source.call("allRooms", "/")
        for client in world.members:
            source.call("remoteLeave", "/", client.id, room)


@from_all
@pytest.mark.parametrize("odd", ["/é", "/\U0001f600", "/a.b/c-d", "/a:@&=+$;!~()_"])
def test_odd_namespaces(world: World, source: Process, odd: str) -> None:
    namespace = world.fresh(odd)
    world.cluster.call("of", namespace)
    world.cluster.wait_subscribed(namespace)
    # Clients of 2.x encode the name, which servers of 4.x take as it is.
    ports = {
        name: port
        for name, port in world.cluster.ports.items()
        if odd.isascii() or not name.startswith(f"{JS_4}-")
    }
    connections = world.crowd.open(ports)
    clients = [world.crowd.share(connection, namespace) for connection in connections]
    for client in clients:
        client.join("room")
    heard = Hearing(clients)
    source.call("emit", {"namespace": namespace}, "news", "to all")
    source.call("emit", {"namespace": namespace, "rooms": ["room"]}, "news", "to a room")
    heard.fence(source, namespace=namespace)
    heard.assert_heard("to all", "to a room", by=clients)
    for connection in connections:
        connection.close()


def test_keys_do_not_leak(world_of_both: World, quiet_redis: RedisServer) -> None:
    world = world_of_both
    for key in (f"{world.key}x", world.key[:-1]):
        with cluster(quiet_redis.url, key, ["ours-1", "node-1"]) as other:
            clients = world.crowd.open(other.ports)
            for client in (*clients, *world.members):
                client.join("room")
            heard = Hearing([*clients, *world.audience])
            for source in other.nodes.values():
                source.call("emit", {}, "news", "to all")
                source.call("emit", {"rooms": ["room"]}, "news", "to a room")
                Hearing(clients).fence(source)
                found = source.call("clients", "/", [])
                assert set(found) == {client.id for client in clients}
            Hearing(world.audience).fence(*world.cluster.nodes.values())
            heard.assert_heard(*["to all", "to a room"] * 2, by=clients)


def test_names_that_deafen_node(quiet_redis: RedisServer, world_of_both: World) -> None:
    """Patterns of Redis that Node.js does not escape, and what it changes as a URL's path."""
    crowd = world_of_both.crowd
    with cluster(quiet_redis.url, "k*[a-z]?\\", ["ours-1", "ours-2"]) as odd:
        for namespace in ("/", "/[a-z]*\\d", "/*", "/a b", "/constructor"):
            odd.call("of", namespace)
            odd.wait_subscribed(namespace)
            clients = crowd.open(odd.ports)
            if namespace != "/":
                clients = [crowd.share(client, namespace) for client in clients]
            for client in clients:
                client.join("room")
            heard = Hearing(clients)
            for node in odd.nodes.values():
                node.call("emit", {"namespace": namespace}, "news", node.name)
                node.call("emit", {"namespace": namespace, "rooms": ["room"]}, "news", node.name)
                heard.fence(node, namespace=namespace)
            heard.assert_heard(*(name for name in odd.nodes for _ in range(2)), by=clients)
