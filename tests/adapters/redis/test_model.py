"""Clusters of one to three servers, joined by a real Redis, against a naive model."""

import itertools
from collections.abc import Iterable, Iterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import examples
from tests.support.redis_server import RedisServer
from trio_sio.adapters.redis import RedisAdapter
from trio_sio.testing.machines import RoomsMachine
from trio_sio.testing.machines.rooms import AdapterFactory

pytestmark = [pytest.mark.redis, pytest.mark.slow]

KEYS = itertools.count()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with RedisServer() as server:
        yield server.url


@pytest.mark.parametrize(("count", "max_subscriptions"), [(1, 100), (2, 100), (3, 100), (3, 4)])
def test_a_cluster_does_what_the_model_does(url: str, count: int, max_subscriptions: int) -> None:
    class Cluster(RoomsMachine):
        stops_time: ClassVar[bool] = False

        def make_adapters(self) -> Iterable[AdapterFactory]:
            key = f"cluster-{next(KEYS)}"
            return [
                RedisAdapter(url, key=key, max_subscriptions=max_subscriptions)
                for _ in range(count)
            ]

    run_state_machine_as_test(
        Cluster,
        settings=examples(8, stateful_step_count=20, suppress_health_check=[HealthCheck.too_slow]),
    )
