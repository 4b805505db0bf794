"""The servers that are compared, each with the settings its documentation calls fastest."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

from tools.load.clients import MIXED
from tools.load.process import GIVING_BACK, Peer, own_server
from tools.setup_machine import ROOT

SERVERS = Path(__file__).parent / "servers"


def _python(script: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(SERVERS / script), *arguments)


def _node(argument: str) -> tuple[str, ...]:
    return ("node", "--expose-gc", str(SERVERS / "node_server.js"), argument)


PEERS = (
    Peer("websockets", own_server("websockets"), 3),
    Peer("trio-websocket", own_server("trio-websocket"), 3),
    Peer("4.x clients", own_server("websockets"), 4),
    Peer("2.x and 4.x", own_server("websockets"), MIXED),
    Peer("in hypercorn", ("env", f"PYTHONPATH={ROOT}", *_python("trio_sio_hypercorn.py")), 3),
    Peer("hypercorn alone", _python("websocket_hypercorn.py"), 3),
    Peer("socket.io 2.5.1", _node("2"), 3),
    Peer("socket.io 4.8.4", _node("4"), 4),
    Peer("p-socketio aiohttp", _python("python_socketio_server.py", "aiohttp"), 4),
    Peer("p-socketio uvicorn", _python("python_socketio_server.py", "uvicorn"), 4),
)
OURS = ("websockets", "trio-websocket", "4.x clients", "2.x and 4.x")

SLOW_READER_PEERS = (
    Peer("trio_sio", GIVING_BACK + own_server("websockets"), 3),
    Peer(
        "trio_sio, drop_oldest",
        GIVING_BACK + own_server("websockets", "drop_oldest"),
        3,
    ),
    Peer("socket.io 2.5.1", _node("2"), 3),
    Peer("python-socketio", GIVING_BACK + _python("python_socketio_server.py", "uvicorn"), 4),
)
"""Those of the run with a client that never reads: what we do by default, what else can be done."""


def versions() -> dict[str, str]:
    """Return what was compared."""
    found = {"Python": sys.version.split()[0]}
    for name in (
        *("trio-sio", "trio", "trio-websocket", "websockets", "hypercorn", "python-socketio"),
        *("python-engineio", "aiohttp", "uvicorn", "uvloop"),
    ):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    found["Node.js"] = node.stdout.strip().removeprefix("v")
    for name in ("socket.io-2", "socket.io-4", "socket.io-redis", "bufferutil"):
        package = SERVERS / "node_modules" / name / "package.json"
        if package.exists():
            found[name] = json.loads(package.read_text())["version"]
    return found
