"""What happens to the network between one node and Redis, while the others are well."""

import pytest

from tests.cluster.chaos import disturbed, told_well
from tests.cluster.clients import Crowd, Hearing
from tests.cluster.proxy import Proxy
from tests.support.redis_server import RedisServer, redis_server as redis_server

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]


def test_one_node_is_cut_off(redis_server: RedisServer, crowd: Crowd) -> None:
    with Proxy(redis_server.port) as proxy:
        far = f"redis://127.0.0.1:{proxy.port}"
        with disturbed(redis_server, crowd, urls={"ours-2": far}) as hurt:
            hurt.wait_healthy()
            hurt.assert_connected()
            there = hurt.ours[-1]
            assert there.name == "ours-2"
            well = told_well(there)
            proxy.cut()
            during = hurt.emit()
            hurt.wait_unhealthy(there)
            during = range(during[0], hurt.emit()[-1] + 1)
            room = hurt.join_a_room()
            proxy.heal()
            hurt.wait_healthy({there: well})
            lost = hurt.assert_as_before(during)
            hurt.assert_room_is_reached(room)
            assert {way for way in lost if "ours-2" not in way} == set()


def test_what_a_node_cannot_send_is_bounded_and_counted(
    redis_server: RedisServer, crowd: Crowd
) -> None:
    """While it cannot reach Redis, the oldest events for others are dropped, and no others."""
    count, size, room_for = 100, 10_000, 300_000
    with Proxy(redis_server.port) as proxy:
        urls = {"ours-2": f"redis://127.0.0.1:{proxy.port}"}
        with disturbed(redis_server, crowd, urls=urls, max_outgoing_bytes=room_for) as hurt:
            hurt.wait_healthy()
            sender = hurt.ours[-1]
            *others, own = hurt.clients
            well = told_well(sender)
            proxy.break_off()
            hurt.wait_unhealthy(sender)
            heard = Hearing(hurt.clients)
            for number in range(count):
                sender.order("emit", {}, "news", number, "x" * size)
            own.wait_for("news", count - 1, "x" * size)
            statistics = sender.call("statistics")
            assert 0 < statistics["queued_bytes"] <= room_for
            proxy.heal()
            hurt.wait_healthy({sender: well})
            heard.fence(sender)
            dropped = sender.call("statistics")["dropped"]
            assert count - room_for // size <= dropped < count
            for client in others:
                numbers = [number for number, _ in heard.news()[client]]
                assert numbers == list(range(dropped, count))
            assert len(heard.news()[own]) == count


def test_a_node_that_is_deaf_finds_out(redis_server: RedisServer, crowd: Crowd) -> None:
    """Its subscriber's connection stays open, and nothing comes any more; all else is well."""
    with Proxy(redis_server.port) as proxy:
        far = f"redis://127.0.0.1:{proxy.port}"
        with disturbed(redis_server, crowd, urls={"ours-2": far}) as hurt:
            hurt.wait_healthy()
            hurt.assert_connected()
            there = hurt.ours[-1]
            proxy.deafen()
            during = hurt.emit()
            seconds, cause = there.wait_for("gap")
            assert seconds > 0
            assert cause
            hurt.wait_healthy()
            lost = hurt.assert_as_before(during)
            assert set(lost) <= {"ours-1 to ours-2", "node-1 to ours-2"}


def test_bytes_that_come_in_small_pieces(redis_server: RedisServer, crowd: Crowd) -> None:
    with Proxy(redis_server.port, piece=3) as proxy:
        far = f"redis://127.0.0.1:{proxy.port}"
        with disturbed(redis_server, crowd, urls={"ours-2": far}) as hurt:
            hurt.wait_healthy()
            heard = Hearing(hurt.clients)
            for number, node in enumerate(hurt.cluster.nodes.values()):
                node.call("emit", {}, "news", number, b"\r\n$5\r\n" * 50, {"é": ["\r\n"]})
                heard.fence(node)
                ids = {client.id for client in hurt.clients}
                assert set(node.call("clients", "/", [])) == ids
            expected = [(number, b"\r\n$5\r\n" * 50, {"é": ["\r\n"]}) for number in range(3)]
            heard.assert_heard(*expected, by=hurt.clients)
