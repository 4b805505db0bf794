"""The program of a target.

    python -m fuzz.fuzz_query --seconds 60          look for an input that breaks the invariant
    python -m fuzz.fuzz_query FILE ...              try these inputs
    python -m fuzz.fuzz_query --select              make seeds of what was found

Atheris guides it by coverage where it is installed (dependency group `fuzz`). Elsewhere, and with
`--plain`, inputs are mutated that had a new outcome.

The exit status is 1 if an input failed. It has been written to a file then, whose name is printed.
"""

import argparse
import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from fuzz.harness import guided, mutation, selection
from fuzz.harness.inputs import (
    Found,
    Target,
    corpus_folder,
    default_folder,
    read_all,
    regressions_folder,
    seeds,
)


def main(target: Target, name: str) -> None:
    """Be the program of one target; `name` is the folder of its seeds."""
    options = _parse(target, name)
    try:
        sys.exit(_run(target, name, options))
    except KeyboardInterrupt:
        sys.exit(130)


def _parse(target: Target, name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {_module(target)}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("inputs", nargs="*", type=Path, metavar="FILE", help="try only this input")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument(
        "--seed", type=int, help="of the random numbers (default: another each time)"
    )
    parser.add_argument("--plain", action="store_true", help="do not use Atheris")
    parser.add_argument(
        "--folder",
        type=Path,
        default=default_folder(name),
        help="where what is found is kept (default: %(default)s)",
    )
    parser.add_argument(
        "--select",
        action="store_true",
        help="copy found inputs that run code which no seed runs to the seeds",
    )
    return parser.parse_args()


def _run(target: Target, name: str, options: argparse.Namespace) -> int:
    """Return the exit status."""
    if options.inputs:
        return _try(target, name, options.inputs)
    found = Found(options.folder)
    if options.select:
        return _select(target, name, found)
    seed = time.time_ns() % 2**32 if options.seed is None else options.seed
    print(f"{name}: seed {seed}, found inputs go to {options.folder}", flush=True)
    if options.plain or importlib.util.find_spec("atheris") is None:
        return _run_plainly(target, name, found, seed, options.seconds)
    return _run_guided(target, name, found, seed, options.seconds)


def _try(target: Target, name: str, files: list[Path]) -> int:
    failed = 0
    for path in files:
        data = path.read_bytes()
        try:
            target(data)
        except Exception as error:
            failed = 1
            print(f"{name}: {path} fails: {data!r}\n{type(error).__name__}: {error}")
    if failed:
        _print_invariant(target)
    else:
        print(f"{name}: {len(files)} inputs, nothing found")
    return failed


def _run_plainly(target: Target, name: str, found: Found, seed: int, seconds: float) -> int:
    until = time.monotonic() + seconds
    corpus = seeds(name) + read_all(found.corpus)
    try:
        count = mutation.run(target, corpus, Random(seed), lambda: time.monotonic() < until)
    except mutation.InputFailed as error:
        print(f"{name}: {error}\n{type(error.__cause__).__name__}: {error.__cause__}")
        return _tell_failure(target, found.save_failure(error.data))
    print(f"{name}: {count} inputs, nothing found")
    return 0


def _run_guided(target: Target, name: str, found: Found, seed: int, seconds: float) -> int:
    before = set(found.failures.iterdir())
    folders = [corpus_folder(name), regressions_folder(name)]
    command = guided.command(_module(target), folders, found, seconds=seconds, seed=seed)
    status = subprocess.run(command, check=False).returncode
    if status == 0:
        print(f"{name}: nothing found")
        return 0
    for path in sorted(set(found.failures.iterdir()) - before):
        _tell_failure(target, path)
    print(f"{name}: Atheris ended with status {status}")
    return 1


def _tell_failure(target: Target, path: Path) -> int:
    _print_invariant(target)
    print(f"Try it again by\n    python -m {_module(target)} {path}")
    return 1


def _module(target: Target) -> str:
    """Return the name by which a target's module is run."""
    spec = sys.modules[target.__module__].__spec__
    return target.__module__ if spec is None else spec.name


def _print_invariant(target: Target) -> None:
    documentation = sys.modules[target.__module__].__doc__ or ""
    print(f"It breaks this invariant:\n    {documentation.partition(chr(10))[0]}")


def _select(target: Target, name: str, found: Found) -> int:
    chosen = selection.choose(target, seeds(name), read_all(found.corpus))
    for data in chosen:
        path = corpus_folder(name) / selection.file_name(data)
        path.write_bytes(data)
        print(f"{name}: {path.name} {data[:60]!r}")
    print(f"{name}: {len(chosen)} seeds more")
    return 0
