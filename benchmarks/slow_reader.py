"""What a client that never reads costs a server: its memory, while a room of others is served.

    python3 -m benchmarks --slow-reader --picture docs/images/slow_reader.svg

A warm-up first, in which everybody reads, so that buffers have the size that they need anyway; then
one client stops, and the rest of the messages go to the room. When all of them have come to the
others, the slow client is closed.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

from benchmarks import memory_picture
from benchmarks.curve import Curve
from benchmarks.peers import SLOW_READER_PEERS, versions
from benchmarks.room import Room
from tools.load.process import Peer, Server, pin, running

MEGABYTE = 1_000_000
MIB = 2**20
OUTBOX = 8 * MIB
"""The default of `max_outbox_bytes`, which the run does not change."""
WARM_UP = 50
AFTERWARDS = 20.0
"""Seconds for which the memory is looked at when the slow client has gone."""


@dataclass(frozen=True)
class Load:
    """What is sent.

    Attributes:
        clients: in the room, the slow one among them.
        payload: bytes of a message.
        messages: how many are sent to the room while one does not read.
        window: how many may be on their way to the others.
    """

    clients: int = 1000
    payload: int = 100_000
    messages: int = 3000
    window: int = 4


def measure(peer: Peer, load: Load, afterwards: float = AFTERWARDS) -> Curve:
    """Run the load on one server.

    Raises:
        RuntimeError: a client that reads has lost something.
    """
    with (
        running(peer) as server,
        closing(Room(server.port, peer.version, load.clients, load.payload)) as room,
    ):
        room.broadcast(WARM_UP, load.window, lambda _: None)
        room.stop_reading()
        server.settle()
        curve = Curve(peer.name, server.resident_bytes())

        def look(complete: int) -> None:
            megabytes = (complete - WARM_UP) * load.payload / MEGABYTE
            curve.sent.append((megabytes, server.resident_bytes() - curve.before))

        begun = time.perf_counter()
        room.broadcast(load.messages, load.window, look)
        look(WARM_UP + load.messages)
        curve.seconds = time.perf_counter() - begun
        room.slow.close()
        curve.after.extend(_watch(server, curve.before, afterwards))
        return curve


def _watch(server: Server, before: int, seconds: float) -> Iterator[tuple[float, int]]:
    begun = time.perf_counter()
    while (now := time.perf_counter() - begun) < seconds:
        yield now, server.resident_bytes() - before
        time.sleep(0.1)


def table(curves: Sequence[Curve]) -> str:
    """Return what there is to say in numbers, in Markdown."""
    lines = [
        "| server | most, MiB | at the end, MiB | seconds |",
        "| --- | ---: | ---: | ---: |",
    ]
    for one in curves:
        sizes = f"{one.rise / MIB:.1f} | {one.left / MIB:.1f}"
        lines.append(f"| {one.name} | {sizes} | {one.seconds:.0f} |")
    return "\n".join(lines)


def run(options: argparse.Namespace) -> None:
    """Measure what the command line asks for, and print it."""
    load = Load(messages=300) if options.quick else Load()
    wanted = [one for one in SLOW_READER_PEERS if not options.peer or one.name in options.peer]
    pin(0, 1)
    curves = [measure(peer, load) for peer in wanted]
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    print()
    print(table(curves))
    if options.json:
        options.json.write_text(json.dumps([asdict(curve) for curve in curves]))
    if options.picture:
        memory_picture.draw(curves, OUTBOX, options.picture)
