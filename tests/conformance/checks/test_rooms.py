"""The checks find what is wrong with rooms."""

from pathlib import Path

import pytest

from tests.support.seeded_fault import Fault
from tests.support.seeded_faults import faults_of, is_found


@pytest.mark.parametrize("fault", faults_of("rooms"))
def test_a_fault_is_found(fault: Fault, tmp_path: Path) -> None:
    assert is_found(fault, tmp_path)
