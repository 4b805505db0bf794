"""Property tests alone run every branch of the protocol."""

import subprocess
import sys

import pytest

from tools.setup_machine import ROOT


@pytest.mark.long
def test_every_branch_is_run_by_a_property() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.property_coverage"],
        check=False,
        capture_output=True,
        cwd=ROOT,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100%" in done.stdout
