"""What one node has clients of all nodes do: answer, join, leave. And what nodes tell each other.

Nodes of ours, and of socket.io 4.8; clients of socket.io-client 2.5 and 4.8 on each of them.
"""

from typing import Any

import pytest

from tests.cluster.nodes import JS_4, OURS, cluster
from tests.cluster.process import Process, RefusedError, wait_until
from tests.cluster.world import World, from_all_with_verbs
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

PATIENCE = 30.0
"""Seconds in which clients have to answer."""


def everyone(world: World) -> set[str]:
    return {client for clients in world.cluster.call("sockets", "/").values() for client in clients}


def wait_members(source: Process, room: str, expected: set[str]) -> None:
    """Wait until a room has these members; Node.js does not wait for it, and ours has waited."""

    def are_there() -> bool:
        return set(source.call("clients", "/", [room])) == expected

    if source.name.startswith(OURS):
        assert are_there()
    else:
        wait_until(are_there, f"{expected} are in {room}")


@from_all_with_verbs
def test_all_clients_answer(world: World, source: Process) -> None:
    args = [1, "é", {"a": [None]}]
    room = world.fresh("room")
    for client in world.audience:
        client.join(room)
    answers = source.call("call", {"rooms": [room]}, PATIENCE, "who", room, *args)
    assert sorted(answers) == sorted(client.answer for client in world.audience)
    for client in world.audience:
        client.wait_for("who", room, *args)


@from_all_with_verbs
def test_some_clients_answer_with_bytes(world: World, source: Process) -> None:
    room, left = world.fresh("room"), world.fresh("left out")
    for client in world.members:
        client.join(room)
    world.members[0].join(left)
    target = {"rooms": [room], "except": [left]}
    answers = source.call("call", target, PATIENCE, "who", room, b"\x00\xff")
    assert sorted(answers) == sorted(client.answer for client in world.members[1:])
    for client in world.members[1:]:
        client.wait_for("who", room, b"\x00\xff")


@from_all_with_verbs
def test_nobody_answers(world: World, source: Process) -> None:
    assert source.call("call", {"rooms": [world.fresh("room")]}, PATIENCE, "who") == []


@from_all_with_verbs
def test_answers_that_do_not_come(world: World, source: Process) -> None:
    """Clients hear the news, and answer nothing."""
    room = world.fresh("room")
    world.members[-1].join(room)
    with pytest.raises(RefusedError):
        source.call("call", {"rooms": [room]}, 0.3, "news", "unanswered")


@from_all_with_verbs
def test_calls_and_events_keep_their_order(world: World, source: Process) -> None:
    room = world.fresh("room")
    for client in world.audience:
        client.join(room)
    for number in range(10):
        source.call("emit", {"rooms": [room, "empty"]}, "who", "before", number)
        answers = source.call("call", {"rooms": [room]}, PATIENCE, "who", "call", number)
        assert len(answers) == len(world.audience)
    expected = [[what, number] for number in range(10) for what in ("before", "call")]
    for client in world.audience:
        client.wait_for("who", "call", 9)
        heard = [one.args for one in client.heard if one.event == "who"]
        assert heard[-len(expected) :] == expected


@from_all_with_verbs
def test_fetching_sockets(world: World, source: Process) -> None:
    room = world.fresh("room")
    for client in world.audience:
        client.join(room)
    found: dict[str, dict[str, Any]] = {
        one["id"]: one for one in source.call("fetchSockets", {"rooms": [room]})
    }
    assert set(found) == {client.id for client in world.audience}
    for client in world.audience:
        there = found[client.id]
        assert {client.id, room} <= set(there["rooms"])
        assert there["data"]["node"] == client.node
        handshake = there["handshake"]
        assert handshake["url"].startswith("/socket.io/?")
        assert handshake["query"]["EIO"] == ("3" if client in world.members else "4")
        assert handshake["query"]["transport"] == "websocket"
        assert isinstance(handshake["issued"], int)
        assert "host" in handshake["headers"]
    left_out = {"rooms": [room], "except": [client.id for client in world.members]}
    some = source.call("fetchSockets", left_out)
    assert {one["id"] for one in some} == {client.id for client in world.others}
    assert source.call("fetchSockets", {"rooms": [world.fresh("room")]}) == []
    here = {client.id for client in world.clients_of(source)}
    local = source.call("fetchSockets", {"rooms": [room], "flags": {"local": True}})
    assert {one["id"] for one in local} == here
    assert {one["id"] for one in source.call("fetchSockets", {})} == everyone(world)


