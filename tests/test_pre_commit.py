"""What runs before a commit is what `python3 -m tests` runs: the same linter, held still alike."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOOKS = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_linter_and_formatter_are_those_of_the_tests() -> None:
    (pinned,) = (one for one in PROJECT["dependency-groups"]["test"] if one.startswith("ruff"))
    commands = re.findall(r"^ +entry: (.*)$", HOOKS, re.MULTILINE)
    assert commands == ["ruff check --force-exclude", "ruff format --force-exclude"]
    assert re.findall(r'additional_dependencies: \["(.*)"\]', HOOKS) == [pinned] * len(commands)
