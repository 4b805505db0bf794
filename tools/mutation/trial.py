"""Tries mutants: each in a process of its own, which runs tests until one fails.

The outcome is the test that has noticed the mutant, or `""`. A test that takes far longer than
without the change has noticed it as well. That is CPU time, so a busy machine changes nothing.
"""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from tools.mutation.mutants import Module, Mutant
from tools.mutation.patching import Codes, Functions, changed_functions, import_instead
from tools.mutation.processes import Say, fork
from tools.mutation.selection import Recorder, Selection
from tools.setup_machine import ROOT

_LEAST_SECONDS = 10.0
_TIMES_AS_LONG = 10.0

_ARGUMENTS = (
    *("-p", "no:terminal", "-p", "no:xdist", "-p", "no:cacheprovider"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning", "--without=node", "--examples=100"),
)


class Outcome(NamedTuple):
    """What came of a mutant.

    Attributes:
        mutant: the change.
        killer: the test that has noticed it, or how the process ended; `""` if nothing has.
    """

    mutant: Mutant
    killer: str


class TrialError(Exception):
    """Nothing can be said of any mutant; the text says why."""


def try_all(module: Module, tests: Sequence[str]) -> Iterator[Outcome]:
    """Try a module's mutants by some tests.

    Args:
        module: what is mutated.
        tests: files.

    Raises:
        TrialError: a test fails without any change.
    """
    with TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.json"
        for line in fork(partial(_record, tests, notes)):
            raise TrialError(line)
        selection = Selection(notes)
    if selection.failed:
        raise TrialError(f"they fail without any change: {', '.join(selection.failed)}")
    left = []
    inside = _Inside(module, selection)
    for line in fork(lambda say: inside.run(tests, say)):
        if not line.startswith("["):
            raise TrialError(line)
        number, killer = json.loads(line)
        if killer is None:
            left.append(module.mutants[number])
        else:
            yield Outcome(module.mutants[number], killer)
    for mutant in left:
        yield Outcome(mutant, _try_outside(module, mutant, selection))


def _main(tests: Sequence[str], *plugins: object) -> int:
    return pytest.main([*_ARGUMENTS, *tests], plugins)


def _record(tests: Sequence[str], notes: Path, say: Say) -> None:
    code = _main(tests, Recorder(notes))
    if code:
        say(f"pytest ends with {code} without any change")


class _Judge:
    """A plugin: ends the process as soon as a test fails."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def _end(self, killer: str) -> None:
        self._say(killer)
        os._exit(0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._end(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._end(f"{report.nodeid} cannot be imported")


class _Inside:
    """A plugin: in place of the tests, tries all mutants that change functions only.

    It says the number of each mutant, and what has noticed it; or null, if it has to be tried
    otherwise.

    Args:
        module: what is mutated.
        selection: which tests notice what.
    """

    def __init__(self, module: Module, selection: Selection) -> None:
        self._module = module
        self._selection = selection
        self._say: Say = print

    def run(self, tests: Sequence[str], say: Say) -> None:
        """Try the mutants by these tests."""
        self._say = say
        _main(tests, self)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        path, source = self._module.path, self._module.source
        functions = Functions(path)
        for number, mutant in enumerate(self._module.mutants):
            codes = changed_functions(path, source, mutant.source)
            if codes is None or not functions.knows(codes):
                self._say(json.dumps([number, None]))
                continue

            chosen = [items[test] for test in self._selection.tests(path, mutant.line)]
            run = partial(self._run, session, chosen, functions, codes)
            self._say(json.dumps([number, next(iter([*fork(run), ""]))]))
        return True

    def _run(
        self,
        session: pytest.Session,
        items: Sequence[pytest.Item],
        functions: Functions,
        codes: Codes,
        say: Say,
    ) -> None:
        functions.exchange(codes)
        session.config.pluginmanager.register(_Judge(say))
        _run_items(items, self._selection)


class _Chosen:
    """A plugin: runs the chosen tests only, in their order."""

    def __init__(self, tests: Sequence[str], selection: Selection) -> None:
        self._tests = tests
        self._selection = selection

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        _run_items([items[test] for test in self._tests], self._selection)
        return True


def _run_items(items: Sequence[pytest.Item], selection: Selection) -> None:
    followers: Iterator[pytest.Item | None] = iter([*items[1:], None])
    for item, following in zip(items, followers, strict=True):
        limit = max(_LEAST_SECONDS, _TIMES_AS_LONG * selection.seconds[item.nodeid])
        signal.setitimer(signal.ITIMER_PROF, limit)  # which ends the process
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    signal.setitimer(signal.ITIMER_PROF, 0)


def _try_outside(module: Module, mutant: Mutant, selection: Selection) -> str:
    """Try a mutant in a process that imports it."""
    path = module.path
    tests = selection.tests(path, mutant.line)
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)

    def run(say: Say) -> None:
        import_instead(name, path, mutant.source)
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        code = _main(files, _Judge(say), _Chosen(tests, selection))
        if code:
            say(f"pytest ends with {code}: it cannot be imported")

    return next(iter([*fork(run), ""]))
