"""The command tries the mutants of a module by its tests."""

import subprocess
import sys

import pytest

from tools.setup_machine import ROOT

PROGRAM = """
from tools.mutation.__main__ import _tests_of, be_repeatable
from tools.mutation.mutants import SOURCE, Module
from tools.mutation.trial import try_all

be_repeatable()
path = SOURCE / "http" / "errors.py"
outcomes = list(try_all(Module(path), _tests_of(path)))
print(len(outcomes), sum(not one.killer for one in outcomes))
print(*{one.killer.partition("::")[0] for one in outcomes})
"""


@pytest.mark.slow
def test_mutants_of_a_module_are_noticed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=False, capture_output=True, cwd=ROOT, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["6 0", "tests/protocol/http/test_errors.py"]
