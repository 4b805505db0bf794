"""Round after round: each load on each server in turn."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from itertools import groupby

from benchmarks import picture, report
from benchmarks.cases import Case, cases, latency
from benchmarks.peers import PEERS, versions
from tools.load.clients import Crowd
from tools.load.process import Peer, pin, running

LATENCY_SECONDS = 5.0


def run(options: argparse.Namespace, sizes: Sequence[int], idle: int) -> None:
    """Measure what the command line asks for, and print it.

    Args:
        options: the command line's.
        sizes: how many clients broadcasts have.
        idle: how many clients wait while memory is looked at.
    """
    peers = [peer for peer in PEERS if not options.peer or peer.name in options.peer]
    loads = [case for case in cases(sizes, idle) if _is_wanted(case, options.only)]
    results: report.Results = {}
    pin(0, 1)
    for number in range(options.rounds):
        _say(f"round {number + 1} of {options.rounds}")
        measure(loads, peers, results)
    rates = [report.median(results, "echo, 100 clients", peer.name, "rate") for peer in peers]
    slowest = min((rate for rate in rates if rate), default=None)
    if slowest:
        paced = latency(round(slowest / 2, -2), LATENCY_SECONDS)
        for _ in range(options.rounds):
            measure([paced], peers, results)
    found = versions()
    print(", ".join(f"{name} {version}" for name, version in found.items()))
    print()
    print(report.tables(results, [peer.name for peer in peers]))
    if options.json:
        options.json.write_text(json.dumps({"versions": found, "results": results}, indent=1))
    if options.picture:
        picture.draw(results, [peer.name for peer in peers], sizes, options.picture)


def measure(loads: Sequence[Case], peers: Sequence[Peer], results: report.Results) -> None:
    """Run each load once on each server; loads with the same clients share them."""
    for size, group in groupby(loads, key=lambda case: case.clients):
        together = list(group)
        for peer in peers:
            for several in [together] if size else [[one] for one in together]:
                _say(f"  {peer.name}: {', '.join(case.name for case in several)}")
                try:
                    _measure(several, peer, size, results)
                except (OSError, RuntimeError) as error:  # its cells stay empty
                    _say(f"  {peer.name} failed: {error}")


def _measure(loads: Sequence[Case], peer: Peer, size: int, results: report.Results) -> None:
    with running(peer) as server, closing(Crowd(server.port, peer.version, size)) as crowd:
        for case in loads:
            report.add(results, case.name, peer.name, case.run(server, crowd))


def _is_wanted(case: Case, words: Sequence[str]) -> bool:
    return not words or any(word in case.name for word in words)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
