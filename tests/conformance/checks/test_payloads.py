"""The checks find what is wrong with the encodings of long polling."""

from pathlib import Path

import pytest

from tests.support.seeded_faults import Fault, faults_of, is_found


@pytest.mark.parametrize("fault", faults_of("payloads"))
def test_a_fault_is_found(fault: Fault, tmp_path: Path) -> None:
    assert is_found(fault, tmp_path)