@from_all_with_verbs
def test_joining_and_leaving(world: World, source: Process) -> None:
    first, second, third = (world.fresh("room") for _ in range(3))
    for client in world.members:
        client.join(first)
    members = {client.id for client in world.members}
    source.call("socketsJoin", {"rooms": [first]}, [second, third])
    wait_members(source, second, members)
    wait_members(source, third, members)
    source.call("socketsLeave", {"rooms": [first], "except": [world.members[0].id]}, [second])
    wait_members(source, second, {world.members[0].id})
    heard = world.listen()
    source.call("emit", {"rooms": [second]}, "news", "one is left")
    source.call("emit", {"rooms": [third]}, "news", "all are here")
    heard.fence(source)
    for client in world.audience:
        wanted = [["one is left"]] if client is world.members[0] else []
        wanted += [["all are here"]] if client in world.members else []
        assert heard.news()[client] == wanted


@from_all_with_verbs
@pytest.mark.parametrize("close", [False, True])
def test_disconnecting(world: World, source: Process, close: bool) -> None:
    room, kept = world.fresh("room"), world.fresh("kept")
    guests = [*world.crowd.open(world.cluster.ports), *world.crowd.open(world.cluster.ports)]
    for client in guests:
        client.join(room)
    guests[0].join(kept)
    source.call("disconnectSockets", {"rooms": [room], "except": [kept]}, close)
    for client in guests[1:]:
        client.wait_for("disconnect", "io server disconnect")
    wait_until(
        lambda: set(source.call("clients", "/", [room])) == {guests[0].id}, "the others have left"
    )
    guests[0].join("still here")
    guests[0].close()


@from_all_with_verbs
def test_how_many_servers_there_are(world: World, source: Process) -> None:
    assert source.call("serverCount", "/") == len(world.cluster.nodes)


@from_all_with_verbs
def test_events_between_servers(world: World, source: Process) -> None:
    event = world.fresh("event")
    world.cluster.call("hearServers", "/", event)
    args = [1, "é", {"a": [None]}]
    source.call("serverSideEmit", "/", event, *args)
    source.call("serverSideEmit", "/", event, "second")
    for node in world.cluster.nodes.values():
        if node is not source:
            node.wait_until(lambda node=node: len(told(node, event)) == 2, event)  # type: ignore[misc]
            assert told(node, event) == [args, ["second"]]
    assert told(source, event) == []


@from_all_with_verbs
def test_events_of_servers_that_are_heard_once(world: World, source: Process) -> None:
    once, removed, always = (world.fresh(name) for name in ("once", "removed", "always"))
    listening = [
        node
        for name, node in world.cluster.nodes.items()
        if name.startswith(OURS) and node is not source
    ]
    for node in listening:
        node.call("hearServersOnce", "/", once)
        for event in (removed, always):
            node.call("hearServers", "/", event)
        node.call("forgetServers", "/", removed)
    for event in (once, removed, once, always):
        source.call("serverSideEmit", "/", event, "é")
    for node in listening:
        node.wait_until(lambda node=node: bool(told(node, always)), always)  # type: ignore[misc]
        assert [told(node, one) for one in (once, removed, always)] == [[["é"]], [], [["é"]]]


def told(node: Process, event: str) -> list[list[Any]]:
    return [args[1:] for args in node.told("server event") if args[0] == event]


@from_all_with_verbs
def test_bytes_between_servers(world: World, source: Process) -> None:
    """Ours send them as such, and JavaScript reads that; it sends them as JSON has them."""
    event = world.fresh("event")
    world.cluster.call("hearServers", "/", event)
    source.call("serverSideEmit", "/", event, b"\x00\xff", {"a": [b""]})
    as_json = [{"type": "Buffer", "data": [0, 255]}, {"a": [{"type": "Buffer", "data": []}]}]
    expected = [b"\x00\xff", {"a": [b""]}] if source.name.startswith(OURS) else as_json
    for node in world.cluster.nodes.values():
        if node is not source:
            node.wait_until(lambda node=node: bool(told(node, event)), event)  # type: ignore[misc]
            assert told(node, event) == [expected]


