"""What the clients of a cluster do, and what is counted."""

import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from benchmarks.cluster_crowd import ClusterCrowd
from benchmarks.cluster_nodes import Cluster
from tools.load.clients import frame_size

TEXT = "x" * 32
NEWS = frame_size(len(f'42["news","{TEXT}"]'))
JOINED = frame_size(len("437[]"))
MEMBERS = 20
"""Clients of each node that share its rooms."""
BURST = 100
"""Messages to rooms that one order brings about."""

ALL = "all together"

Figures = dict[str, float]
"""What one load gave, in µs of CPU time: first of all processes together, then of some alone."""


@dataclass(frozen=True)
class Load:
    """A load.

    Attributes:
        name: what it is called in tables.
        nodes: how many there are.
        run: applies it.
    """

    name: str
    nodes: int
    run: Callable[[Cluster], Figures]


def broadcasts(clients: int, deliveries: int) -> Iterator[Load]:
    """Yield the broadcasts of one node to all clients of two.

    Args:
        clients: how many each node has.
        deliveries: how many each load makes, roughly.
    """
    for burst in (1, 8):
        orders = max(3, deliveries // (2 * clients * burst))
        how = "one at a time" if burst == 1 else f"bursts of {burst}"

        def to_all(cluster: Cluster, burst: int = burst, orders: int = orders) -> Figures:
            order = f'42["burst",{burst},"{TEXT}"]'
            with closing(ClusterCrowd(cluster.nodes, clients)) as crowd:
                return _broadcast(cluster, crowd, order, burst, orders)

        def to_room(cluster: Cluster, burst: int = burst, orders: int = orders) -> Figures:
            order = f'42["room burst",1,{burst},"{TEXT}"]'
            with closing(ClusterCrowd(cluster.nodes, clients)) as crowd:
                for client in crowd.clients:
                    _join(crowd, client, [0])
                return _broadcast(cluster, crowd, order, burst, orders)

        yield Load(f"to all of 2 times {clients}, {how}", 2, to_all)
        yield Load(f"to a room of 2 times {clients}, {how}", 2, to_room)


def _broadcast(
    cluster: Cluster, crowd: ClusterCrowd, order: str, burst: int, orders: int
) -> Figures:
    owed = dict.fromkeys(crowd.clients, burst * NEWS)
    used = _cpu_seconds(cluster, crowd, order, owed, orders)
    messages = burst * orders
    here = messages * len(crowd.groups[0])
    return {
        ALL: sum(used) / (here * len(cluster.nodes)) * 1e6,
        "sending node": used[0] / here * 1e6,
        "other node": used[1] / here * 1e6,
        "Redis for each message": used[-1] / messages * 1e6,
    }


def rooms(counts: Sequence[int], nodes: Sequence[int], messages: int) -> Iterator[Load]:
    """Yield messages to rooms, of which the last node has no member.

    Args:
        counts: how many rooms there are; the nodes but the last share them.
        nodes: how many nodes there are.
        messages: how many each load sends.
    """
    for size in nodes:
        for count in counts:

            def run(cluster: Cluster, count: int = count) -> Figures:
                return _to_rooms(cluster, count, messages)

            yield Load(f"{count:,} rooms, {size} nodes", size, run)


def _to_rooms(cluster: Cluster, count: int, messages: int) -> Figures:
    with closing(ClusterCrowd(cluster.nodes, MEMBERS)) as crowd:
        having = crowd.groups[:-1] or crowd.groups  # rooms; the last node has none
        member = [
            having[number % len(having)][number // len(having) % MEMBERS] for number in range(count)
        ]
        for client in crowd.clients:
            _join(crowd, client, [number for number in range(count) if member[number] is client])
        burst = max(BURST, count)
        got = Counter(member[number % count] for number in range(burst))
        owed = {client: times * NEWS for client, times in got.items()}
        order = f'42["room burst",{count},{burst},"{TEXT}"]'
        orders = -(-messages // burst)
        used = _cpu_seconds(cluster, crowd, order, owed, orders)
    each = [seconds / (orders * burst) * 1e6 for seconds in used]
    figures = {ALL: sum(each), "sending node": each[0], "Redis": each[-1]}
    if len(cluster.nodes) > 1:
        figures["node without a member"] = each[-2]
    return figures


def _join(crowd: ClusterCrowd, client: socket.socket, numbers: Sequence[int]) -> None:
    text = f'427["join",{json.dumps(numbers, separators=(",", ":"))}]'
    crowd.order(client, text, {client: JOINED})


def _cpu_seconds(
    cluster: Cluster,
    crowd: ClusterCrowd,
    order: str,
    owed: Mapping[socket.socket, int],
    orders: int,
) -> list[float]:
    """Return what each process used for some orders, all that they left to be done included."""
    sender = crowd.groups[0][0]
    for _ in range(max(1, orders // 4)):  # to warm up
        crowd.order(sender, order, owed)
    cluster.settle()
    before = cluster.cpu_seconds()
    for _ in range(orders):
        crowd.order(sender, order, owed)
    cluster.settle()
    return [now - then for now, then in zip(cluster.cpu_seconds(), before, strict=True)]
