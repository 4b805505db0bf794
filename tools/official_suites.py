"""Runs the test suites that Socket.IO's authors publish with the protocols, from a folder.

    python3 -m tests --only official-suites --folder FOLDER

In the folder, at any depth, are the folders `test-suite` of github.com/socketio/engine.io-protocol
(branches `v3` and `main`) and github.com/socketio/socket.io-protocol (branch `main`), each with its
packages: `npm install`, and `npm install ws@8.16`, since ws 8.5 loses one of two messages that come
together. Each suite is run against a server with default options, and those of Engine.IO 4 against
one with `protocols=(4,)` as well. A case fails here only if it is not in `KNOWN`.
"""

import argparse
import json
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import trio

from trio_sio import Engine, Server, Session, Socket

Protocols = tuple[Literal[3, 4], ...]

SUITE = "test-suite.js"
_URL = re.compile(r'(const URL = )"[^"]*"')
_EIO = re.compile(r"/(engine|socket)\.io/\?EIO=(\d)")

OPTIONS: dict[str, Any] = {
    "ping_interval": 0.3,
    "ping_timeout": 0.2,
    "max_http_buffer_size": 1_000_000,
}
"""What the suites expect of the server."""

_NO_EIO = "with an invalid 'EIO' query parameter"
KNOWN: dict[Protocols, dict[str, set[str]]] = {
    (3, 4): {
        "engine.io 4": {f"HTTP long-polling fails {_NO_EIO}"},
        "socket.io 4": {f"HTTP long-polling should fail {_NO_EIO}"},
    }
}
"""By `protocols`, the cases that fail: a query without `EIO` is one of Socket.IO 2.x to a server
that speaks both revisions."""


@dataclass(frozen=True)
class Suite:
    """A suite in the folder.

    Attributes:
        kind: what it tests: "engine.io" or "socket.io", and the revision of Engine.IO.
        folder: where its script is.
    """

    kind: str
    folder: Path

    @property
    def revision(self) -> int:
        """The revision of Engine.IO that it speaks."""
        return int(self.kind[-1])


@dataclass(frozen=True)
class Outcome:
    """How a suite went.

    Attributes:
        passed: how many cases passed.
        failed: the titles of those that did not, and why.
    """

    passed: int
    failed: dict[str, str]

    @property
    def count(self) -> int:
        """How many cases there are."""
        return self.passed + len(self.failed)


def find_suites(folder: Path) -> list[Suite]:
    """Return the suites in a folder, sorted by what they test."""
    scripts = [one for one in folder.rglob(SUITE) if "node_modules" not in one.parts]
    return sorted((Suite(_kind(one), one.parent) for one in scripts), key=lambda one: one.kind)


def _kind(script: Path) -> str:
    """Return what a suite tests, by the first request in it."""
    found = _EIO.search(script.read_text("utf-8"))
    if found is None:
        raise ValueError(f"{script} asks for no path of Engine.IO or Socket.IO")
    return f"{found[1]}.io {found[2]}"


def outcome_of(report: dict[str, Any]) -> Outcome:
    """Return what a report of mocha says."""
    failed = {}
    for case in report["failures"]:
        title = re.sub(
            r"^(Engine|Socket)\.IO protocol (handshake |connect )?", "", case["fullTitle"]
        )
        failed[title] = str(case["err"].get("message", ""))
    return Outcome(len(report["passes"]), failed)


def judge(suite: Suite, protocols: Protocols, outcome: Outcome) -> tuple[str, bool]:
    """Return a line about how a suite went, and whether that is as it has to be."""
    known = KNOWN.get(protocols, {}).get(suite.kind, set())
    line = f"{suite.kind}, protocols={protocols}: {outcome.passed} of {outcome.count} passed"
    for title, why in outcome.failed.items():
        line += f"\n    {'known' if title in known else 'FAILED'}: {title}: {why}"
    for title in sorted(known - outcome.failed.keys()):
        line += f"\n    PASSED, and should not have: {title}"
    return line, outcome.failed.keys() == known and outcome.count > 0


