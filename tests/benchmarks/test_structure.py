"""`python3 -m benchmarks.structure` counts what is there."""

import subprocess
import sys
from pathlib import Path

from benchmarks.structure import rows
from tools.setup_machine import ROOT
from tools.source import Source

MODEL = """
class Model:
    def __init__(self, other):
        {assignments}
        other.name = "set from outside"
"""
ASSIGNMENTS = "\n        ".join(f"self.attribute_{number} = {number}" for number in range(13))
EXILE = """
from trio_sio.room.model import Model

def exile(model: Model) -> None:
    print(model.a, model.b, model.c, model.d)
"""
TEXTS = {
    "__init__.py": "from trio_sio.room.model import Model as Model\n",
    "room/model.py": MODEL.format(assignments=ASSIGNMENTS),
    "room/exile.py": EXILE,
    "room/one.py": "import trio_sio.two\nA = 1\n",
    "two.py": "def f():\n    from trio_sio.room import one\n",
}


def test_figures() -> None:
    found = dict(rows({name: Source(name, text) for name, text in TEXTS.items()}))
    assert found == {
        "files / lines": "4 / 26",  # `__init__.py` has no code
        "median file, lines": "4",
        "longest file, lines": "17 (room/model.py)",
        "files under 60 lines": "4",
        "files in the largest folder": "3 (room/)",
        "imports between files": "4",
        "import circles, files in each": "2",
        "attributes of `Model`": "13",
        "assignments to attributes of other objects": "1",
        "functions that use more than 3 attributes of another file's class": "1",
    }


def test_command(tmp_path: Path) -> None:
    folder = tmp_path / "trio_sio"
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "benchmarks.structure"]
    here = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    there = subprocess.run(
        [*command, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert "| files in the largest folder | 3 (room/) |" in there
    assert "| files in the largest folder |" in here
    assert here != there
