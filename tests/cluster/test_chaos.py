"""What happens to Redis or to the way to it: local delivery goes on, what is lost is told, and then
everything is as before. A node of Node.js beside ours witnesses that the tests are right."""

import sys
from collections.abc import Iterator
from threading import Thread

import pytest

from tests.cluster.chaos import Disturbed, Hospital, disturbed, gaps_told, told_well
from tests.cluster.clients import Crowd, Hearing, crowd
from tests.cluster.nodes import Node
from tests.cluster.proxy import Proxy
from tests.support.redis_server import RedisServer, redis_server as redis_server

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow, pytest.mark.alone]

TOO_LARGE = 33 * 2**20
"""Bytes of a message at which Redis closes the connection of each subscriber."""


@pytest.fixture(scope="module", name="crowd")
def crowd_() -> Iterator[Crowd]:
    """Clients."""
    with crowd() as clients:
        yield clients


@pytest.fixture(scope="module")
def hospital(crowd: Crowd) -> Iterator[Hospital]:
    """The cluster that one test after the other hurts."""
    with Hospital(crowd) as ward:
        yield ward


@pytest.fixture
def hurt(hospital: Hospital) -> Iterator[Disturbed]:
    """A cluster that is well before the test; after the test, it has to be again."""
    cluster = hospital.cluster()
    yield cluster
    hospital.check()


def assert_as_before(hurt: Disturbed, during: range) -> dict[str, int]:
    """Assert that fresh events arrive everywhere; return how many were lost in between."""
    hurt.assert_connected()
    lost = hurt.lost(during)
    sys.stdout.write(f"lost: {lost}\n")
    for node in hurt.cluster.nodes.values():
        assert not node.has_ended
    return lost


def test_subscribers_are_killed(hurt: Disturbed) -> None:
    gaps = [gaps_told(node) for node in hurt.ours]
    assert hurt.server.kill_clients("pubsub") == len(hurt.cluster.nodes)
    during = hurt.emit()
    for node, before in zip(hurt.ours, gaps, strict=True):
        seconds, cause = node.wait_for("gap", before + 1)
        assert seconds >= 0
        assert cause
    hurt.wait_healthy()
    assert_as_before(hurt, during)
    for node in hurt.ours:
        assert node.call("statistics")["gaps"] >= gaps_told(node)


def test_publishers_are_killed(hurt: Disturbed) -> None:
    hurt.server.kill_clients("normal")
    during = hurt.emit()
    hurt.wait_healthy()
    assert_as_before(hurt, during)


def test_all_connections_are_killed_again_and_again(
    redis_server: RedisServer, crowd: Crowd
) -> None:
    """There is no node of Node.js here: some time it hangs for good when it is treated so."""
    with disturbed(redis_server, crowd, ["ours-1", "ours-2"]) as hurt:
        hurt.wait_healthy()
        hurt.assert_connected()
        numbers: list[int] = []
        for _ in range(10):
            hurt.server.kill_clients("pubsub")
            numbers += hurt.emit()
            hurt.server.kill_clients("normal")
            numbers += hurt.emit()
        hurt.wait_healthy()
        assert_as_before(hurt, range(numbers[0], numbers[-1] + 1))


def test_redis_sleeps(hurt: Disturbed) -> None:
    well = hurt.times_well()
    sleep = Thread(target=hurt.server.command, args=("DEBUG", "SLEEP", "3"))
    sleep.start()
    during = hurt.emit()
    hurt.wait_unhealthy(*hurt.ours)
    sleep.join()
    hurt.wait_healthy(well)
    assert_as_before(hurt, during)


def test_redis_is_stopped(hurt: Disturbed) -> None:
    well = hurt.times_well()
    hurt.server.pause()
    during = hurt.emit()
    hurt.wait_unhealthy(*hurt.ours)
    during = range(during[0], hurt.emit()[-1] + 1)
    room = hurt.join_a_room()
    hurt.server.resume()
    hurt.wait_healthy(well)
    assert_as_before(hurt, during)
    hurt.assert_room_is_reached(room)


def test_redis_is_restarted(hurt: Disturbed) -> None:
    gaps = [gaps_told(node) for node in hurt.ours]
    well = hurt.times_well()
    hurt.server.kill()
    during = hurt.emit()
    hurt.wait_unhealthy(*hurt.ours)
    during = range(during[0], hurt.emit()[-1] + 1)
    room = hurt.join_a_room()
    hurt.server.restart()
    hurt.wait_healthy(well)
    assert_as_before(hurt, during)
    hurt.assert_room_is_reached(room)
    for node, before in zip(hurt.ours, gaps, strict=True):
        assert gaps_told(node) > before


def test_a_message_at_which_redis_closes_subscribers(hurt: Disturbed) -> None:
    gaps = [gaps_told(node) for node in hurt.ours]
    hurt.server.publish("chaos#/#", b"\0" * TOO_LARGE)
    during = hurt.emit()
    for node, before in zip(hurt.ours, gaps, strict=True):
        node.wait_for("gap", before + 1)
    hurt.wait_healthy()
    assert_as_before(hurt, during)


def test_redis_is_away_at_the_start(redis_server: RedisServer, crowd: Crowd) -> None:
    redis_server.kill()
    with disturbed(redis_server, crowd, is_connected=False) as hurt:
        for node in hurt.ours:
            assert not node.call("statistics")["healthy"]
            assert node.call("statistics")["problem"]
        during = hurt.emit()
        room = hurt.join_a_room()
        redis_server.restart()
        hurt.wait_healthy()
        assert_as_before(hurt, during)
        hurt.assert_room_is_reached(room)


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
            lost = assert_as_before(hurt, during)
            hurt.assert_room_is_reached(room)
            assert {way for way in lost if "ours-2" not in way} == set()


def test_a_node_that_hangs_is_named(hurt: Disturbed) -> None:
    """Whoever does not answer in time is named, and the others' answers are returned."""
    here, there = hurt.ours
    everyone = {client.id for client in hurt.clients}
    hanging = next(client.id for client in hurt.clients if client.node == there.name)
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
