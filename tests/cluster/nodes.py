"""The nodes of a cluster, of either kind, and emitters of each, in processes of their own."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import redis

from tests.cluster.process import Process, wait_until
from tests.support.peers import JAVASCRIPT

JS, JS_4, OURS = "node", "node4", "ours"
KINDS = (OURS, JS)

_NODES = {
    JS: ("node", str(JAVASCRIPT / "cluster_node.js")),
    JS_4: ("node", str(JAVASCRIPT / "cluster_node_4.js")),
    OURS: (sys.executable, "-m", "tests.cluster.our_node"),
}
_EMITTERS = {
    "emitter": ("node", str(JAVASCRIPT / "cluster_emitter.js")),
    "our-emitter": (sys.executable, "-m", "tests.cluster.our_emitter", "async"),
    "our-sync-emitter": (sys.executable, "-m", "tests.cluster.our_emitter", "sync"),
}
EMITTERS = tuple(_EMITTERS)


class Node(Process):
    """A node.

    Args:
        name: its name, which begins with its kind.
        url: of Redis.
        **options: as our adapter calls them, among them `key`; Node.js has few of them.

    Attributes:
        kind: "node", "node4" or "ours".
        port: where it serves.
    """

    def __init__(self, name: str, url: str, **options: object) -> None:
        self.kind = name.partition("-")[0]
        is_specific = options.pop("specific", False)
        if self.kind != OURS:
            patience = options.get("requests_timeout", 5.0)
            assert isinstance(patience, float)
            options = {"key": options["key"], "requestsTimeout": round(patience * 1000)}
            if self.kind == JS_4:
                options["publishOnSpecificResponseChannel"] = is_specific
        words = json.dumps({"name": name, "url": url, **options})
        super().__init__(name, [*_NODES[self.kind], words])
        self.port = 0

    def wait_ready(self) -> None:
        """Wait until it serves."""
        (self.port,) = self.wait_for("ready")


class Emitter(Process):
    """An emitter.

    Args:
        name: one of `EMITTERS`.
        url: of Redis.
        key: of the cluster.
        generation: of the cluster.
    """

    def __init__(self, name: str, url: str, key: str, generation: int) -> None:
        words = {"url": url, "key": key, "generation": generation}
        super().__init__(name, [*_EMITTERS[name], json.dumps(words)])


class Cluster:
    """Nodes that share a Redis and a key.

    Args:
        url: of Redis.
        key: the prefix of the cluster's channels.
        nodes: the nodes; they are ready.

    Attributes:
        key, nodes: the same; the nodes by name.
        redis: a client of Redis.
    """

    def __init__(self, url: str, key: str, nodes: Sequence[Node]) -> None:
        self.key = key
        self.nodes = {node.name: node for node in nodes}
        self.redis = redis.Redis.from_url(url)

    @property
    def ports(self) -> dict[str, int]:
        """The ports of the nodes."""
        return {name: node.port for name, node in self.nodes.items()}

    def of_kind(self, kind: str) -> list[Node]:
        """Return the nodes of one kind."""
        return [node for node in self.nodes.values() if node.kind == kind]

    def call(self, verb: str, *args: object) -> dict[str, Any]:
        """Tell all nodes to do something; return the results by node."""
        answers = {name: node.order(verb, *args) for name, node in self.nodes.items()}
        return {name: answer.result() for name, answer in answers.items()}

    def wait_subscribed(self, namespace: str = "/", missing: int = 0) -> None:
        """Wait until all nodes hear what the others say in a namespace.

        Redis can tell how many have subscribed to requests, which ours do after everything else,
        and how many a message to a room reaches: nodes of Node.js, whoever is in the room.

        Args:
            namespace: the namespace.
            missing: how many nodes of ours are not there.
        """
        requests = f"{self.key}-request#{namespace}#"
        nobody = f"{self.key}#{namespace}#nobody#"
        wanted = len(self.nodes) - missing
        in_javascript = len(self.nodes) - len(self.of_kind(OURS))

        def have_subscribed() -> bool:
            there = self.redis.pubsub_numsub(requests)[0][1]
            return there == wanted and self.redis.publish(nobody, b"") >= in_javascript

        wait_until(have_subscribed, f"{wanted} nodes have subscribed to {requests}")


@contextmanager
def cluster(
    url: str,
    key: str,
    names: Sequence[str],
    *,
    urls: Mapping[str, str] | None = None,
    is_connected: bool = True,
    **options: object,
) -> Iterator[Cluster]:
    """Run a cluster.

    Args:
        url: of Redis.
        key: the prefix of its channels.
        names: of the nodes; each begins with its kind.
        urls: other ways to Redis, by the nodes that take them.
        is_connected: whether Redis is there, and to wait until all nodes have subscribed.
        **options: as our adapters call them.
    """
    with ExitStack() as stack:
        nodes = []
        if any(name.startswith(JS_4) for name in names):
            options = {"generation": 4, **options}
        for name in names:
            way = (urls or {}).get(name, url)
            nodes.append(stack.enter_context(Node(name, way, key=key, **options)))
        for node in nodes:
            node.wait_ready()
        running = Cluster(url, key, nodes)
        stack.callback(running.redis.close)
        if is_connected:
            running.wait_subscribed()
        yield running
