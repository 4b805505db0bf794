"""Clusters under load: a real redis-server, and nodes that are joined by it."""

import contextlib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.load.process import Peer, Server, pin, running

SERVERS = Path(__file__).parent / "servers"
LISTENS = "Ready to accept connections"


@dataclass(frozen=True)
class Kind:
    """Nodes of one kind.

    Attributes:
        name: what they are called in tables.
        command: starts one, with the address of Redis behind the first two words.
    """

    name: str
    command: tuple[str, ...]

    def peer(self, redis_url: str) -> Peer:
        """Return what starts a node."""
        first, script, *more = self.command
        return Peer(self.name, (first, script, redis_url, *more), 3)


OWN_NODE = (sys.executable, str(SERVERS / "trio_sio_node.py"))
KINDS = (
    Kind("trio_sio", OWN_NODE),
    Kind("trio_sio, wildcard", (*OWN_NODE, "1")),
    Kind("socket.io-redis 5.4.0", ("node", str(SERVERS / "cluster_node.js"))),
)
OURS, WILDCARD, THEIRS = (kind.name for kind in KINDS)


@dataclass(frozen=True)
class Cluster:
    """Nodes, and what joins them."""

    redis: Server
    nodes: tuple[Server, ...]

    def settle(self) -> None:
        """Return when no process has anything more to do."""
        for process in (*self.nodes, self.redis):
            process.settle()

    def cpu_seconds(self) -> list[float]:
        """Return the CPU time that each node has used, and last that of Redis."""
        return [process.cpu_seconds() for process in (*self.nodes, self.redis)]


@contextlib.contextmanager
def cluster(kind: Kind, size: int) -> Iterator[Cluster]:
    """Start Redis and some nodes, and end them."""
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(running_redis())
        peer = kind.peer(f"redis://127.0.0.1:{redis.port}")
        yield Cluster(redis, tuple(stack.enter_context(running(peer)) for _ in range(size)))


@contextlib.contextmanager
def running_redis() -> Iterator[Server]:
    """Start a redis-server that writes nothing to disk, and end it.

    Raises:
        RuntimeError: it ended instead of listening.
        FileNotFoundError: it is not installed.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        nothing_kept = ("--save", "", "--appendonly", "no", "--dir", folder)
        command = ("redis-server", "--bind", "127.0.0.1", "--port", str(port), *nothing_kept)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                if not any(LISTENS in line for line in process.stdout):
                    raise RuntimeError("redis-server does not listen")
                pin(process.pid, 0)
                yield Server(Peer("redis-server", command, 0), process.pid, port, 0.0)
            finally:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
