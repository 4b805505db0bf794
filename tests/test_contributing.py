"""What CONTRIBUTING.md sends people to is there."""

import re
import shlex
from pathlib import Path

import pytest

from tests import __main__ as command

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
COMING = {"adapters/"}
COMMANDS = [line.strip().split("    ")[0] for line in re.findall(r"^    (.*)$", TEXT, re.MULTILINE)]


def test_paths_are_there() -> None:
    named = set(re.findall(r"`((?:\w+/)+\w*(?:\.\w+)?|test_\w+\.py)`", TEXT))
    assert {"tests/router/test_inbox.py", "tests/test_walls.py", "protocol/"} <= named
    folders = [ROOT, ROOT / "trio_sio", ROOT / "trio_sio" / "engine", ROOT / "tests"]
    missing = {name for name in named if not any((folder / name).exists() for folder in folders)}
    assert missing <= COMING


@pytest.mark.parametrize("line", [line for line in COMMANDS if "-m tests" in line])
def test_commands_exist(line: str) -> None:
    options = command._parse(shlex.split(line)[3:])
    assert command._steps(options)


def test_the_file_that_is_tested_is_there() -> None:
    (line,) = (line for line in COMMANDS if line.startswith(".venv-test/bin/pytest tests"))
    assert (ROOT / line.split()[1]).is_file()
