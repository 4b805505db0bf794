"""What a scrape of the metrics costs: how long it holds the event loop, and how large its page is.

    python3 -m benchmarks.scrapes
    python3 -m benchmarks.scrapes --clients 1000 --namespaces 50

The clients are in memory, and idle: what they hold is what a scrape looks at.
"""

import argparse
import gzip
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from statistics import median

import prometheus_client
import trio

import trio_sio
from trio_sio.metrics import Collector
from trio_sio.testing import connect

ROUNDS = 20


async def measure(clients: int, namespaces: int) -> tuple[float, int, int]:
    """Return the processor time of a scrape, and the size of its page, plain and compressed."""
    io = trio_sio.Server(max_sessions=None)
    for number in range(1, namespaces):
        io.of(f"/namespace-{number}")
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(io))
    async with AsyncExitStack() as stack:
        for _ in range(clients):
            await stack.enter_async_context(connect(io))
        seconds = []
        for _ in range(ROUNDS):
            begun = time.process_time()
            text = prometheus_client.generate_latest(registry)
            seconds.append(time.process_time() - begun)
            await trio.lowlevel.checkpoint()
    return median(seconds), len(text), len(gzip.compress(text, compresslevel=1))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks.scrapes")
    parser.add_argument("--clients", type=int, nargs="*", default=[0, 1000])
    parser.add_argument("--namespaces", type=int, nargs="*", default=[1, 50])
    chosen = parser.parse_args(arguments)
    print("| clients | namespaces | a scrape | page | compressed |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for clients in chosen.clients:
        for namespaces in chosen.namespaces:
            seconds, size, small = trio.run(measure, clients, namespaces)
            figures = f"{1000 * seconds:.1f} ms | {size / 1000:.1f} kB | {small / 1000:.1f} kB"
            print(f"| {clients:,} | {namespaces} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
