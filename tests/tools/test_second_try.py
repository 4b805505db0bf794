"""Tests that failed are run once more, and the summary names what passed only then."""

import os
import sys
from pathlib import Path

import pytest

from tools import second_try, setup_machine
from tools.setup_machine import SetupError

SUITE = """
from pathlib import Path

import pytest

SEEN = Path(__file__).with_name("seen")

@pytest.mark.parametrize("number", range(8))
def test_number(number: int) -> None:
    with SEEN.open("a") as file:
        file.write(f"{number} ")
    assert number not in AT_FIRST or SEEN.read_text().count(str(number)) > 1
    assert number not in ALWAYS
"""


class Suite:
    """Eight tests, of which some fail."""

    def __init__(self, folder: Path, *, at_first: int = 0, always: int = 0) -> None:
        self._folder = folder
        failing = f"AT_FIRST = range({at_first})\nALWAYS = range({always})\n"
        (folder / "test_suite.py").write_text(SUITE + failing)
        (folder / "pytest.ini").write_text("[pytest]\n")

    def pytest(self, *arguments: str) -> None:
        alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = [sys.executable, "-m", "pytest", "-pxdist", *arguments]
        setup_machine.run(command, cwd=self._folder, env=alone)

    @property
    def seen(self) -> str:
        """The numbers of the tests that ran."""
        return (self._folder / "seen").read_text()


def test_nothing_is_run_again_if_all_pass(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    assert second_try.run(suite.pytest) is None
    assert suite.seen == "0 1 2 3 4 5 6 7 "


@pytest.mark.parametrize("processes", [0, 1])
def test_what_failed_is_run_again_and_named(tmp_path: Path, processes: int) -> None:
    suite = Suite(tmp_path, at_first=2)
    said = second_try.run(suite.pytest, f"--numprocesses={processes}")
    assert said == (
        "ok, but passed only when run again:"
        " test_suite.py::test_number[0], test_suite.py::test_number[1]"
    )
    assert suite.seen == "0 1 2 3 4 5 6 7 0 1 "


def test_what_fails_twice_is_a_failure(tmp_path: Path) -> None:
    suite = Suite(tmp_path, at_first=2, always=1)
    with pytest.raises(SetupError, match="exit code 1"):
        second_try.run(suite.pytest)
    assert suite.seen == "0 1 2 3 4 5 6 7 0 1 "


def test_many_failures_are_one(tmp_path: Path) -> None:
    suite = Suite(tmp_path, at_first=second_try.MOST + 1)
    with pytest.raises(SetupError, match="exit code 1"):
        second_try.run(suite.pytest)
    assert suite.seen == "0 1 2 3 4 5 6 7 "


def test_what_is_no_test_is_not_run_again(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    with pytest.raises(SetupError, match="exit code 4"):
        second_try.run(suite.pytest, "--no-such-option")
    (tmp_path / "test_suite.py").write_text("import no_such_module\n")
    with pytest.raises(SetupError, match="exit code"):
        second_try.run(suite.pytest)
