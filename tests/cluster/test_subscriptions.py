"""A node with many rooms takes one pattern for them, and returns; meanwhile nothing is missed."""

from collections.abc import Iterator

import pytest

from tests.cluster.clients import Crowd, Hearing
from tests.cluster.nodes import Cluster, cluster
from tests.cluster.process import wait_until
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

MAX = 20
MANY = 3 * MAX


@pytest.fixture
def small(quiet_redis: RedisServer) -> Iterator[Cluster]:
    """Nodes of which ours have few subscriptions."""
    names = ("ours-1", "node-1")
    with cluster(quiet_redis.url, "subscriptions", names, max_subscriptions=MAX) as running:
        yield running


def wait_for_pattern(server: RedisServer, is_used: bool) -> None:
    """Wait until what is sent to nobody's room reaches ours, or only the node of Node.js."""
    wanted = 2 if is_used else 1

    def is_reached() -> bool:
        return server.publish("subscriptions#/#nobody#", b"") == wanted

    wait_until(is_reached, f"{wanted} nodes listen by a pattern")


def test_switching_misses_nothing(small: Cluster, crowd: Crowd, quiet_redis: RedisServer) -> None:
    """Back and forth, while another node emits to all and to rooms."""
    ours, js = small.nodes.values()
    (client, _) = crowd.open(small.ports)
    rooms = [f"room-{number}" for number in range(MANY)]
    client.join("stays")
    heard = Hearing([client])
    sent = 0
    for _ in range(4):
        for change in (client.join, client.leave):
            orders = []
            for _ in range(10):
                orders += [
                    js.order("burst", {}, "news", sent, 10),
                    js.order("burst", {"rooms": ["stays"]}, "news", sent + 10, 10),
                    js.order("burst", {"rooms": ["stays", "x"]}, "news", sent + 20, 10),
                ]
                sent += 30
            change(*rooms)
            for order in orders:
                order.result()
            wait_for_pattern(quiet_redis, is_used=change == client.join)
    heard.fence(js)
    assert heard.news()[client] == [[number] for number in range(sent)]
    assert ours.call("statistics")["gaps"] == 0


def test_rooms_are_reached_by_a_pattern(small: Cluster, crowd: Crowd) -> None:
    """Of a room that was joined while the pattern was in force, and after it was given up."""
    ours, js = small.nodes.values()
    (client, _) = crowd.open(small.ports)
    rooms = [f"room-{number}" for number in range(MANY)]
    heard = Hearing([client])
    client.join(*rooms)
    assert ours.call("statistics")["subscriptions"] < MAX
    for room in rooms:
        js.call("emit", {"rooms": [room]}, "news", room)
    client.leave(*rooms[2:])
    for room in rooms:
        js.call("emit", {"rooms": [room]}, "news", room)
    heard.fence(js)
    assert heard.news()[client] == [[room] for room in (*rooms, *rooms[:2])]
    assert set(js.call("allRooms", "/")) >= set(rooms[:2])
