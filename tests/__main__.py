"""`python3 -m tests`: sets up what the tests need, and runs all checks.

    python3 -m tests                          everything
    python3 -m tests --quick                  in a minute: no peers, no slow tests, few examples
    python3 -m tests --only mypy              only this step (repeatable)
    python3 -m tests --only official-suites --folder DIR     the suites of the protocols' authors
    python3 -m tests -- tests/engine -x       all steps; arguments for pytest

Every step runs even if one before it failed; the summary at the end says which did, and the exit
code is 1. A peer that is missing is a failure too, unless `--without` leaves it out. What needs the
network, the checks of the source, and the documentation are done side by side.

Tests run in one process more than there are cores, since many wait for peers, and those that others
would disturb afterwards in one; a few that fail are run again, and named. With arguments for
pytest, all run in one process, once.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from tools import second_try, setup_machine
from tools.setup_machine import PEERS, ROOT, SERVERS, SetupError

_ENVIRONMENT = ROOT / ".venv-test"
_STEPS = (
    *("client", "node", "python-socketio-5", "chromium", *SERVERS),
    *("ruff-check", "ruff-format", "mypy", "mkdocs", "bytecode", "pytest", "pytest-alone"),
)
_SUITES = "official-suites"
"""The step that needs a folder; see `tools/official_suites.py`."""
_GROUPS = ("test", "docs", "fuzz", "mutation")
"""The dependency groups that are installed."""
_PROCESSES = 1 + (os.cpu_count() or 1)
_BESIDE_OTHERS = ("--alone=without", f"--numprocesses={_PROCESSES}", "--dist=worksteal")


class _Step(NamedTuple):
    """One of the things that are done.

    Attributes:
        name: what `--only` calls it.
        run: does it, and may return what is to be said of it.
        lane: those of other lanes are done meanwhile; "" is for what others would disturb.
    """

    name: str
    run: Callable[[], str | None]
    lane: str = ""
    needed_by_all: bool = False


class _Result(NamedTuple):
    name: str
    seconds: float
    error: str | None
    note: str | None = None


def main(argv: Sequence[str]) -> int:
    """Run all steps and return the exit code."""
    options = _parse(argv)
    steps = _steps(options)
    left_out = set(options.only) - {step.name for step in steps}
    if left_out:
        _say(f"left out by the other options: {', '.join(sorted(left_out))}")
        return 2
    results = list(_run(steps))
    _say("")
    for result in results:
        _say(f"{result.seconds:7.1f} s  {result.name:<20} {result.error or result.note or 'ok'}")
    failed = [result.name for result in results if result.error]
    _say(f"failed: {', '.join(failed)}" if failed else "everything passed")
    return 1 if failed else 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m tests",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=PEERS,
        help="leave out the tests that need this peer, and do not install it (repeatable)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--quick",
        action="store_true",
        help="leave out the tests that need a peer or take seconds, and try few examples",
    )
    length.add_argument(
        "--long",
        action="store_true",
        help="run the tests that take many minutes, too, and try many examples",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=(*_STEPS, _SUITES),
        help="only this step, and the virtual environment that all need (repeatable)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help=f"run the protocols' own suites, too, which are in this folder: the step {_SUITES}",
    )
    parser.add_argument("pytest", nargs="*", help="after `--`: arguments for pytest")
    return parser.parse_args(argv)


def _steps(options: argparse.Namespace) -> list[_Step]:
    """Return the steps that are asked for."""
    return [
        step
        for step in _all_steps(options)
        if step.needed_by_all or not options.only or step.name in options.only
    ]


def _all_steps(options: argparse.Namespace) -> Iterator[_Step]:
    without: Sequence[str] = PEERS if options.quick else options.without
    yield _Step("environment", _make_environment, needed_by_all=True)
    for name, install in _installed_peers(without):
        yield _Step(name, install, lane="machine")
    yield _Step("ruff-check", lambda: _python("ruff", "check"), lane="source")
    yield _Step("ruff-format", lambda: _python("ruff", "format", "--check"), lane="source")
    yield _Step("mypy", lambda: _python("mypy"), lane="source")
    if not options.quick:
        yield _Step("mkdocs", lambda: _python("mkdocs", "build", "--strict"), lane="docs")
        yield _Step("bytecode", lambda: _python("tools.bytecode"), lane="bytecode")
    chosen = [f"--without={peer}" for peer in options.without]
    chosen += ["--quick"] * options.quick + ["--long"] * options.long
    if options.pytest:
        yield _Step("pytest", lambda: _python("pytest", *chosen, *options.pytest))
    else:
        pytest = partial(_python, "pytest")
        yield _Step("pytest", lambda: second_try.run(pytest, *chosen, *_BESIDE_OTHERS))
        if not options.quick:
            alone = [*chosen, "--alone=only"]
            yield _Step("pytest-alone", lambda: second_try.run(pytest, *alone))
    if options.folder is not None:
        folder = str(options.folder.resolve())
        yield _Step(_SUITES, lambda: _python("tools.official_suites", folder))


def _installed_peers(without: Sequence[str]) -> Iterator[tuple[str, Callable[[], None]]]:
    if "node" not in without:
        yield "client", lambda: setup_machine.browser_client(_ENVIRONMENT)
        yield "node", setup_machine.node_modules
    if "python-socketio-5" not in without:
        yield "python-socketio-5", setup_machine.python_socketio_5
    if not {"node", "chromium"} & set(without):  # Node.js drives the browser
        yield "chromium", setup_machine.chromium
    for peer in SERVERS:
        if peer not in without:
            yield peer, partial(setup_machine.servers, peer)


def _make_environment() -> None:
    setup_machine.environment(
        _ENVIRONMENT,
        *("--editable", ".[speed,testing]"),
        *(one for group in _GROUPS for one in setup_machine.requirements(group)),
        made_from=[ROOT / "pyproject.toml"],
    )


def _python(module: str, *arguments: str) -> None:
    python = setup_machine.program(_ENVIRONMENT, "python")
    # The environment's programs are found by tests that start them by name.
    path = os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(_ENVIRONMENT)}
    environment["NO_MKDOCS_2_WARNING"] = "1"  # pyproject.toml holds the version still
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        # Hundreds of processes would compile everything. It is kept, though not in the tree.
        environment["PYTHONPYCACHEPREFIX"] = str(_ENVIRONMENT / "bytecode")
    setup_machine.run([python, "-m", module, *arguments], env=environment)


def _run(steps: Sequence[_Step]) -> Iterator[_Result]:
    for has_lanes, several in groupby(steps, lambda step: step.lane != ""):
        if has_lanes:
            yield from _run_side_by_side(list(several))
            continue
        for step in several:
            _say(f"\n--- {step.name}")
            result = _do(step)
            _say(result.error or result.note or "")
            yield result
            if result.error and step.needed_by_all:
                return


def _run_side_by_side(steps: Sequence[_Step]) -> list[_Result]:
    """Run one step of each lane at a time; what a step prints comes when it has ended."""
    lanes: dict[str, list[_Step]] = {}
    for step in steps:
        lanes.setdefault(step.lane, []).append(step)
    with ThreadPoolExecutor(len(lanes)) as threads:
        results = threads.map(lambda lane: [_do_aside(step) for step in lane], lanes.values())
        by_name = {result.name: result for lane in results for result in lane}
    return [by_name[step.name] for step in steps]


def _do_aside(step: _Step) -> _Result:
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        setup_machine.OUTPUT.set(output)
        result = _do(step)
        output.seek(0)
        _say(f"\n--- {step.name}\n{output.read()}{result.error or ''}")
    return result


def _do(step: _Step) -> _Result:
    start = time.monotonic()
    error = note = None
    try:
        note = step.run()
    except SetupError as failure:
        error = str(failure)
    return _Result(step.name, time.monotonic() - start, error, note)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
