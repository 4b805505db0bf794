"""The record of faults that were met or looked for, in docs/robustness.md: each row has tests."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "robustness.md"

ROWS = {
    "A": range(1, 17),
    "B": range(1, 9),
    "C": range(1, 14),
    "D": range(1, 12),
    "F": range(1, 34),
    "E": range(1, 10),
    "G": range(1, 14),
}


class Row(NamedTuple):
    """One row: its number, and its tests as they are written."""

    number: str
    cells: tuple[str, str]
    tests: str


def rows() -> list[Row]:
    found = []
    for line in PAGE.read_text("utf-8").splitlines():
        match = re.fullmatch(r"\| ([A-G]\d+) \| (.+) \| (.+) \| (`.+`) \|", line)
        if match:
            found.append(Row(match[1], (match[2], match[3]), match[4]))
    return found


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_each_kind_has_a_row() -> None:
    expected = [f"{letter}{number}" for letter, numbers in ROWS.items() for number in numbers]
    assert sorted(row.number for row in rows()) == sorted(expected)


def test_each_line_of_a_table_is_a_row() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    heads = [line for line in lines if line.startswith(("| # ", "| --- "))]
    assert len(lines) - len(heads) == len(rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row.number))
def test_each_row_has_its_tests(row: Row) -> None:
    for test in row.tests.split(", "):
        match = re.fullmatch(r"`([\w/]+\.py)(?:::(\w+))?`", test)
        assert match, test
        path, function = ROOT / match[1], match[2]
        assert path.is_file(), test
        if function is not None:
            assert function in functions(path), test
        else:
            assert any(name.startswith("test_") for name in functions(path)), test
