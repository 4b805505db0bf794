"""What a request of HTTP costs beside a Socket.IO server: `python3 -m benchmarks --web`."""

import json
import sys
from argparse import Namespace
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks import report
from benchmarks.cases import Figures
from tools.load.process import Peer, Server, pin, running
from tools.load.web import WebClients

SCRIPT = Path(__file__).parent / "servers" / "web.py"
CLIENTS = 20
MODES = {
    "hypercorn": "Hypercorn alone",
    "mounted": "Hypercorn, `Application`",
    "fallback": "trio_sio, `Fallback`",
    "function": "trio_sio, a function",
}


class Load(NamedTuple):
    """A request, and how often each client makes it."""

    name: str
    request: bytes
    rounds: int


def _request(line: str, body: bytes = b"") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{line} HTTP/1.1\r\nHost: here\r\nAccept: */*\r\n{length}\r\n".encode() + body


LOADS = (
    Load("GET, 17 bytes of JSON", _request("GET /get?name=anna"), 150),
    Load("POST of 1 kB", _request("POST /post", bytes(1000)), 150),
    Load("download of 1 MiB, streamed", _request("GET /download"), 8),
)


def run(options: Namespace) -> None:
    """Measure each load on each server in turn, and print medians in µs and ratios."""
    results: report.Results = {}
    pin(0, 1)
    for number in range(options.rounds):
        sys.stderr.write(f"round {number + 1} of {options.rounds}\n")
        for mode, name in MODES.items():
            peer = Peer(name, (sys.executable, str(SCRIPT), mode), 3)
            with running(peer) as server:
                for load in LOADS:
                    report.add(results, load.name, name, measure(server, load))
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def measure(server: Server, load: Load) -> Figures:
    """Return what one request cost the server."""
    with closing(WebClients(server.port, CLIENTS)) as clients:
        expected = clients.answer_size(load.request)
        clients.loop(max(2, load.rounds // 5), load.request, expected)
        before = server.cpu_seconds()
        clients.loop(load.rounds, load.request, expected)
        used = server.cpu_seconds() - before
    return {"cost": used / (load.rounds * CLIENTS) * 1e6}


def table(results: report.Results) -> str:
    """Return medians, spreads, and each one's share of what Hypercorn alone takes."""
    names = list(MODES.values())
    lines = [f"| µs of CPU time per request | {' | '.join(names)} |", "| --- |" + " ---: |" * 4]
    for load, by_peer in results.items():
        base = report.median(results, load, names[0])
        assert base is not None
        cells = []
        for name in names:
            cost = report.median(results, load, name)
            assert cost is not None
            values = by_peer[name]["cost"]
            spread = f"{min(values):,.0f} to {max(values):,.0f}"
            cells.append(f"{cost:,.0f} ({spread}); {cost / base:.2f}")
        lines.append(f"| {load} | {' | '.join(cells)} |")
    return "\n".join(lines)
