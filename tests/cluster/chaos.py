"""A cluster that is hurt while its nodes emit, and the account of what was lost."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Self

from tests.cluster.clients import Client, Crowd, Hearing
from tests.cluster.nodes import OURS, Cluster, Node, cluster
from tests.support.redis_server import RedisServer

QUICK: dict[str, object] = {
    "command_timeout": 0.6,
    "probe_interval": 0.2,
    "probe_timeout": 0.6,
    "requests_timeout": 1.0,
}
"""Options of our adapters, for tests that wait until they notice something."""

NAMES = {2: ("ours-1", "node-1", "ours-2"), 4: ("ours-1", "ours-2")}
"""By the generation of the messages between them.

One of Node.js witnesses that the tests are right. That of the later generation (redis 4.7) does not
subscribe again behind some of what is done here, or ends.
"""

STEP = 20
"""Events of each node before, during and after."""

BLOCK = 100_000
"""Numbers of each node."""


class Disturbed:
    """A cluster that is going to be hurt; each node has a client.

    Args:
        server: its Redis.
        nodes: the cluster.
        crowd: the process with the clients.

    Attributes:
        server, cluster: the same.
        clients: one of each node.
    """

    def __init__(self, server: RedisServer, nodes: Cluster, crowd: Crowd) -> None:
        self.server = server
        self.cluster = nodes
        self.clients = crowd.open(nodes.ports)
        self._sent = 0
        self.begin()

    @property
    def ours(self) -> list[Node]:
        """Our nodes."""
        return self.cluster.of_kind(OURS)

    def begin(self) -> None:
        """Begin a new account."""
        self._hearing = Hearing(self.clients)
        self._begun = self._sent
        self._before = {node: (gaps_told(node), count_dropped(node)) for node in self.ours}

    def emit(self) -> range:
        """Have each node emit some numbered events; each has its own hundred thousand.

        Their own clients hear them whatever has become of Redis.
        """
        numbers = range(self._sent, self._sent + STEP)
        self._sent += STEP
        for i, node in enumerate(self.cluster.nodes.values()):
            node.call("burst", {}, "news", BLOCK * i + numbers[0], STEP)
        for i, (name, client) in enumerate(zip(self.cluster.nodes, self.clients, strict=True)):
            assert client.node == name
            client.wait_for("news", BLOCK * i + numbers[-1])
        return numbers

    def assert_connected(self) -> range:
        """Emit, and assert that everything arrives everywhere."""
        numbers = self.emit()
        self._hearing.fence(*self.cluster.nodes.values())
        for client in self.clients:
            for i, name in enumerate(self.cluster.nodes):
                heard = [number - BLOCK * i for number in self.heard(client, i)]
                assert [number for number in heard if number in numbers] == list(numbers), (
                    f"{client} did not hear all of {name}"
                )
        return numbers

    def assert_as_before(self, during: Sequence[int]) -> dict[str, int]:
        """Assert that fresh events arrive everywhere; return how many were lost in between."""
        self.assert_connected()
        lost = self.lost(during)
        sys.stdout.write(f"lost: {lost}\n")
        assert not any(node.has_ended for node in self.cluster.nodes.values())
        return lost

    def heard(self, client: Client, sender: int) -> list[int]:
        """Return the numbers of one node that a client has heard, in order."""
        return [n for (n,) in self._hearing.news()[client] if n // BLOCK == sender]

    def join_a_room(self) -> str:
        """Have all clients join a room, and assert that nodes reach their own there."""
        room = f"late-{self._sent}"
        for client in self.clients:
            client.join(room)
            node = self.cluster.nodes[client.node]
            node.call("emit", {"rooms": [room], "flags": {"local": True}}, "late", room)
            client.wait_for("late", room)
        return room

    def assert_room_is_reached(self, room: str) -> None:
        """Assert that what any node emits to the room arrives everywhere."""
        for name, node in self.cluster.nodes.items():
            node.call("emit", {"rooms": [room]}, "late", room, name)
            for client in self.clients:
                client.wait_for("late", room, name)

    def lost(self, during: Sequence[int]) -> dict[str, int]:
        """Count what was lost, by "sender to receiver".

        What was emitted before and after must have arrived, in order and once; what was lost must
        have been told by one of our nodes.

        Args:
            during: the numbers that were emitted meanwhile.
        """
        account = {}
        for i, sender in enumerate(self.cluster.nodes.values()):
            for client in self.clients:
                heard = [number - BLOCK * i for number in self.heard(client, i)]
                where = f"{sender.name} to {client.node}"
                assert heard == sorted(set(heard)), f"{where}: out of order or twice: {heard}"
                missed = set(range(self._begun, self._sent)) - set(heard)
                assert missed <= set(during), f"{where}: lost beside the disturbance: {missed}"
                if missed:
                    account[where] = len(missed)
                    self._assert_told(sender, self.cluster.nodes[client.node], len(missed))
        return account

    def _assert_told(self, sender: Node, receiver: Node, count: int) -> None:
        if receiver.kind != OURS:
            return  # it never tells
        if gaps_told(receiver) > self._before[receiver][0]:
            return
        where = f"from {sender.name} to {receiver.name}"
        assert sender.kind == OURS, f"{count} lost {where}, in silence"
        dropped = count_dropped(sender) - self._before[sender][1]
        assert dropped >= count, f"{count} lost {where}, {dropped} of them told"

    def wait_unhealthy(self, *nodes: Node) -> None:
        """Wait until nodes of ours have told that they are not well, and why."""
        for node in nodes:
            node.wait_until(lambda node=node: not is_healthy(node), "that it is not well")  # type: ignore[misc]
            assert node.told("health")[-1][1], "it did not say why"
            statistics = node.call("statistics")
            assert statistics["healthy"] or statistics["problem"]

    def times_well(self) -> dict[Node, int]:
        """How often each of our nodes has told that it is well."""
        return {node: told_well(node) for node in self.ours}

    def wait_healthy(self, after: Mapping[Node, int] | None = None) -> None:
        """Wait until our nodes are well, and all nodes hear each other.

        Args:
            after: as they have been well so often before.
        """
        for node, times in (after or dict.fromkeys(self.ours, 0)).items():
            node.wait_until(
                lambda node=node, times=times: told_well(node) > times and is_healthy(node),  # type: ignore[misc]
                "that it is well again",
            )
        for node in self.ours:
            assert node.call("statistics")["healthy"]
        self.cluster.wait_subscribed()
        for node in self.cluster.nodes.values():
            if node.kind != OURS:
                self._hearing.wait_heard(node)


def gaps_told(node: Node) -> int:
    """How often a node of ours has told of a gap."""
    return len(node.told("gap"))


def count_dropped(node: Node) -> int:
    """How many events a node of ours could not send to the others."""
    return int(node.call("statistics")["dropped"])


def told_well(node: Node) -> int:
    """How often a node has told that it is well."""
    return sum(healthy for healthy, _ in node.told("health"))


def is_healthy(node: Node) -> bool:
    """What a node has told last."""
    return bool(node.told("health")[-1][0])


@contextmanager
def disturbed(
    server: RedisServer,
    crowd: Crowd,
    names: Sequence[str] = (),
    *,
    generation: int = 2,
    urls: Mapping[str, str] | None = None,
    is_connected: bool = True,
    **options: object,
) -> Iterator[Disturbed]:
    """Run a cluster that is going to be hurt; its nodes notice quickly.

    Args:
        server: its Redis.
        crowd: the process for its clients.
        names: of its nodes; some of either kind if none are given.
        generation: of the messages between them.
        urls: other ways to Redis, by the nodes that take them.
        is_connected: whether Redis is there.
        **options: more of them, as our adapters call them.
    """
    options = {**QUICK, "generation": generation, **options}
    with cluster(
        server.url,
        "chaos",
        names or NAMES[generation],
        urls=urls,
        is_connected=is_connected,
        **options,
    ) as nodes:
        yield Disturbed(server, nodes, crowd)


class Hospital:
    """A cluster that is hurt by one test after the other, and replaced if it does not recover.

    Args:
        crowd: the process for the clients.
        generation: of the messages between its nodes.
    """

    def __init__(self, crowd: Crowd, generation: int) -> None:
        self._crowd = crowd
        self._generation = generation
        self._stack = ExitStack()
        self._patient: Disturbed | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cluster(self) -> Disturbed:
        """Return a cluster that is well."""
        if self._patient is None:
            server = self._stack.enter_context(RedisServer())
            hurt = disturbed(server, self._crowd, generation=self._generation)
            self._patient = self._stack.enter_context(hurt)
            self._patient.wait_healthy()
        self._patient.begin()
        self._patient.assert_connected()
        return self._patient

    def check(self) -> None:
        """Assert that it is well again.

        Raises:
            AssertionError: it is not, and has been given up.
        """
        assert self._patient is not None
        try:
            self._patient.server.resume()
            self._patient.wait_healthy()
            self._patient.assert_connected()
        except BaseException:
            self._patient = None
            self._stack.close()
            raise
