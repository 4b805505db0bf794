"""Disasters in any order, while nodes emit: all is well in the end, nothing lost in silence."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.cluster.chaos import Disturbed, disturbed
from tests.cluster.clients import Crowd
from tests.cluster.proxy import Proxy
from tests.support.redis_server import RedisServer, redis_server as redis_server

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.long]

ROUNDS = 10
"""How often it has to recover."""

LONGEST = 2.0
"""Seconds that a disaster takes at most."""

NOTICED = 2.0
"""Seconds in which a node has noticed that it is deaf, so that its being well counts again."""


class Disasters:
    """What can happen, chosen at random.

    Args:
        hurt: the cluster it happens to.
        proxies: the ways of some of its nodes to Redis.
        chance: chooses.
    """

    def __init__(self, hurt: Disturbed, proxies: list[Proxy], chance: random.Random) -> None:
        self._hurt = hurt
        self._server = hurt.server
        self._proxies = proxies
        self._chance = chance
        self._kinds: list[Callable[[], None]] = [
            *(self.kill_subscribers, self.kill_publishers, self.pause, self.restart, self.cut),
            *(self.break_off, self.deafen, self.publish_too_much, self.move, self.ask),
        ]

    def strike(self) -> str:
        """Let one happen; return its name."""
        kind = self._chance.choice(self._kinds)
        kind()
        return kind.__name__

    def kill_subscribers(self) -> None:
        self._server.kill_clients("pubsub")

    def kill_publishers(self) -> None:
        self._server.kill_clients("normal")

    def pause(self) -> None:
        self._server.pause()
        self._last()
        self._server.resume()

    def restart(self) -> None:
        self._server.kill()
        self._last()
        self._server.restart()

    def cut(self) -> None:
        proxy = self._chance.choice(self._proxies)
        proxy.cut()
        self._last()
        proxy.heal()

    def break_off(self) -> None:
        proxy = self._chance.choice(self._proxies)
        proxy.break_off()
        self._last()
        proxy.heal()

    def deafen(self) -> None:
        self._chance.choice(self._proxies).deafen()

    def publish_too_much(self) -> None:
        self._server.publish("chaos#/#", b"\0" * (33 * 2**20))

    def move(self) -> None:
        """Change rooms, to a pattern for all of them and back."""
        client = self._chance.choice(self._hurt.clients)
        rooms = [f"room-{number}" for number in self._chance.sample(range(40), 15)]
        client.join(*rooms)
        client.leave(*rooms[:10])

    def ask(self) -> None:
        """Ask, and do not wait for the answers."""
        node = self._chance.choice(self._hurt.ours)
        node.order("clients", "/", [])
        node.order("allRooms", "/")
        node.order("remoteJoin", "/", self._chance.choice(self._hurt.clients).id, "far")

    def _last(self) -> None:
        time.sleep(self._chance.uniform(0, LONGEST))


@pytest.fixture
def proxies(redis_server: RedisServer) -> Iterator[list[Proxy]]:
    """Two ways to Redis."""
    with ExitStack() as stack:
        yield [stack.enter_context(Proxy(redis_server.port)) for _ in range(2)]


@pytest.mark.parametrize("generation", [2, 4])
@pytest.mark.parametrize("seed", range(4))
def test_any_disasters(
    redis_server: RedisServer, proxies: list[Proxy], crowd: Crowd, seed: int, generation: int
) -> None:
    chance = random.Random(seed)
    names = ["ours-1", "ours-2", "ours-3"]
    urls = {
        name: f"redis://127.0.0.1:{proxy.port}"
        for name, proxy in zip(names, proxies, strict=False)  # the last one has its own way
    }
    with disturbed(
        redis_server, crowd, names, generation=generation, urls=urls, max_subscriptions=10
    ) as hurt:
        hurt.wait_healthy()
        disasters = Disasters(hurt, proxies, chance)
        for _ in range(ROUNDS):
            hurt.begin()
            first = hurt.assert_connected()[-1] + 1
            struck, last = [], first
            for _ in range(chance.randrange(1, 8)):
                hurt.emit()
                struck.append(disasters.strike())
                last = hurt.emit()[-1] + 1
            time.sleep(NOTICED)
            hurt.wait_healthy()
            lost = hurt.assert_as_before(range(first, last))
            hurt.assert_room_is_reached(hurt.join_a_room())
            everyone = {client.id for client in hurt.clients}
            for node in hurt.ours:
                assert set(node.call("clients", "/", [])) == everyone, (struck, lost)
