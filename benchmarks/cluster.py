"""What a cluster costs: its nodes' CPU time and that of Redis, beside nodes on Node.js.

    python3 -m benchmarks --cluster                3 rounds take half an hour
    python3 -m benchmarks --cluster --quick        a first impression
    python3 -m benchmarks --cluster --only room --peer trio_sio

All nodes and a real redis-server of their own run on one core, the clients on another. The kinds of
nodes take turns in each round. "wildcard" are nodes of this package that listen to all rooms, as
those on Node.js do.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from benchmarks import cluster_workers, report
from benchmarks.cluster_loads import ALL, Load, broadcasts, rooms
from benchmarks.cluster_nodes import KINDS, OURS, THEIRS, Kind, cluster
from benchmarks.peers import versions
from tools.load.process import pin

WORKERS = (1, 2)


def loads(*, quick: bool) -> Iterator[Load]:
    """Yield all loads."""
    if quick:
        yield from broadcasts(clients=100, deliveries=20_000)
        yield from rooms((1, 100), (1, 2, 3), messages=1000)
    else:
        yield from broadcasts(clients=500, deliveries=200_000)
        yield from rooms((1, 100, 1000), (1, 2, 3, 4), messages=10_000)


def run(options: argparse.Namespace) -> None:
    """Measure what the command line asks for, and print it."""
    kinds = [kind for kind in KINDS if not options.peer or kind.name in options.peer]
    wanted = [load for load in loads(quick=options.quick) if _is_wanted(load.name, options)]
    counts = [count for count in WORKERS if _is_wanted(_workers(count), options)]
    results: report.Results = {}
    of_workers: report.Results = {}
    pin(0, 1)
    for number in range(options.rounds):
        _say(f"round {number + 1} of {options.rounds}")
        for load in wanted:
            for kind in kinds:
                measure(load, kind, results)
        for count in counts if any(kind.name == OURS for kind in kinds) else ():
            name = _workers(count)
            _say(f"  {name}")
            size = (50, 20) if options.quick else (200, 100)
            report.add(of_workers, name, OURS, cluster_workers.measure(count, *size))
    found = versions()
    print(", ".join(f"{name} {version}" for name, version in found.items()))
    print()
    print(table(results, [kind.name for kind in kinds]))
    if of_workers:
        print()
        print(workers_table(of_workers))
    if options.json:
        everything = {**results, **of_workers}
        options.json.write_text(json.dumps({"versions": found, "results": everything}, indent=1))


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _is_wanted(name: str, options: argparse.Namespace) -> bool:
    return not options.only or any(word in name for word in options.only)


def measure(load: Load, kind: Kind, results: report.Results) -> None:
    """Run a load on one kind of nodes, and note its figures."""
    _say(f"  {load.name}: {kind.name}")
    try:
        with cluster(kind, load.nodes) as nodes:
            report.add(results, load.name, kind.name, load.run(nodes))
    except (OSError, RuntimeError, ValueError) as error:  # its cells stay empty
        _say(f"  {kind.name} failed: {error}")


def table(results: report.Results, names: Sequence[str]) -> str:
    """Return the medians in Markdown, and what each kind costs in relation to Node.js."""
    parts = ["CPU time, µs for each delivery to a client, or for each message to a room."]
    for figures, group in groupby(results, lambda load: _figures(results[load])):
        parts += ["", " / ".join(figures), "", *_rows(results, list(group), figures, names)]
    return "\n".join(parts)


def _figures(by_name: Mapping[str, Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(figure for figures in by_name.values() for figure in figures))


def _rows(
    results: report.Results, group: Sequence[str], figures: Sequence[str], names: Sequence[str]
) -> Iterator[str]:
    others = [name for name in names if name != THEIRS and THEIRS in names]
    heads = [*names, *(f"{name} ÷ Node.js" for name in others)]
    yield f"| load | {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * len(heads)}"
    for load in group:
        cells = [_cell(results, load, name, figures) for name in names]
        theirs = report.median(results, load, THEIRS, ALL)
        cells += [_ratio(report.median(results, load, name, ALL), theirs) for name in others]
        yield f"| {load} | {' | '.join(cells)} |"


def _cell(results: report.Results, load: str, name: str, figures: Sequence[str]) -> str:
    medians = [report.median(results, load, name, figure) for figure in figures]
    return " / ".join(f"{median:.1f}" for median in medians if median is not None)


def _ratio(ours: float | None, theirs: float | None) -> str:
    return f"{ours / theirs:.2f}" if ours is not None and theirs else ""


def workers_table(results: report.Results) -> str:
    """Return in Markdown what workers do in a second, and what each costs."""
    names = next(iter(results.values()))[OURS]
    rows = [f"| all cores | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
    for load in results:
        medians = [report.median(results, load, OURS, name) or 0.0 for name in names]
        cells = [f"{one:,.0f}" if one >= 100 else f"{one:.1f}" for one in medians]
        rows.append(f"| {load} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
