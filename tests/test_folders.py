"""The docstring of each folder lists its files."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "trio_sio"
FOLDERS = sorted(path.parent for path in ROOT.rglob("__init__.py"))
# The demo and the tools for tests tell of what they are for, as their readers are users.
PROSE = {ROOT / "demo", ROOT / "testing"}


def listed(docstring: str) -> set[str]:
    """The names in the left column of a docstring's table, with or without `.py`."""
    rows = re.findall(r"^ *([a-z_0-9.]+(?:, [a-z_0-9.]+)*) {2,}\S", docstring, re.MULTILINE)
    return {name.removesuffix(".py") for row in rows for name in row.split(", ")}


def there(folder: Path) -> set[str]:
    """The files and folders in a folder."""
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    return files | {path.parent.name for path in folder.glob("*/__init__.py")}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_folder_lists_its_files(folder: Path) -> None:
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    if folder in PROSE:
        assert docstring
    else:
        assert listed(docstring) == there(folder)


def test_the_checker_reads_tables() -> None:
    text = "What it is.\n\none, two_3   both\nfour.py     the third\nProse of  two spaces\n"
    assert listed(text) == {"one", "two_3", "four"}
