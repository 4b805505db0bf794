"""What one worker and several do in the same time: echoes, and broadcasts by way of Redis.

Workers, Redis and clients share all cores, so the figures depend on how many there are.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.cluster_loads import NEWS, TEXT
from benchmarks.cluster_nodes import OWN_NODE, Kind, running_redis
from tools.load.clients import Crowd, frame_size, masked
from tools.load.process import CORES, Server, running

BURST = 8
SENDERS = 4
"""Clients that have something broadcast at the same time."""
ECHO = frame_size(len(f'42["echo","{TEXT}"]'))
WORKERS_START = 20.0
"""Seconds in which all workers have to listen."""

Figures = dict[str, float]
"""What one round gave: messages per second, and µs of all CPU time for each."""


def measure(count: int, clients: int, rounds: int) -> Figures:
    """Run the loads on some workers.

    Args:
        count: how many.
        clients: how many clients they share.
        rounds: echoes of each client, and broadcasts to all of them.
    """
    workers = Kind("workers", (*OWN_NODE, "10000", str(count)))
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    try:
        with (
            running_redis() as redis,
            running(workers.peer(f"redis://127.0.0.1:{redis.port}")) as parent,
        ):
            os.sched_setaffinity(redis.pid, CORES)
            _wait_for(redis.port, count)
            processes = [*_children(parent), redis]
            with closing(Crowd(parent.port, 3, clients)) as crowd:
                return _loads(processes, crowd, rounds)
    finally:
        os.sched_setaffinity(0, before)


def _loads(processes: list[Server], crowd: Crowd, rounds: int) -> Figures:
    clients = len(crowd.clients)
    echo = masked(f'42["echo","{TEXT}"]')
    order = f'42["burst",{BURST},"{TEXT}"]'

    def broadcast(times: int) -> None:
        for _ in range(times):
            for client in crowd.clients[1:SENDERS]:
                client.sendall(masked(order))
            crowd.order(order, SENDERS * BURST * NEWS, clients)

    crowd.loop(rounds // 4, echo, ECHO)
    echoes = _costed(processes, lambda: crowd.loop(rounds, echo, ECHO), rounds * clients)
    broadcast(rounds // 4)
    deliveries = _costed(processes, lambda: broadcast(rounds), rounds * clients * SENDERS * BURST)
    names = ("echoes/s", "µs for an echo", "deliveries/s", "µs for a delivery")
    return dict(zip(names, (*echoes, *deliveries), strict=True))


def _costed(processes: list[Server], run: Callable[[], object], units: int) -> tuple[float, float]:
    """Run something; return how many units of it were done in a second, and the price of each."""
    before, begun = sum(one.cpu_seconds() for one in processes), time.perf_counter()
    run()
    seconds = time.perf_counter() - begun
    used = sum(one.cpu_seconds() for one in processes) - before
    return units / seconds, used / units * 1e6


def _children(parent: Server) -> list[Server]:
    pids = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    return [Server(parent.peer, int(pid), parent.port, parent.started) for pid in pids]


def _wait_for(redis_port: int, count: int) -> None:
    """Return when that many servers are in the cluster.

    Raises:
        RuntimeError: they do not come.
    """
    channel = "socket.io-request#/#"
    deadline = time.perf_counter() + WORKERS_START
    with socket.create_connection(("127.0.0.1", redis_port)) as redis, redis.makefile() as replies:
        while time.perf_counter() < deadline:
            redis.sendall(f"PUBSUB NUMSUB {channel}\r\n".encode())
            *_, number = (replies.readline() for _ in range(4))
            if int(number[1:]) == count:
                return
            time.sleep(0.05)
    raise RuntimeError(f"{count} workers do not listen")
