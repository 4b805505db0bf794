"""The benchmark of clusters runs, and its table says what was measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import cluster, report
from benchmarks.cluster_loads import ALL
from benchmarks.cluster_nodes import KINDS, OURS, THEIRS
from tools.setup_machine import ROOT

DELIVERIES = [ALL, "sending node", "other node", "Redis for each message"]
MESSAGES = [ALL, "sending node", "Redis", "node without a member"]

WORK = ["echoes/s", "µs for an echo", "deliveries/s", "µs for a delivery"]


@pytest.mark.redis
@pytest.mark.slow
def test_a_short_run_of_our_own(tmp_path: Path) -> None:
    """Every client gets each message once, or the run fails."""
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--here", "--cluster", "--quick"]
    command += ["--rounds", "1", "--peer", OURS, "--json", str(figures)]
    command += ["--only", "bursts of 8", "--only", "100 rooms, 3", "--only", "worker"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    results = json.loads(figures.read_text())["results"]
    assert {load: list(results[load][OURS]) for load in results} == {
        "to all of 2 times 100, bursts of 8": DELIVERIES,
        "to a room of 2 times 100, bursts of 8": DELIVERIES,
        "100 rooms, 3 nodes": MESSAGES,
        "1 worker": WORK,
        "2 workers": WORK,
    }
    for load, by_kind in results.items():
        each = [values[0] for values in by_kind[OURS].values()]
        assert min(each[:-1]) > 0  # the node without a member may have spent nothing
        if "worker" in load:
            cells = " | ".join(f"{one:,.0f}" if one >= 100 else f"{one:.1f}" for one in each)
        else:
            cells = " / ".join(f"{one:.1f}" for one in each)
        assert f"| {load} | {cells} |" in done.stdout


def test_medians_and_ratios() -> None:
    results: report.Results = {}
    for ours, theirs in ((3.0, 10.0), (1.0, 4.0), (2.0, 5.0)):
        report.add(results, "to all", OURS, {ALL: ours, "Redis": 1.0})
        report.add(results, "to all", THEIRS, {ALL: theirs, "Redis": 7.0})
        report.add(results, "to a room", OURS, {ALL: ours})
    text = cluster.table(results, [OURS, THEIRS])
    heads = f"| load | {OURS} | {THEIRS} | {OURS} ÷ Node.js |\n| --- | ---: | ---: | ---: |\n"
    rows = "| to all | 2.0 / 1.0 | 5.0 / 7.0 | 0.40 |\n"
    assert f"\n\nall together / Redis\n\n{heads}{rows}" in text
    assert text.endswith(f"\n\nall together\n\n{heads}| to a room | 2.0 |  |  |")


def test_loads() -> None:
    """Those of the short form are among those that a test can afford; names are not used twice."""
    for quick in (True, False):
        loads = list(cluster.loads(quick=quick))
        assert len({load.name for load in loads}) == len(loads)
        assert max(load.nodes for load in loads) == (3 if quick else 4)
    assert len({kind.name for kind in KINDS}) == len(KINDS)
