"""The router's files stand on shelves: each imports from lower ones only, for types too."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "trio_sio" / "router"
PACKAGE = "trio_sio.router."

SHELVES = [
    {"router", "drain"},
    {"client"},
    {"joining"},
    {"namespaces"},
    {"namespace", "lifecycle"},
    {"namespace_handlers"},
    {"socket"},
    {"dispatch", "backlog"},
    {"emitter", "invocation"},
    {"sender"},
    {"namespace_base"},
    {"acknowledgement", "background", "context", "inbound_limits", "inbox"},
    {"acks", "broadcast", "departures", "handlers", "handshake", "limits", "order", "rate_limit"},
]
"""From the top to the bottom."""


def imported(source: str) -> Iterator[str]:
    """Yield the files of the router that a file imports, at any place."""
    for node in ast.walk(ast.parse(source)):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name.removeprefix(PACKAGE) for name in names if name.startswith(PACKAGE))


FILES = {path.stem: path.read_text("utf-8") for path in ROOT.glob("*.py") if path.stem[0] != "_"}


def shelf(name: str) -> int:
    """The number of a file's shelf, counted from the top."""
    (number,) = [number for number, names in enumerate(SHELVES) if name in names]
    return number


@pytest.mark.parametrize("name", FILES)
def test_a_file_imports_from_lower_shelves(name: str) -> None:
    assert [one for one in imported(FILES[name]) if shelf(one) <= shelf(name)] == []


def test_every_name_on_a_shelf_is_a_file() -> None:
    assert sorted(name for names in SHELVES for name in names) == sorted(FILES)


def test_there_is_no_circle() -> None:
    TopologicalSorter({name: set(imported(source)) for name, source in FILES.items()}).prepare()


@pytest.mark.parametrize(
    "source",
    [
        "from trio_sio.router.client import Client",
        "import trio_sio.router.client as client",
        "if TYPE_CHECKING:\n    from trio_sio.router.client import Client",
        "def f():\n    from trio_sio.router.client import Client",
    ],
)
def test_an_import_is_found_wherever_it_is(source: str) -> None:
    assert list(imported(source)) == ["client"]


def test_the_rate_limit_knows_no_clock_and_no_task() -> None:
    tree = ast.parse(FILES["rate_limit"])
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names == {"enum", "typing"}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert [alias.name for node in found for alias in node.names] == ["math"]
