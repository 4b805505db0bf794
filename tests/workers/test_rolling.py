"""Servers behind real proxies drain and are replaced, under traffic: nothing is lost.

`python -m tests.workers.rolling` does the same more often, and counts.
"""

import pytest

from tests.support.peers import WEBSOCKET, Kind
from tests.support.proxies import configuration
from tests.support.redis_server import RedisServer, redis_server
from tests.workers.rolling import KINDS, Pair, Workers, roll

__all__ = ["redis_server"]

pytestmark = [pytest.mark.slow, pytest.mark.node, pytest.mark.redis]

NGINX = pytest.param("nginx.conf", KINDS, marks=pytest.mark.nginx)
HAPROXY = pytest.param("haproxy.cfg", KINDS, marks=pytest.mark.haproxy)
BY_ADDRESS = pytest.param("nginx_by_address.conf", KINDS, marks=pytest.mark.nginx)
BY_COOKIE = pytest.param("haproxy_by_cookie.cfg", (WEBSOCKET,), marks=pytest.mark.haproxy)


@pytest.mark.parametrize(("name", "kinds"), [NGINX, HAPROXY, BY_ADDRESS, BY_COOKIE])
async def test_servers_of_their_own(
    name: str, kinds: tuple[Kind, ...], redis_server: RedisServer
) -> None:
    counts = await roll(configuration(name), redis_server.url, 2, kinds, 2, Pair)
    for kind, count in counts.items():
        assert not count.losses, (kind, count)
        assert count["acknowledged"]
        assert count["told or cast"]
        assert count["disconnected"]


@pytest.mark.nginx
async def test_workers(redis_server: RedisServer) -> None:
    counts = await roll(configuration("nginx.conf"), redis_server.url, 1, KINDS, 2, Workers)
    for kind, count in counts.items():
        assert not count.losses, (kind, count)
        assert count["disconnected"] >= 2
