"""A Redis, and clusters that tests share: processes start slowly."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.cluster.clients import Crowd, crowd
from tests.cluster.process import Process
from tests.cluster.world import MIXED, NAMES, World
from tests.support.redis_server import RedisServer

MakeWorld = Callable[[tuple[str, ...]], World]


@pytest.fixture(scope="session")
def quiet_redis() -> Iterator[RedisServer]:
    """A Redis that nothing happens to."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def make_world(quiet_redis: RedisServer) -> Iterator[MakeWorld]:
    """Makes the cluster with some nodes; it stays for other tests."""
    with ExitStack() as stack:

        @cache
        def make(names: tuple[str, ...]) -> World:
            return stack.enter_context(World(quiet_redis.url, f"cluster of {NAMES[names]}", names))

        yield make


@pytest.fixture
def world(request: pytest.FixtureRequest, make_world: MakeWorld) -> World:
    """The cluster that is asked for."""
    return make_world(request.param)


@pytest.fixture
def world_of_both(make_world: MakeWorld) -> World:
    """The cluster with nodes of both kinds."""
    return make_world(MIXED)


@pytest.fixture
def source(request: pytest.FixtureRequest, world: World) -> Process:
    """What emits or asks."""
    return world.source(request.param)


@pytest.fixture(scope="module", name="crowd")
def crowd_() -> Iterator[Crowd]:
    """Clients, for the tests of one file."""
    with crowd() as clients:
        yield clients
