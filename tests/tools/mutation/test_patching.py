"""A mutant is put into the functions that are there, or imported in place of its module."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from tools.mutation.patching import Functions, changed_functions
from tools.setup_machine import ROOT

SOURCE = """
LIMIT = 10
class Counter:
    step = 1
    def next(self, number):
        return [one + self.step for one in [number]][0]
def outer(number=1):
    def inner():
        return number + 1
    return inner
"""


def changed(before: str, after: str) -> list[str] | None:
    codes = changed_functions(Path("a.py"), SOURCE, SOURCE.replace(before, after))
    return None if codes is None else sorted(code.co_name for code in codes)


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("one + self", "one - self", ["next"]),
        ("number + 1", "number + 2", ["outer"]),
        ("[0]", "[-1]", ["next"]),
        ("step = 1", "step = 2", None),
        ("LIMIT = 10", "LIMIT = 11", None),
        ("number=1", "number=2", None),
        ("def outer", "def other", None),
    ],
)
def test_what_is_changed(before: str, after: str, names: list[str] | None) -> None:
    assert changed(before, after) == names


def test_functions_get_the_code_of_a_mutant(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    module = types.ModuleType("a")
    exec(compile(SOURCE, str(path), "exec"), module.__dict__)
    counter, outer = module.Counter(), module.outer
    codes = changed_functions(path, SOURCE, SOURCE.replace("+", "-"))
    assert codes is not None
    functions = Functions(path)
    assert functions.knows(codes)
    assert (counter.next(5), outer(5)()) == (6, 6)
    functions.exchange(codes)
    assert (counter.next(5), outer(5)()) == (4, 4)
    assert not Functions(tmp_path / "b.py").knows(codes)


def test_a_mutant_is_imported_in_place_of_its_module() -> None:
    path = ROOT / "trio_sio" / "protocol" / "cluster" / "ids.py"
    source = path.read_text("utf-8").replace("LENGTH = 6", "LENGTH = 7")
    program = (
        "import sys; from pathlib import Path\n"
        "from tools.mutation.patching import import_instead\n"
        "name = 'trio_sio.protocol.cluster.ids'\n"
        "import_instead(name, Path(sys.argv[1]), sys.argv[2])\n"
        "from trio_sio.protocol.cluster import ids; print(ids.LENGTH, ids.__file__)"
    )
    command = [sys.executable, "-c", program, str(path), source]
    done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, text=True)
    assert done.stdout.split() == ["7", str(path)]