# -- the servers -----------------------------------------------------------------------------------


async def echo(session: Session) -> None:
    """Serve a client of the suites of Engine.IO."""
    while True:
        await session.send(await session.receive())


def make_server(protocols: Protocols) -> Server:
    """Return what the suite of Socket.IO expects."""
    io = Server(protocols=protocols, connect_timeout=1.0, **OPTIONS)
    for name in ("/", "/custom"):
        namespace = io.of(name)

        @namespace.on("connection")
        async def connection(socket: Socket) -> None:
            await socket.emit("auth", dict(socket.handshake.auth))

        @namespace.on("message")
        async def message(socket: Socket, *args: Any) -> None:  # noqa: ANN401
            await socket.emit("message-back", *args)

        @namespace.on("message-with-ack")
        def acknowledge(socket: Socket, *args: Any) -> tuple[Any, ...]:  # noqa: ANN401
            return args

    return io


@asynccontextmanager
async def served(kind: str, protocols: Protocols) -> Any:  # noqa: ANN401 - a generator
    """Serve what a suite talks to, and give the URL."""
    serve: Callable[..., Awaitable[Any]]
    if kind.startswith("engine"):
        serve = partial(Engine(protocols=protocols, **OPTIONS).serve_tcp, echo)
    else:
        serve = make_server(protocols).serve_tcp
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(serve, 0, host="127.0.0.1"))
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


# -- running them ----------------------------------------------------------------------------------


def copy_with_url(suite: Suite, url: str, to: Path) -> None:
    """Copy a suite, so that it asks another server than the one on port 3000."""
    text, count = _URL.subn(rf'\1"{url}"', (suite.folder / SUITE).read_text("utf-8"))
    if count != 1:
        raise ValueError(f"{suite.folder / SUITE} names its URL {count} times, not once")
    (to / SUITE).write_text(text, "utf-8")
    for name in ("package.json", "node-imports.js"):
        shutil.copy(suite.folder / name, to)
    (to / "node_modules").symlink_to(suite.folder.resolve() / "node_modules")


async def run_suite(suite: Suite, protocols: Protocols) -> Outcome:
    """Run one suite against a server."""
    if not (suite.folder / "node_modules").is_dir():
        raise ValueError(f"{suite.folder} has no packages: run `npm install` there")
    with tempfile.TemporaryDirectory() as folder:
        async with served(suite.kind, protocols) as url:
            copy_with_url(suite, url, Path(folder))
            command = ["node_modules/.bin/mocha", SUITE, "--reporter", "json"]
            run = await trio.run_process(
                command, cwd=folder, capture_stdout=True, stderr=subprocess.DEVNULL, check=False
            )
    text = run.stdout.decode()
    if not text.startswith("{"):
        raise ValueError(f"mocha says nothing of {suite.folder}: {text[:500]}")
    return outcome_of(json.loads(text))


def plan(suites: Sequence[Suite]) -> Iterator[tuple[Suite, Protocols]]:
    """Yield which suite is run against a server with which option `protocols`."""
    for suite in suites:
        yield suite, (3, 4)
        if suite.revision == 4:
            yield suite, (4,)


async def run_all(folder: Path) -> bool:
    """Run all suites of a folder; return whether each went as it has to."""
    suites = find_suites(folder)
    if not suites:
        _say(f"there is no {SUITE} in {folder}")
        return False
    went_well = True
    for suite, protocols in plan(suites):
        line, is_well = judge(suite, protocols, await run_suite(suite, protocols))
        _say(line)
        went_well = went_well and is_well
    return went_well


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(argv: Sequence[str]) -> int:
    """Run the suites of a folder, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.official_suites")
    parser.add_argument("folder", type=Path, help="where the suites are")
    logging.getLogger("trio_sio").setLevel(logging.ERROR)  # the suites do what is refused
    return 0 if trio.run(run_all, parser.parse_args(argv).folder) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
