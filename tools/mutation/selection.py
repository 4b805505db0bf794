"""Which tests run which lines, and how long they take."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

from tools.mutation.mutants import SOURCE, TESTS
from tools.setup_machine import ROOT


class Recorder:
    """A plugin of pytest: writes down which lines each test runs.

    Args:
        path: the file that it writes when the tests are over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{SOURCE}/*"], messages=False
        )
        self._seconds: dict[str, float] = {}
        self._failed: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.start()
        self._coverage.switch_context(item.nodeid)
        begun = time.process_time()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = time.process_time() - begun
            self._coverage.stop()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        data = self._coverage.get_data()
        lines = {name: data.contexts_by_lineno(name) for name in data.measured_files()}
        whole = {"lines": lines, "seconds": self._seconds, "failed": self._failed}
        self._path.write_text(json.dumps(whole), "utf-8")


class Selection:
    """What a `Recorder` has written down.

    Args:
        path: its file.
    """

    def __init__(self, path: Path) -> None:
        whole: dict[str, Any] = json.loads(path.read_text("utf-8"))
        self._lines: dict[str, dict[str, list[str]]] = whole["lines"]
        self.seconds: dict[str, float] = whole["seconds"]
        self.failed: list[str] = whole["failed"]

    def tests(self, module: Path, line: int) -> list[str]:
        """Return the tests that may notice a change of a line, in the order in which to try them.

        They are those that run the line; all that use the module, if it runs only while that is
        imported; and those of the module's own test file, which come first: what they say of it
        may have been made before they run. The quickest come first among them.
        """
        own = TESTS / module.relative_to(SOURCE)
        mirror = own.with_name(f"test_{own.name}").relative_to(ROOT).as_posix()
        lines = self._lines.get(str(module), {})
        found = {*lines.get(str(line), ())} - {""}
        if not found:
            found = {test for tests in lines.values() for test in tests} - {""}
        found |= {test for test in self.seconds if test.startswith(f"{mirror}::")}
        return sorted(
            found, key=lambda test: (not test.startswith(f"{mirror}::"), self.seconds[test])
        )
