"""How long honest clients wait while a swarm of hostile ones attacks: `--hostile`.

100 honest clients chat in a room, at a fixed rate; then the same beside many hostile
connections, of all kinds (`tests/hostile/kinds.py`), once all of them have begun. A delay is
counted from the moment at which the message was due to its arrival at each of them. The server has
one core, and all clients share the other: the hostile ones get what the honest ones leave.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.peers import PEERS, versions
from tools.load.process import Peer, Server, pin, running
from tools.setup_machine import ROOT

HONEST = 100
MESSAGES, FEW = 5, 1
"""What each of them says; few, if it is to be quick."""

RATE = 25
"""Messages in a second; each is delivered to all honest clients."""

LAST = 19
"""The priority of the hostile: they share a core with the honest, whose delay is measured."""

Row = dict[str, float]


class Process:
    """Clients in a process of their own, that wait for orders.

    Args:
        module: the module that is run.
        *arguments: its command line.
    """

    def __init__(self, module: str, *arguments: int | str) -> None:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        pin(self.process.pid, 1)

    def hear(self) -> str:
        """Return its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a client process has ended")
        return line.strip()

    def order(self) -> None:
        """Have it go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@contextmanager
def started(module: str, *arguments: int | str) -> Iterator[Process]:
    """Start clients, and return when they are there; in the end they are killed."""
    clients = Process(module, *arguments)
    try:
        assert clients.hear() == "here"
        yield clients
    finally:
        clients.process.kill()
        clients.process.communicate()


def run(names: Sequence[str], hostile: int, messages: int) -> None:
    """Measure those servers, or all, and print what was measured."""
    peers = [peer for peer in PEERS if not names or peer.name in names]
    pin(0, 1)
    table = measure(peers, hostile, messages)
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    print()
    print(table)


def measure(peers: Sequence[Peer], hostile: int, messages: int) -> str:
    """Run each server alone with the honest ones and then under attack; return a table."""
    lines = [
        f"Delay of a message among {HONEST} honest clients, {RATE} messages/s, ms:",
        "",
        "| hostile connections | server | p50 | p99 | longest | never came |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for count in (0, hostile):
        for peer in peers:
            sys.stderr.write(f"  {peer.name}: {count:,} hostile\n")
            lines.append(f"| {count:,} | {peer.name} | {_cells(peer, count, messages)} |")
    return "\n".join(lines) + "\n"


def _cells(peer: Peer, hostile: int, messages: int) -> str:
    try:
        with running(peer) as server:
            row = attacked(server, hostile, messages) if hostile else chat(server, messages)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return f"{error} | | | all"
    if not row["delivered"]:
        return f"- | - | - | {row['missing']:,.0f}"
    return f"{row['p50']:.1f} | {row['p99']:.1f} | {row['max']:.1f} | {row['missing']:,.0f}"


def chat(server: Server, messages: int) -> Row:
    """Return the delays of the honest clients."""
    with started("tests.hostile.chat", *_honest(server, messages)) as honest:
        honest.order()
        return _figures(honest)


def attacked(server: Server, hostile: int, messages: int) -> Row:
    """Return the delays of the honest clients while others attack."""
    arguments = (server.port, hostile, server.peer.version)
    with (
        started("tests.hostile.chat", *_honest(server, messages)) as honest,
        started("tests.hostile.swarm", *arguments) as swarm,
    ):
        os.setpriority(os.PRIO_PROCESS, swarm.process.pid, LAST)
        swarm.order()
        assert swarm.hear() == "begun"
        honest.order()
        row = _figures(honest)
        swarm.order()
        came: dict[str, int] = json.loads(swarm.hear())
        sys.stderr.write(f"    {sum(came.values()):,} connections came\n")
        return row


def _honest(server: Server, messages: int) -> tuple[int, ...]:
    return server.port, HONEST, messages, RATE, server.peer.version


def _figures(honest: Process) -> Row:
    figures = json.loads(honest.hear())
    if figures["wrong"]:
        raise RuntimeError(f"not in order: {figures['wrong'][:3]}")
    return {name: figures[name] for name in ("p50", "p99", "max", "delivered", "missing")}
