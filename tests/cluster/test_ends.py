"""Nodes that hang or end: the others know, and what they have said last arrives."""

from collections.abc import Callable

import pytest

from tests.cluster.chaos import disturbed
from tests.cluster.clients import Crowd, Hearing
from tests.cluster.nodes import Node
from tests.cluster.process import wait_until
from tests.support.redis_server import RedisServer, redis_server as redis_server

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]


def test_a_node_that_hangs_is_named(redis_server: RedisServer, crowd: Crowd) -> None:
    """Whoever does not answer in time is named, and the others' answers are returned."""
    with disturbed(redis_server, crowd) as hurt:
        hurt.wait_healthy()
        here, there = hurt.ours
        everyone = {client.id for client in hurt.clients}
        hanging = next(client.id for client in hurt.clients if client.node == there.name)
        wait_until(
            lambda: here.call("statistics")["nodes"] == 2, "the other one has announced itself"
        )
        assert here.call("missing", "/") == []
        there.pause()
        try:
            assert here.call("missing", "/") == ["ours-2"]
            assert set(here.call("clients", "/", [])) == everyone - {hanging}
        finally:
            there.resume()
        hurt.wait_healthy()
        assert here.call("missing", "/") == []
        assert set(here.call("clients", "/", [])) == everyone


def test_nodes_that_end_are_not_waited_for(redis_server: RedisServer, crowd: Crowd) -> None:
    """One says goodbye, another one is killed."""
    with disturbed(redis_server, crowd, ["ours-1", "ours-2", "ours-3"]) as hurt:
        hurt.wait_healthy()
        here, *others = hurt.ours
        for missing, (there, end) in enumerate(
            zip(others, (Node.close, Node.kill), strict=True), 1
        ):
            end(there)
            hurt.cluster.wait_subscribed(missing=missing)
            hurt.clients.pop(1)
            assert set(here.call("clients", "/", [])) == {client.id for client in hurt.clients}
            assert here.call("missing", "/") == []


def test_the_last_words_of_a_node_arrive(redis_server: RedisServer, crowd: Crowd) -> None:
    """What is queued when it ends, and what its "disconnect" handlers emit."""
    with disturbed(redis_server, crowd, ["ours-1", "node-1", "ours-2"]) as hurt:
        hurt.wait_healthy()
        leaving = hurt.ours[-1]
        (*others, own) = hurt.clients
        leaving.call("farewell", "/")
        heard = Hearing(others)
        leaving.call("burst", {}, "news", 0, 500)
        leaving.close()
        for client in others:
            client.wait_for("late", own.id)
        assert heard.news() == {client: [[number] for number in range(500)] for client in others}
        assert leaving.popen.returncode == 0


@pytest.mark.parametrize("generation", [2, 4])
@pytest.mark.parametrize(("end", "patience"), [(Node.close, 60.0), (Node.kill, 3.0)])
def test_a_node_that_ends_while_its_clients_are_asked(
    redis_server: RedisServer,
    crowd: Crowd,
    end: Callable[[Node], object],
    patience: float,
    generation: int,
) -> None:
    """One that leaves says that its clients have left; one that is killed is waited for."""
    names = ["ours-1", "ours-2"]
    with disturbed(redis_server, crowd, names, generation=generation) as hurt:
        hurt.wait_healthy()
        here, there = hurt.ours
        *_, asked = hurt.clients
        asked.join("asked")
        order = here.order("ask", {"rooms": ["asked"]}, patience, "news", 1)
        asked.wait_for("news", 1)
        end(there)
        answers, missing = order.result()
        assert answers == []
        assert len(missing) == (0 if end is Node.close else 1)
