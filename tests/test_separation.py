"""The folders beside the package stand on their own: what several of them need is in `tools`.

So a benchmark is no test's helper, and an example runs where there are no tests. Tests alone import
another folder, and only where that is what they test.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.source import imported_names

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "docs", "examples", "fuzz", "tests", "tools")
TESTS_OF = {
    "benchmarks": ("tests/benchmarks/",),
    "docs": ("tests/test_docs.py", "tests/test_options_page.py", "tests/examples/"),
    "fuzz": ("tests/test_fuzz.py", "tests/fuzz/"),
}
"""By folder: the tests that may import it."""

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (*FOLDERS, "trio_sio")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)


def problems(here: str, source: str) -> Iterator[str]:
    """What a file imports of a folder that it may not."""
    own = here.partition("/")[0]
    for name in imported_names(ast.parse(source)):
        other = name.partition(".")[0]
        if other not in FOLDERS or other == own:
            continue
        is_shared = other == "tools" and own != "trio_sio"
        if not is_shared and not here.startswith(TESTS_OF.get(other, ())):
            yield name


@pytest.mark.parametrize("here", FILES)
def test_file_keeps_to_its_folder(here: str) -> None:
    assert list(problems(here, (ROOT / here).read_text("utf-8"))) == []


def test_tests_that_may_import_more_are_there() -> None:
    names = {name for several in TESTS_OF.values() for name in several}
    assert [name for name in names if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("here", "source"),
    [
        ("tests/test_prices.py", "from tools.load.clients import Crowd"),
        ("tests/test_prices.py", "from tests.support.peers import peer"),
        ("tests/benchmarks/test_walks.py", "from benchmarks import walks"),
        ("tests/test_docs.py", "import docs.programs"),
        ("examples/demo.py", "from tools import setup_machine"),
        ("examples/chat/test_rooms.py", "from examples.chat.rooms import io"),
        ("benchmarks/walks.py", "import trio_sio, h11"),
    ],
)
def test_the_checker_lets_pass(here: str, source: str) -> None:
    assert list(problems(here, source)) == []


@pytest.mark.parametrize(
    ("here", "source", "name"),
    [
        ("tests/test_prices.py", "from benchmarks.run import run", "benchmarks.run.run"),
        ("tests/test_docs.py", "import benchmarks", "benchmarks"),
        ("benchmarks/run.py", "from tests.support import peers", "tests.support.peers"),
        ("examples/demo.py", "def f():\n    import tests.support", "tests.support"),
        ("docs/hooks.py", "from examples import hello", "examples.hello"),
        ("fuzz/harness.py", "from tests import conftest", "tests.conftest"),
        ("tools/source.py", "from tests import test_walls", "tests.test_walls"),
        ("trio_sio/server.py", "from tools import setup_machine", "tools.setup_machine"),
    ],
)
def test_the_checker_catches(here: str, source: str, name: str) -> None:
    assert list(problems(here, source)) == [name]
