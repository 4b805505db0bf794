"""The walks are taken, and counted as they are said to be; how far one goes is not for tests to
say."""

import subprocess
import sys

from benchmarks import walks
from tools.setup_machine import ROOT


def test_what_is_counted() -> None:
    counts = walks.figures(("a", "a", "b", "a", "c", "c", "b"))
    assert counts == (7, 5, 3)
    assert counts.returns == 2
    assert walks.shortest([("a", "b", "a"), ("a", "a", "b"), ("a", "b", "c", "d")]) == (
        *("a", "a", "b"),
    )


def test_all_walks_are_taken() -> None:
    command = [sys.executable, "-m", "benchmarks.walks", "--path", "held"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    path, _, table = done.stdout.partition("\n\n")
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == list(walks.WALKS)
    counts = {row[0]: [int(cell) for cell in row[1:5]] for row in rows}
    for calls, stays, files, returns in counts.values():
        assert calls >= stays >= files > 1
        assert returns == stays - files
    # With an answer it is a longer way than without, and a handshake is the longest.
    assert counts[walks.FRAME][0] < counts[walks.TO_ONE][0] < counts[walks.OPEN_WEBSOCKET][0]
    name, *stays_of_get = path.splitlines()
    assert name == f"{walks.GET}:"
    assert len(stays_of_get) == counts[walks.GET][1]
    assert sum(int(stay.split()[0]) for stay in stays_of_get) == counts[walks.GET][0]
    assert all(stay.endswith(".py") for stay in stays_of_get)
