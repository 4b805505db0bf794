"""Probes: the own one proves that this server hears, those of others say who is there."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from tests.support.memory_redis import MemoryRedis, push
from trio_sio.adapters.redis.health import Gap, Health
from trio_sio.adapters.redis.journal import Journal
from trio_sio.adapters.redis.link.backoff import MAX_DELAY, Backoff
from trio_sio.adapters.redis.link.connection import GRACE, Connection
from trio_sio.adapters.redis.probes import (
    MAX_NODES,
    PATIENCE,
    REMEMBERED,
    Identity,
    Node,
    Probes,
)
from trio_sio.adapters.redis.publisher import Publisher
from trio_sio.adapters.redis.subscriber import Subscriber
from trio_sio.adapters.redis.subscriptions import Subscriptions
from trio_sio.protocol.cluster.probe import Probe, decode_probe

CHANNEL = b"socket.io-probe#"
INTERVAL = 4.0
TIMEOUT = 3.0


class Stage:
    """Both connections of one server with their probes, and Redis."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.redis = MemoryRedis(nursery)
        self.journal = Journal()
        self.changes: list[bool] = []
        self.gaps: list[Gap] = []
        self.health = Health(self.changes.append)
        self.identity = Identity("me")
        self.publisher = Publisher(
            self.redis,
            Backoff(lambda: 1.0),
            self.health,
            self.journal,
            on_connected=self.nudge,
            max_bytes=10_000,
            command_timeout=5.0,
        )
        self.subscriber = Subscriber(
            self.redis,
            Subscriptions(3),
            Backoff(lambda: 1.0),
            self.health,
            self.journal,
            on_connected=lambda connection: None,
            on_hearing=self.hear,
            subscribe_timeout=1.0,
            command_timeout=5.0,
        )
        self.probes = Probes(
            CHANNEL,
            self.identity,
            self.publisher,
            self.subscriber,
            self.health,
            self.journal,
            interval=INTERVAL,
            timeout=TIMEOUT,
        )
        self.nursery = nursery

    def nudge(self, _connection: Connection) -> None:
        self.probes.nudge()

    def hear(self, gap: Gap | None) -> None:
        self.probes.nudge()
        if gap is not None:
            self.gaps.append(gap)

    async def run(self) -> None:
        for task in (self.publisher.run, self.subscriber.run, self.probes.run):
            self.nursery.start_soon(task)
        await trio.testing.wait_all_tasks_blocked()

    async def other(self, uid: str, number: int = 1, *, leaving: bool = False) -> None:
        """A probe of another server comes."""
        await self.redis.publish(CHANNEL, Probe(uid, f"name of {uid}", number, leaving).encode())
        await trio.testing.wait_all_tasks_blocked()

    def sent(self) -> list[Probe]:
        commands = self.redis.peer("publisher").commands
        return [decode_probe(words[2]) for words in commands if words[0] == b"PUBLISH"]


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    async with trio.open_nursery() as nursery:
        yield Stage(nursery)
        nursery.cancel_scope.cancel()


