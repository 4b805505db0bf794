"""How many mutants of `trio_sio/protocol/` its tests notice.

    python -m tools.mutation                        all modules, one by one: an hour or so
    python -m tools.mutation socketio/decoder.py    these modules only

A module's mutants are tried by those test files of its folder that import it. What comes of them is
written into docs/mutation.md, module by module. Survivors that have a reason in
tools/mutation/survivors.toml are explained by it.
"""

import argparse
import ast
import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.mutation.mutants import SOURCE, TESTS, Module
from tools.mutation.page import Page, Tally
from tools.mutation.trial import TrialError, try_all
from tools.setup_machine import ROOT
from tools.source import imported_names

_FOREIGN = ("h11", "hypothesis.stateful", "msgpack", "trio", "websockets", "wsproto")
"""What the package and its tests import: once here, and not in each process."""


def main(argv: Sequence[str]) -> int:
    """Try mutants and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("module", nargs="*", help="relative to trio_sio/protocol/")
    names = parser.parse_args(argv).module
    paths = [SOURCE / name for name in names] or sorted(SOURCE.rglob("*.py"))
    be_repeatable()
    page = Page.read()
    for path in paths:
        try:
            _try_module(path, page)
        except TrialError as error:
            print(f"{path.relative_to(SOURCE)}: {error}")
            return 1
    print(page.summary)
    return 0


def _try_module(path: Path, page: Page) -> None:
    """Try a module's mutants, and write what comes of them."""
    name = path.relative_to(SOURCE).as_posix()
    module, tally, begun = Module(path), Tally(), time.monotonic()
    for outcome in try_all(module, _tests_of(path)) if module.mutants else ():
        tally.add(outcome.mutant.key, outcome.killer)
        if not outcome.killer:
            line = outcome.mutant.line
            print(f"  {name}:{line} {outcome.mutant.operator}: {outcome.mutant.key}", flush=True)
    page.put(name, tally)
    page.write()
    seconds = time.monotonic() - begun
    print(f"{name}: {tally.killed} noticed, {tally.survived} not ({seconds:.0f} s)", flush=True)


def _tests_of(path: Path) -> list[str]:
    """Return the test files of a module."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    folder = TESTS / path.parent.relative_to(SOURCE)
    return [
        file.relative_to(ROOT).as_posix()
        for file in sorted(folder.glob("test_*.py"))
        if any(
            f"{one}.".startswith(f"{name}.")
            for one in imported_names(ast.parse(file.read_text("utf-8")))
        )
    ]


def be_repeatable() -> None:
    """Have Hypothesis draw the same examples each time."""
    for name in _FOREIGN:
        importlib.import_module(name)
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation",
        settings(),
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],  # the first failure is enough
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("mutation")  # on which `tests.support.examples` builds


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # which counts at the start only
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        program = [sys.executable, "-m", "tools.mutation", *sys.argv[1:]]
        os.execve(sys.executable, program, environment)
    sys.exit(main(sys.argv[1:]))
