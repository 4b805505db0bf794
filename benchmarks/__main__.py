"""Run the same loads on this server and on others, and print medians and ratios.

    python3 -m benchmarks                          everything: 5 rounds take about an hour
    python3 -m benchmarks --rounds 1 --quick       a first impression
    python3 -m benchmarks --slow-reader            memory behind a client that never reads
    python3 -m benchmarks --cluster --rounds 3     nodes that are joined by Redis
    python3 -m benchmarks --web                    requests of HTTP beside a Socket.IO server
    python3 -m benchmarks --only echo --peer websockets --peer "socket.io 2.5.1"
    python3 -m benchmarks --hostile --peer websockets
                                                   honest clients beside 10,000 hostile ones

The figure is the server process's own CPU time, of all its threads, per message that it
delivered. Server and load are on different cores where there are two. The servers take turns in
each round, so that a busy machine is busy for all of them.
"""

import argparse
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import setup_machine
from tools.setup_machine import ROOT, SetupError

ENVIRONMENT = ROOT / ".venv-bench"
SERVERS = Path(__file__).parent / "servers"
SIZES = [100, 500, 2000, 5000, 10_000]
QUICK_SIZES = [100, 500]
SPARE_FILES = 300
"""File descriptors that a server needs besides its clients'."""


def main(argv: Sequence[str]) -> int:
    """Set up, measure, print."""
    options = _parse(argv)
    if not options.here:
        _set_up()
        if options.cluster:
            setup_machine.servers("redis")
        python = setup_machine.program(ENVIRONMENT, "python")
        os.execv(python, [str(python), "-m", "benchmarks", "--here", *argv])
    from benchmarks import cluster, hostile, slow_reader, web
    from benchmarks.run import run  # what they import is there by now

    if options.hostile is not None:
        messages = hostile.FEW if options.quick else hostile.MESSAGES
        hostile.run(options.peer, min(options.hostile, _room()), messages)
        return 0

    if options.web:
        web.run(options)
        return 0
    if options.cluster:
        _room()
        cluster.run(options)
        return 0
    if options.slow_reader:
        _room()
        slow_reader.run(options)
        return 0
    sizes = [size for size in (QUICK_SIZES if options.quick else SIZES) if size <= _room()]
    idle = min(500 if options.quick else 5000, _room())
    run(options, sizes, idle)
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="rounds of each load (5)")
    add("--quick", action="store_true", help="at most 500 clients")
    add(
        "--only", action="append", default=[], metavar="TEXT", help="only loads with it in the name"
    )
    add("--peer", action="append", default=[], metavar="NAME", help="only this server (repeatable)")
    add("--cluster", action="store_true", help="only the cost of nodes that are joined by Redis")
    add("--web", action="store_true", help="only requests of HTTP beside a Socket.IO server")
    add("--slow-reader", action="store_true", help="measure what a client costs that never reads")
    add(
        "--hostile",
        nargs="?",
        type=int,
        const=10_000,
        metavar="COUNT",
        help="only the delay of 100 honest clients, alone and beside COUNT hostile ones (10,000)",
    )
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    add("--picture", type=Path, metavar="FILE", help="draw the cost of broadcasts there (SVG)")
    add("--here", action="store_true", help="with this Python, without setting anything up")
    return parser.parse_args(argv)


def _set_up() -> None:
    """Make what the servers need: a virtual environment, and packages from npm."""
    setup_machine.environment(
        ENVIRONMENT,
        *("--editable", ".[speed,redis]", *setup_machine.requirements("benchmark")),
        made_from=[ROOT / "pyproject.toml"],
    )
    setup_machine.node_modules(SERVERS)


def _room() -> int:
    """Return how many clients a process may have files for; the limit is raised if it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - SPARE_FILES


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(str(error))