async def test_an_own_probe_makes_it_well(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.run()
        assert on.health.healthy
        before = len(on.sent())
        await trio.sleep(3 * INTERVAL + 1)
        assert len(on.sent()) == before + 3
        numbers = [probe.number for probe in on.sent()]
        assert numbers == sorted(set(numbers))
        assert {(probe.uid, probe.name) for probe in on.sent()} == {(on.identity.uid, "me")}
        assert on.changes == [True]


async def test_a_deaf_subscriber_is_found_and_replaced(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        on.redis.deaf = True
        began = trio.current_time()
        await trio.sleep(INTERVAL + TIMEOUT + GRACE + 0.01)
        assert not on.health.healthy
        assert "the own probe did not come back in 3 s" in on.health.problem
        on.redis.deaf = False
        await trio.sleep(MAX_DELAY)
        assert on.health.healthy
        (gap,) = on.gaps
        assert gap.cause == "the own probe did not come back in 3 s"
        assert gap.began <= began
        assert on.changes == [True, False, True]


async def test_a_probe_that_is_behind_other_messages_is_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        on.redis.deaf = True
        peer = on.redis.peer("subscriber")
        other = push(b"message", CHANNEL, Probe("aaaaaa", "x", 1).encode())
        for _ in range(int(INTERVAL + (PATIENCE - 1) * (TIMEOUT + GRACE))):
            await peer.send(other)
            await trio.sleep(1)
        assert not on.health.healthy
        assert on.gaps == []
        for _ in range(int(2 * TIMEOUT)):
            await peer.send(other)
            await trio.sleep(1)
        (gap,) = on.gaps
        assert gap.cause == "the own probe did not come back in 12 s"


async def test_a_lost_connection_is_well_again_after_a_probe(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        for role in ("publisher", "subscriber"):
            began = trio.current_time()
            await on.redis.peer(role).close()
            await trio.testing.wait_all_tasks_blocked()
            assert not on.health.healthy
            await trio.sleep(0.2)  # far less than an interval
            assert on.health.healthy, role
            assert trio.current_time() - began < INTERVAL
        assert on.changes == [True, False, True, False, True]


async def test_refused_probes_are_told(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        on.redis.errors[b"PUBLISH"] = b"NOPERM no channel"
        await on.run()
        assert on.health.problem == "Redis refuses probes: NOPERM no channel"
        on.redis.errors.clear()
        await trio.sleep(INTERVAL + 1)
        assert on.health.healthy


async def test_others_are_known_while_they_probe(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.run()
        assert not on.probes.nodes
        await on.other("aaaaaa")
        await on.other("bbbbbb")
        assert [(node.uid, node.name) for node in on.probes.nodes] == [
            ("aaaaaa", "name of aaaaaa"),
            ("bbbbbb", "name of bbbbbb"),
        ]
        await on.other("bbbbbb", leaving=True)
        await on.other("cccccc", leaving=True)  # nobody knew it
        assert on.probes.peers == {"aaaaaa": "name of aaaaaa"}
        await trio.sleep(2 * INTERVAL + TIMEOUT + 1)
        assert on.probes.nodes == ()
        assert on.probes.peers == {"aaaaaa": "name of aaaaaa"}  # it can still be named
        await trio.sleep(REMEMBERED * INTERVAL)
        assert on.probes.peers == {}


async def test_so_many_others_are_remembered(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.run()
        for number in range(MAX_NODES + 10):
            await on.redis.publish(CHANNEL, Probe(f"{number:06}", "x", 1).encode())
        await trio.testing.wait_all_tasks_blocked()
        assert len(on.probes.peers) == MAX_NODES
        await trio.sleep(1)
        await on.other("000000", 2)
        assert isinstance(on.probes.nodes[0], Node)
        assert on.probes.nodes[0].seen > on.probes.nodes[1].seen


async def test_what_is_no_probe_is_counted(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.run()
        await on.redis.publish(CHANNEL, b"{")
        await trio.testing.wait_all_tasks_blocked()
        assert on.journal.invalid == 1
        assert on.probes.nodes == ()


async def test_another_server_with_the_same_id_is_told(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as on:
        await on.run()
        await on.other(on.identity.uid)
        assert "another server has the same id" in caplog.text


async def test_leaving_says_goodbye(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.run()
        await on.probes.leave()
        await trio.testing.wait_all_tasks_blocked()
        assert [probe.leaving for probe in on.sent()][-2:] == [False, True]


def test_an_identity_is_made_anew_in_a_forked_process() -> None:
    identity = Identity(None)
    uid, name = identity.uid, identity.name
    assert len(uid) == 6
    assert name.endswith(f":{os.getpid()}")
    identity.renew()
    assert identity.uid == uid
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        identity.renew()
        os.write(write, f"{identity.uid} {identity.name}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    other_uid, other_name = os.read(read, 1000).decode().split()
    os.close(read)
    os.close(write)
    assert other_uid != uid
    assert other_name.endswith(f":{child}")
    assert Identity("web-1").name == "web-1"
