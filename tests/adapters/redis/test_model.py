"""Clusters of one to three servers, joined by a real Redis, against a naive model."""

import itertools
from collections.abc import Iterator
from functools import partial

import pytest
import trio
from hypothesis import HealthCheck, given

from tests.support.cluster_model import Program, programs, run
from tests.support.examples import examples
from tests.support.redis_server import RedisServer
from trio_sio.adapters.redis import RedisAdapter

pytestmark = [pytest.mark.redis, pytest.mark.slow]

KEYS = itertools.count()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with RedisServer() as server:
        yield server.url


@pytest.mark.parametrize(("count", "max_subscriptions"), [(1, 100), (2, 100), (3, 100), (3, 4)])
@examples(15, suppress_health_check=[HealthCheck.too_slow])
@given(program=programs)
def test_a_cluster_does_what_the_model_does(
    url: str, count: int, max_subscriptions: int, program: Program
) -> None:
    key = f"cluster-{next(KEYS)}"
    join = partial(RedisAdapter, url, key=key, max_subscriptions=max_subscriptions)
    trio.run(partial(run, join, count, program, is_patient=False))
