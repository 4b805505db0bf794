"""Run the same load on each server in turn, several rounds, and print medians.

    python3 -m benchmarks                     both WebSocket engines, 100 and 500 clients
    python3 -m benchmarks --rounds 9 --clients 2000

The figure is the server process's own CPU time, of all its threads, per message that it
delivered. Server and load are on different cores where there are two.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Crowd

SERVERS = Path(__file__).parent / "servers"
ENGINES = ("websockets", "trio-websocket")
TEXT = "x" * 32
CORES = sorted(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Case:
    """A load: how many clients, what they do, and how many messages that makes."""

    name: str
    clients: int
    messages: int
    run: Callable[[Crowd], float]


def cases(clients: int) -> list[Case]:
    """Return the loads to run."""
    singles, bursts = 100, 25
    return [
        Case("echo, 100 clients", 100, 100 * 100, lambda crowd: crowd.echo(100, TEXT)),
        Case(
            f"broadcast to {clients}, one at a time",
            clients,
            clients * singles,
            lambda crowd: crowd.broadcast(singles, 1, TEXT),
        ),
        Case(
            f"broadcast to {clients}, bursts of 8",
            clients,
            clients * bursts * 8,
            lambda crowd: crowd.broadcast(bursts, 8, TEXT),
        ),
    ]


@contextlib.contextmanager
def server(ws_engine: str) -> Iterator[tuple[int, int]]:
    """Start a server; yield its port and its process id."""
    command = [sys.executable, str(SERVERS / "trio_sio_server.py"), ws_engine]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            _pin(process.pid, 0)
            assert process.stdout is not None
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


def _pin(pid: int, index: int) -> None:
    """Put a process (0: this one) on one of the cores, if there are two."""
    if len(CORES) > 1:
        os.sched_setaffinity(pid, {CORES[index]})


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used so far, of all its threads."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def measure(case: Case, ws_engine: str) -> tuple[float, float]:
    """Run one load on one server; return µs of CPU per message, and messages per second."""
    with server(ws_engine) as (port, pid):
        crowd = Crowd(port, case.clients)
        try:
            case.run(crowd)  # once to warm up
            before = cpu_seconds(pid)
            seconds = case.run(crowd)
            used = cpu_seconds(pid) - before
        finally:
            crowd.close()
    return used / case.messages * 1e6, case.messages / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each load (5)")
    parser.add_argument("--clients", type=int, default=500, help="clients of a broadcast (500)")
    arguments = parser.parse_args()
    _pin(0, 1)
    loads = cases(arguments.clients)
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(arguments.rounds):
        for case in loads:
            for engine in ENGINES:
                results.setdefault((case.name, engine), []).append(measure(case, engine))
    print(f"{'load':32} {'ws_engine':16} {'µs CPU per message':>20} {'messages/s':>12}")
    for (name, engine), figures in results.items():
        costs = sorted(cost for cost, _ in figures)
        speed = statistics.median(speed for _, speed in figures)
        spread = f"({costs[0]:.1f} to {costs[-1]:.1f})"
        print(f"{name:32} {engine:16} {statistics.median(costs):6.1f} {spread:>14} {speed:12,.0f}")


if __name__ == "__main__":
    main()
