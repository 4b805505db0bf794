"""A thousand clients, and rooms by the thousand."""

import pytest

from tests.cluster.clients import Hearing
from tests.cluster.nodes import JS, OURS
from tests.cluster.process import Process
from tests.cluster.world import MIXED, World, each_source

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

from_both = each_source((MIXED, OURS), (MIXED, JS))

CROWD = 1000
ROOMS = 1000


@from_both
def test_a_thousand_clients_in_a_room(world: World, source: Process) -> None:
    """Everyone hears everything once and in order, whatever node they are at."""
    ports = world.cluster.ports
    clients = world.crowd.open(ports, each=-(-CROWD // len(ports)))
    assert len(clients) >= CROWD
    room = world.fresh("room")
    for node in world.cluster.nodes.values():
        mine = [client.id for client in clients if client.node == node.name]
        for order in [node.order("join", "/", sid, room) for sid in mine]:
            order.result()
    assert set(source.call("clients", "/", [room])) == {client.id for client in clients}
    heard = Hearing([*clients, *world.audience])
    for number in range(5):
        source.call("emit", {"rooms": [room]}, "news", number)
    heard.fence(source)
    heard.assert_heard(*range(5), by=clients)
    for client in clients:
        client.close()
    for client in clients:
        client.wait_for("disconnect")


@from_both
def test_a_thousand_rooms(world: World, source: Process) -> None:
    rooms = [world.fresh("room") for _ in range(ROOMS)]
    client = world.members[-1]
    client.join(*rooms)
    heard = world.listen()
    orders = [source.order("emit", {"rooms": [room]}, "news", room) for room in rooms]
    for order in orders:
        order.result()
    heard.fence(source)
    heard.assert_heard(*rooms, by=[client])
    assert set(rooms) <= set(source.call("allRooms", "/"))
    client.leave(*rooms)
    assert not set(rooms) & set(source.call("allRooms", "/"))
