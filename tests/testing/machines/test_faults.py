"""Each seeded fault of the server is found by the machine that has to find it."""

from pathlib import Path

import pytest

from tests.support.machine_faults import EXAMPLES, FAULTS, examples_until_found
from tests.support.seeded_fault import Fault
from trio_sio.testing import machines

QUICK = {"leaving a room has no effect", "a client that has gone is not forgotten"}
"""Each takes seconds, so the others run with --long."""


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            fault,
            id=fault.what,
            marks=pytest.mark.slow if fault.what in QUICK else pytest.mark.long,
        )
        for fault in FAULTS
    ],
)
def test_a_fault_is_found(fault: Fault, tmp_path: Path) -> None:
    assert 0 < examples_until_found(fault, tmp_path) <= EXAMPLES


def test_a_server_without_a_fault_passes(tmp_path: Path) -> None:
    right = FAULTS[3]
    nothing = right._replace(wrong=right.right)
    assert examples_until_found(nothing, tmp_path, most=5) == 0


def test_each_machine_has_a_fault_to_find() -> None:
    assert {fault.what for fault in FAULTS} >= QUICK
    names = {name for name in vars(machines) if name.endswith("Machine")} - {"TrioMachine"}
    assert {fault.check for fault in FAULTS} == names
