"""Broadcasts of each kind of node, and of each emitter, reach the clients of all nodes."""

from datetime import UTC, datetime

import pytest

from tests.cluster.process import Process
from tests.cluster.world import (
    MIXED,
    NODES_ONLY,
    World,
    each_source,
    from_all,
    from_all_that_know_more,
    from_nodes,
)

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

VALUES = [
    *("", "text", "é\u2028\U0001f600\0", "x" * 100_000),
    *(0, 1, -1, 127, 128, -33, 65536, 2**32, -(2**31) - 1, 2**53 - 1, -(2**53) + 1),
    *(1.5, -0.1, 1.5e-300, 5e-324, True, False, None),
    *([], {}, [[], [None]], {"": {"deep": [{"a": 1}]}}, {"__proto__x": 1, "é": "ü"}),
]
BYTES = [b"", b"\x00\xff", bytes(range(256)) * 300, [b"a", {"b": [b"c", "text"]}]]


@from_all
def test_all_clients(world: World, source: Process) -> None:
    heard = world.listen()
    source.call("emit", {}, "news", "to all")
    heard.fence(source)
    heard.assert_heard("to all", by=world.audience)


@from_all
def test_one_room(world: World, source: Process) -> None:
    room = world.fresh("room")
    heard = world.listen()
    for client in world.members:
        client.join(room)
    source.call("emit", {"rooms": [room]}, "news", "to a room")
    heard.fence(source)
    heard.assert_heard("to a room", by=world.members)


@from_all
def test_a_room_that_one_node_has(world: World, source: Process) -> None:
    """Each node in its turn; the others drop the message by its channel."""
    for client in world.members:
        room = world.fresh("room")
        client.join(room)
        heard = world.listen()
        source.call("emit", {"rooms": [room]}, "news", room)
        heard.fence(source)
        heard.assert_heard(room, by=[client])


@from_all
def test_a_socket_by_its_own_room(world: World, source: Process) -> None:
    for client in world.audience:
        heard = world.listen()
        source.call("emit", {"rooms": [client.id]}, "news", client.id)
        heard.fence(source)
        heard.assert_heard(client.id, by=[client])


@from_all
def test_several_rooms(world: World, source: Process) -> None:
    """Who is in two of them gets it once."""
    one, two, empty = (world.fresh("room") for _ in range(3))
    for client in world.members:
        client.join(one, two)
    world.others[0].join(two)
    heard = world.listen()
    source.call("emit", {"rooms": [one, two, empty]}, "news", "to rooms")
    heard.fence(source)
    heard.assert_heard("to rooms", by=[*world.members, world.others[0]])


@from_all
def test_a_room_that_was_left(world: World, source: Process) -> None:
    room = world.fresh("room")
    for client in world.audience:
        client.join(room)
    for client in world.members:
        client.leave(room)
    heard = world.listen()
    source.call("emit", {"rooms": [room]}, "news", "to those who stayed")
    heard.fence(source)
    heard.assert_heard("to those who stayed", by=world.others)
    for client in world.others:
        client.leave(room)
    source.call("emit", {"rooms": [room]}, "news", "to nobody")
    heard.fence(source)  # or it might come after the next client has joined
    world.members[0].join(room)
    source.call("emit", {"rooms": [room]}, "news", "to the first again")
    heard.fence(source)
    assert heard.news()[world.members[0]] == [["to the first again"]]
    assert heard.news()[world.members[1]] == []


@from_all_that_know_more
def test_all_but_some(world: World, source: Process) -> None:
    room = world.fresh("room")
    for client in world.audience:
        client.join(room)
    heard = world.listen()
    excepted = [client.id for client in world.others]
    source.call("emit", {"except": excepted}, "news", "to all but others")
    source.call("emit", {"except": excepted, "rooms": [room]}, "news", "to a room")
    source.call("emit", {"except": excepted, "rooms": [room, "empty"]}, "news", "to rooms")
    heard.fence(source)
    heard.assert_heard("to all but others", "to a room", "to rooms", by=world.members)


