"""Sentinels replace the primary: both connections of each server move to the new one."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import redis
import trio

from tests.adapters.redis.test_adapter import QUICK, talk_after, two_nodes
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.redis, pytest.mark.slow]

SECRET = "secret"
REPLICATION = ("repl-diskless-sync-delay 0", f"masterauth {SECRET}")


class Cluster(NamedTuple):
    """A primary, its replica, and a Sentinel that watches both."""

    primary: RedisServer
    replica: RedisServer
    sentinel: RedisServer

    @property
    def url(self) -> str:
        return f"redis+sentinel://:{SECRET}@127.0.0.1:{self.sentinel.port}/mymaster"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with RedisServer(password=SECRET, config=REPLICATION) as primary:
        replication = (*REPLICATION, f"replicaof 127.0.0.1 {primary.port}")
        with RedisServer(password=SECRET, config=replication) as replica:
            config = (
                f"sentinel monitor mymaster 127.0.0.1 {primary.port} 1",
                f"sentinel auth-pass mymaster {SECRET}",
                "sentinel down-after-milliseconds mymaster 300",
                "sentinel failover-timeout mymaster 2000",
            )
            with RedisServer(sentinel=True, config=config) as sentinel:
                yield Cluster(primary, replica, sentinel)


async def test_the_primary_dies(cluster: Cluster) -> None:
    await _replica_is_known(cluster)
    async with two_nodes(cluster.url, **QUICK) as (one, two):
        cluster.primary.kill()
        for each in (one, two):
            await each.health(False)
            await each.health(True)
            assert (await each.gap()).seconds > 0
        assert _kinds(cluster.replica) == {"publisher": 2, "subscriber": 2}
        await talk_after(one, two, "")


async def test_the_primary_hangs_and_comes_back_as_a_replica(cluster: Cluster) -> None:
    await _replica_is_known(cluster)
    async with two_nodes(cluster.url, **QUICK) as (one, two):
        cluster.primary.pause()
        for each in (one, two):
            await each.health(False)
            await each.health(True)
        assert _kinds(cluster.replica) == {"publisher": 2, "subscriber": 2}
        cluster.primary.resume()
        await talk_after(one, two, "")


async def test_an_operator_moves_the_primary(cluster: Cluster) -> None:
    await _replica_is_known(cluster)
    async with two_nodes(cluster.url, **QUICK) as (one, two):
        await _fail_over(cluster.sentinel)
        for each in (one, two):
            await each.health(False)
            await each.health(True)
        assert _kinds(cluster.replica) == {"publisher": 2, "subscriber": 2}
        await talk_after(one, two, "")


async def _replica_is_known(cluster: Cluster) -> None:
    """Wait until the replica has its data, and the Sentinel knows it."""
    with trio.fail_after(30):
        while True:
            figures = cluster.replica.command("INFO", "replication")
            is_known = cluster.sentinel.command("SENTINEL", "REPLICAS", "mymaster")
            if figures["master_link_status"] == "up" and is_known:
                return
            await trio.sleep(0.05)  # neither says it by itself


async def _fail_over(sentinel: RedisServer) -> None:
    """Have the Sentinel replace the primary; it refuses until it has asked the replica."""
    with trio.fail_after(30):
        while True:
            try:
                sentinel.command("SENTINEL", "FAILOVER", "mymaster")
            except redis.ResponseError:
                await trio.sleep(0.1)
            else:
                return


def _kinds(server: RedisServer) -> dict[str, int]:
    """How many connections of each role there are."""
    names = [client["name"] for client in server.client.client_list()]
    return {
        role: sum(name.startswith("trio_sio:") and name.endswith(role) for name in names)
        for role in ("publisher", "subscriber")
    }
