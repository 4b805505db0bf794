"""Servers with the application of `docs/conformance.md`, and what the command says of them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

import trio

from trio_sio.conformance.command import main
from trio_sio.conformance.target import Target

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "examples" / "conformance"
NODE_MODULES = ROOT / "tests" / "javascript" / "node_modules"

OURS = (sys.executable, str(FIXTURES / "fixture.py"))
NODE = ("node", str(FIXTURES / "fixture.js"))
NODE_4 = ("node", str(FIXTURES / "fixture_4.js"))
PACKAGE_4 = "socket.io-4.8"
"""Where `NODE_4` finds socket.io 4.8.4, beside the one of 2.x."""

PATIENCE = 0.5
"""Seconds for which a server that says nothing is waited for."""

PYTHON_SOCKETIO = (sys.executable, str(FIXTURES / "fixture_python_socketio.py"))


@contextmanager
def served(
    command: Sequence[str],
    package: Path = ROOT,
    node_modules: Path = NODE_MODULES,
    ping_interval: float = 1,
) -> Iterator[str]:
    """A server in a process of its own, and its URL.

    Args:
        command: one of those above.
        package: the folder that has `trio_sio`.
        node_modules: the folder that has `socket.io`.
        ping_interval: seconds; python-socketio's has always one.
    """
    environment = {
        **os.environ,
        "NODE_PATH": str(node_modules),
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with subprocess.Popen(
        [*command, "0", str(ping_interval), *([PACKAGE_4] if command == NODE_4 else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the tracebacks of python-socketio
        env=environment,
        cwd=package,
    ) as process:
        try:
            assert process.stdout is not None
            match = re.search(rb"http://\S+", process.stdout.readline())
            assert match, "it has to say where it listens"
            yield match[0].decode()
        finally:
            process.kill()


def outcomes(url: str, report: Path, *options: str) -> dict[str, str]:
    """Run the command, and return the outcome of each check by its name."""
    main([url, "--json", str(report), *options])
    checks = json.loads(report.read_text("utf-8"))["checks"]
    return {check["name"]: check["outcome"] for check in checks}


def outcomes_of_peer(url: str, report: Path, *options: str) -> dict[str, str]:
    """The same of a server that is not ours: what fails beside other checks is played once more.

    Its options are its own, so a busy machine makes it give up clients that are kept waiting.
    """
    found = outcomes(url, report, *options)
    failed = [name for name, outcome in found.items() if outcome == "failed"]
    for name in failed:
        again = outcomes(url, report, *options, "--only", name, "--jobs", "1")
        found[name] = again[name]
    return found


@asynccontextmanager
async def scripted(*responses: bytes) -> AsyncIterator[Target]:
    """A server that answers requests with these bytes, in their order whatever they are.

    When there are no more it reads on and says nothing.
    """
    rest = list(responses)

    async def serve(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):  # the client has dropped it
            while data := await stream.receive_some():
                if b"\r\n\r\n" in data and rest:
                    await stream.send_all(rest.pop(0))

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        yield Target("127.0.0.1", port, patience=PATIENCE)
        nursery.cancel_scope.cancel()


def http(body: str | bytes, status: int = 200, kind: str = "text/plain; charset=UTF-8") -> bytes:
    """A response, for `scripted`."""
    data = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def payload(*packets: str) -> bytes:
    """A response with these packets, for `scripted`."""
    return http("".join(f"{len(packet)}:{packet}" for packet in packets))


OPEN = '0{"sid":"x","upgrades":["websocket"],"pingInterval":60000,"pingTimeout":60000}'