@from_all
def test_a_room_that_is_left_and_joined_again(world: World, source: Process) -> None:
    """Whoever has joined is reached, however often nobody was there before."""
    room = world.fresh("room")
    heard = world.listen()
    for number in range(50):
        client = world.members[-1]
        client.join(room)
        source.call("emit", {"rooms": [room]}, "news", number)
        heard.fence(source)
        client.leave(room)
        client.join(room)
        client.leave(room)
    heard.assert_heard(*range(50), by=[client])


@from_nodes
def test_all_but_the_sender(world: World, source: Process) -> None:
    room = world.fresh("room")
    for client in world.members:
        client.join(room)
    sender = next(client for client in world.members if client.node == source.name)
    heard = world.listen()
    source.call("emit", {"sender": sender.id}, "news", "broadcast")
    source.call("emit", {"sender": sender.id, "rooms": [room]}, "news", "to a room")
    heard.fence(source)
    both, first = [["broadcast"], ["to a room"]], [["broadcast"]]
    expected = {client: both if client in world.members else first for client in world.audience}
    assert heard.news() == {**expected, sender: []}


@from_nodes
def test_local_ones(world: World, source: Process) -> None:
    room = world.fresh("room")
    for client in world.audience:
        client.join(room)
    heard = world.listen()
    flags = {"local": True}
    source.call("emit", {"flags": flags}, "news", "here")
    source.call("emit", {"flags": flags, "rooms": [room]}, "news", "here, too")
    heard.fence(source)
    heard.assert_heard("here", "here, too", by=world.clients_of(source))


@from_all
def test_volatile_ones(world: World, source: Process) -> None:
    """Clients that can take them get them."""
    heard = world.listen()
    source.call("emit", {"flags": {"volatile": True}}, "news", "if you can")
    heard.fence(source)
    heard.assert_heard("if you can", by=world.audience)


@from_nodes
def test_uncompressed_ones(world: World, source: Process) -> None:
    heard = world.listen()
    source.call("emit", {"flags": {"compress": False}}, "news", "as it is")
    heard.fence(source)
    heard.assert_heard("as it is", by=world.audience)


@from_all
def test_values(world: World, source: Process) -> None:
    heard = world.listen()
    source.call("emit", {}, "news", *VALUES)
    source.call("emit", {}, "news")
    heard.fence(source)
    heard.assert_heard(tuple(VALUES), (), by=world.audience)


@from_all_that_know_more
def test_bytes(world: World, source: Process) -> None:
    heard = world.listen()
    room = world.fresh("room")
    for client in world.members:
        client.join(room)
    source.call("emit", {}, "news", *BYTES)
    source.call("emit", {"rooms": [room]}, "news", "text", b"bytes")
    heard.fence(source)
    for client, news in heard.news().items():
        assert news[0] == BYTES
        assert news[1:] == ([["text", b"bytes"]] if client in world.members else [])


@from_all_that_know_more
def test_a_megabyte(world: World, source: Process) -> None:
    heard = world.listen()
    text, data = "é" * 500_000, bytes(range(250)) * 4_000
    source.call("emit", {}, "news", text)
    source.call("emit", {}, "news", data)
    heard.fence(source)
    heard.assert_heard(text, data, by=world.audience)


@each_source((MIXED, "emitter"), (NODES_ONLY, "emitter"))
def test_bytes_of_socket_io_emitter(world: World, source: Process) -> None:
    """It says that there are none, and all nodes believe it."""
    heard = world.listen()
    source.call("emit", {}, "news", b"\x00\xff", {"a": b""})
    heard.fence(source)
    as_json = ({"type": "Buffer", "data": [0, 255]}, {"a": {"type": "Buffer", "data": []}})
    heard.assert_heard(as_json, by=world.audience)


@from_all
def test_dates(world: World, source: Process) -> None:
    """As JavaScript's JSON has them, with milliseconds in UTC."""
    heard = world.listen()
    if source.name.startswith("our"):
        source.call("emit", {}, "news", "2026-11-29T01:02:03.456Z")  # Python has no such rule
    else:
        source.call("emit", {}, "news", datetime(2026, 11, 29, 1, 2, 3, 456000, UTC))
    heard.fence(source)
    heard.assert_heard("2026-11-29T01:02:03.456Z", by=world.audience)
