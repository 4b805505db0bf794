"""The benchmarks run, and their tables say what was measured; how fast is not for tests to say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import channels, heads, report

ROOT = Path(__file__).parents[2]
LOADS = ["echo, 100", "acknowledgement", "room of", "to 100, bursts", "64 KiB", "polling echo"]


def test_a_short_run_of_our_own(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    only = [word for load in LOADS for word in ("--only", load)]
    command = [sys.executable, "-m", "benchmarks", "--here", "--quick", "--rounds", "1", *only]
    command += ["--peer", "websockets", "--json", str(figures)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    results = json.loads(figures.read_text())["results"]
    assert {
        "polling echo, 50 clients",
        "echo, 100 clients",
        "echo by acknowledgement, 100 clients",
        "broadcast of 64 KiB to 100",
        "broadcast to 100, bursts of 8",
        "room of 100 alone",
        "room of 100 among 500",
    } < set(results)
    for case, by_peer in results.items():
        assert list(by_peer) == ["websockets"]
        assert all(value > 0 for values in by_peer["websockets"].values() for value in values)
        assert f"| {case}" in done.stdout
    (paced,) = [case for case in results if case.endswith("messages/s")]
    assert set(results[paced]["websockets"]) == {"p50", "p99", "p99.9"}


def test_a_short_run_beside_hostile_clients() -> None:
    command = [sys.executable, "-m", "benchmarks", "--here", "--hostile", "69"]
    command += ["--quick", "--peer", "websockets"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if "socke" in line]
    assert [row[:2] for row in rows[-2:]] == [["0", "websockets"], ["69", "websockets"]]
    for _, _, p50, p99, longest, lost in rows[-2:]:
        assert 0 < float(p50) <= float(p99) <= float(longest)
        assert lost == "0"


async def test_a_short_run_of_channels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("VALUES", 100), ("ROUNDS", 1), ("CHANNELS", 10)):
        monkeypatch.setattr(channels, name, value)
    await channels.main()
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows[2:]] == [*(name for name, _, _ in channels.LOADS), "bytes"]
    assert all(float(number) > 0 for row in rows[2:] for number in row[1:])


def test_medians_and_ratios() -> None:
    results: report.Results = {}
    for ours, theirs in ((3.0, 10.0), (1.0, 4.0), (2.0, 5.0)):
        report.add(results, "echo", "websockets", {"cost": ours, "rate": 1e6 / ours})
        report.add(results, "echo", "socket.io 2.5.1", {"cost": theirs})
    assert report.median(results, "echo", "websockets") == 2.0
    assert report.median(results, "echo", "nobody") is None
    text = report.tables(results, ["websockets", "socket.io 2.5.1"])
    assert "| echo | 2.00 (1.00 to 3.00) | 5.00 (4.00 to 10.0) |" in text
    assert "| echo | 500,000 |  |" in text
    assert text.endswith("| load | socket.io 2.5.1 |\n| --- | ---: |\n| echo | 0.40 |\n")


def test_what_reading_a_request_costs() -> None:
    found = heads.measure(heads.CASES["POST"], rounds=1, times=3)
    assert {"here, fields as before", "here, fields anew", "here, by h11"} <= set(found)
    assert all(value > 0 for value in found.values())


def test_all_readers_of_heads_read_the_same() -> None:
    """So none is faster for doing less; httptools is here where it is installed."""
    for template in heads.CASES.values():
        method, _, body = template[:4].strip(), *template.split(b"\r\n\r\n")
        for name, read in heads.readers().items():
            for _ in range(2):
                request, rest = read(template)
                if name != "h11 alone":
                    assert (request.method.encode(), rest) == (method, body)
                    assert len(request.fields) == template.count(b"\r\n") - 2
