"""A cluster with an audience, which many tests share."""

import itertools
from contextlib import ExitStack
from typing import Self

import pytest

from tests.cluster.clients import Client, Crowd, Hearing
from tests.cluster.nodes import EMITTERS, JS, JS_4, OURS, Cluster, Emitter, cluster
from tests.cluster.process import Process

MIXED = ("ours-1", "node-1", "ours-2")
NODES_ONLY = ("node-1", "node-2")
"""The same tests with these show that the tests are right."""
MIXED_4 = ("ours-1", "node4-1", "ours-2")
NODES_ONLY_4 = ("node4-1", "node4-2")
OURS_ONLY = ("ours-1", "ours-2")
NAMES = {
    MIXED: "mixed",
    NODES_ONLY: "nodes",
    MIXED_4: "mixed-4",
    NODES_ONLY_4: "nodes-4",
    OURS_ONLY: "ours",
}

NODES_4 = (
    *((MIXED_4, kind) for kind in (OURS, JS_4)),
    (NODES_ONLY_4, JS_4),
)
ALL_NODES = (
    *((MIXED, kind) for kind in (OURS, JS)),
    (NODES_ONLY, JS),
)
ALL_SOURCES = (
    *ALL_NODES,
    *NODES_4,
    *((MIXED, name) for name in EMITTERS),
    *((MIXED_4, name) for name in EMITTERS if name.startswith("our")),
    (NODES_ONLY, "emitter"),
)


def each_source(*pairs: tuple[tuple[str, ...], str]) -> pytest.MarkDecorator:
    """Run a test in clusters, each time with another `source`: a kind of node, or an emitter."""
    ids = [f"{source}-in-{NAMES[names]}" for names, source in pairs]
    return pytest.mark.parametrize(("world", "source"), pairs, indirect=True, ids=ids)


from_all = each_source(*ALL_SOURCES)
from_all_that_know_more = each_source(*(pair for pair in ALL_SOURCES if pair[1] != "emitter"))
"""socket.io-emitter knows no exceptions and no bytes."""
from_nodes = each_source(*ALL_NODES, *NODES_4)
from_nodes_of_2 = each_source(*ALL_NODES, (MIXED_4, OURS))
"""In a cluster of generation 4, only ours can be asked the same."""
from_all_with_verbs = each_source(*NODES_4, (OURS_ONLY, OURS))
"""Servers of this library have the verbs among each other in any cluster."""


class World:
    """A cluster, and two clients of each of its nodes.

    Args:
        url: of Redis.
        key: of the cluster.
        names: of its nodes.

    Attributes:
        key: the same.
        cluster: the cluster.
        crowd: the process with the clients.
        members: one client of each node.
        others: another client of each node, of Socket.IO 4 where servers know it.
    """

    def __init__(self, url: str, key: str, names: tuple[str, ...]) -> None:
        self.key = key
        self._url = url
        self._names = names
        self._stack = ExitStack()
        self._emitters: dict[str, Emitter] = {}
        self._numbers = itertools.count()
        self.cluster: Cluster
        self.crowd: Crowd
        self.members: list[Client] = []
        self.others: list[Client] = []

    def __enter__(self) -> Self:
        with self._stack as stack:
            self.crowd = stack.enter_context(Crowd())
            later = self.crowd
            if not any(name.startswith(f"{JS}-") for name in self._names):
                later = stack.enter_context(Crowd("4.8"))
            self.cluster = stack.enter_context(cluster(self._url, self.key, self._names))
            self.members = self.crowd.open(self.cluster.ports)
            self.others = later.open(self.cluster.ports)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def audience(self) -> list[Client]:
        """All of the clients."""
        return [*self.members, *self.others]

    def fresh(self, what: str) -> str:
        """Return a name that no other test has."""
        return f"{what}-{next(self._numbers)}"

    def listen(self) -> Hearing:
        """Hear what the clients hear from now on."""
        return Hearing(self.audience)

    def source(self, name: str) -> Process:
        """Return a node of a kind, or an emitter."""
        if name not in EMITTERS:
            return self.cluster.of_kind(name)[0]
        generation = 4 if self.cluster.of_kind(JS_4) else 2
        if name not in self._emitters:
            emitter = self._stack.enter_context(Emitter(name, self._url, self.key, generation))
            emitter.wait_for("ready")
            self._emitters[name] = emitter
        return self._emitters[name]

    def clients_of(self, node: Process) -> list[Client]:
        """Return the clients of a node."""
        return [client for client in self.audience if client.node == node.name]