@from_all_with_verbs
def test_answers_of_servers(world: World, source: Process) -> None:
    event = world.fresh("event")
    world.cluster.call("hearServers", "/", event)
    args = ["é", [1, {"deep": True}]]
    answers = source.call("serverSideCall", "/", event, *args)
    others = [name for name in world.cluster.nodes if name != source.name]
    assert sorted(answers, key=lambda one: str(one["name"])) == [
        {"name": name, "args": args} for name in sorted(others)
    ]
    assert told(source, event) == []


@from_all_with_verbs
def test_servers_tell_each_other_of_their_namespace(world: World, source: Process) -> None:
    namespace, event = world.fresh("/rooms"), "event"
    world.cluster.call("of", namespace)
    world.cluster.wait_subscribed(namespace)
    world.cluster.call("hearServers", namespace, event)
    answers = source.call("serverSideCall", namespace, event)
    assert len(answers) == len(world.cluster.nodes) - 1


def test_a_server_that_does_not_answer(quiet_redis: RedisServer) -> None:
    names = ("ours-1", "node4-1", "ours-2")
    with cluster(quiet_redis.url, "silent", names, requests_timeout=0.5) as nodes:
        for name in ("ours-1", "node4-1"):
            with pytest.raises(RefusedError, match="timeout reached"):
                nodes.nodes[name].call("serverSideCall", "/", "nobody hears that")


def test_responses_on_a_channel_of_their_own(quiet_redis: RedisServer) -> None:
    """JavaScript's option `publishOnSpecificResponseChannel`."""
    names = ("ours-1", "node4-1")
    with cluster(quiet_redis.url, "specific", names, specific=True) as nodes:
        for node in nodes.nodes.values():
            assert node.call("fetchSockets", {}) == []
            assert node.call("call", {}, PATIENCE, "who") == []
            assert node.call("allRooms", "/") == []
        ours = nodes.nodes["ours-1"]
        ours.call("socketsJoin", {}, ["room"])
        assert ours.call("statistics")["unanswered"] == 0


@pytest.mark.parametrize("generation", [2, 4])
def test_generations_cannot_be_mixed(quiet_redis: RedisServer, generation: int) -> None:
    """Ours says so when it hears the others, and goes on."""
    other = JS_4 if generation == 2 else "node"
    key = f"mixed up {generation}"
    names = ("ours-1", f"{other}-1")
    patience = 0.5
    with cluster(
        quiet_redis.url, key, names, generation=generation, requests_timeout=patience
    ) as nodes:
        ours, theirs = nodes.nodes["ours-1"], nodes.nodes[f"{other}-1"]
        asked: list[tuple[str, list[object]]] = [("allRooms", ["/"])]
        if generation == 2:
            asked += [("fetchSockets", [{}]), ("call", [{}, patience, "who"])]
        else:
            asked += [("clients", ["/", []])]
        for verb, args in asked:
            with pytest.raises(RefusedError):
                theirs.call(verb, *args)

        def has_told() -> bool:
            return any("another generation of servers" in line for _, line in ours.told("log"))

        ours.wait_until(has_told, "that it hears servers of another generation")
        assert ours.call("sockets", "/") == []


def test_a_node_that_hangs(quiet_redis: RedisServer) -> None:
    """What the others say is there; and who is missing is known as far as it has a name."""
    names = ("ours-1", "node4-1", "ours-2")
    with cluster(quiet_redis.url, "hangs", names, requests_timeout=1.0) as nodes:
        here, in_javascript, there = nodes.nodes.values()
        wait_until(lambda: here.call("statistics")["nodes"] == 2, "the other one is known")
        for node, name in (
            (in_javascript, "1 node that does not announce itself"),
            (there, "ours-2"),
        ):
            node.pause()
            try:
                assert here.call("missing", "/") == [name]
                with pytest.raises(RefusedError, match=f"missing: {name}"):
                    here.call("socketsJoin", {}, ["room"])
                with pytest.raises(RefusedError, match="MissingAnswers"):
                    here.call("call", {}, 0.3, "who")
            finally:
                node.resume()
            wait_until(lambda: here.call("missing", "/") == [], "it is back")
            assert here.call("call", {}, PATIENCE, "who") == []
