"""What one source emits arrives in order on all nodes, everything once."""

import pytest

from tests.cluster.process import Process
from tests.cluster.world import World, from_all, from_nodes

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

BURST = 2000


@from_all
def test_a_burst(world: World, source: Process) -> None:
    heard = world.listen()
    source.call("burst", {}, "news", 0, BURST)
    heard.fence(source)
    heard.assert_heard(*range(BURST), by=world.audience)


@from_all
def test_a_burst_to_rooms_and_to_all(world: World, source: Process) -> None:
    """They go through different channels."""
    one, two = world.fresh("room"), world.fresh("room")
    for client in world.audience:
        client.join(one, two)
    heard = world.listen()
    targets: list[dict[str, object]] = [{"rooms": [one]}, {}, {"rooms": [one, two]}]
    orders = [
        source.order("burst", targets[part % 3], "news", part * 10, 10)
        for part in range(BURST // 20)
    ]
    for order in orders:
        order.result()
    heard.fence(source)
    heard.assert_heard(*range(BURST // 2), by=world.audience)


@from_nodes
def test_bursts_of_all_nodes_at_once(world: World, source: Process) -> None:
    """Those of each are in order; a room is left and joined meanwhile."""
    nodes = list(world.cluster.nodes.values())
    room = world.fresh("room")
    heard = world.listen()
    orders = [node.order("burst", {}, "news", 10_000 * i, 500) for i, node in enumerate(nodes)]
    for _ in range(10):
        world.members[0].join(room)
        world.members[0].leave(room)
    for order in orders:
        order.result()
    heard.fence(*nodes)
    for client, news in heard.news().items():
        assert len(news) == 500 * len(nodes), client
        for i in range(len(nodes)):
            numbers = [number for (number,) in news if number // 10_000 == i]
            assert numbers == list(range(10_000 * i, 10_000 * i + 500)), client


@from_all
def test_bytes_between_text(world: World, source: Process) -> None:
    heard = world.listen()
    payload: object = b"\0" * 5000
    for number in range(50):
        source.order("emit", {}, "news", number, payload if number % 2 else "text")
    heard.fence(source)
    if source.name == "emitter":
        payload = {"type": "Buffer", "data": [0] * 5000}
        expected = [[[number] for number in range(50)]] * len(world.audience)
        assert [[args[:1] for args in news] for news in heard.news().values()] == expected
        return
    numbered = [(number, payload if number % 2 else "text") for number in range(50)]
    heard.assert_heard(*numbered, by=world.audience)
