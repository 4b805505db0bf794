"""All checks, against three servers: nothing is wrong but what is known."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.conformance import NODE, OURS, PYTHON_SOCKETIO, outcomes, served
from trio_sio.conformance.catalogue import CHECKS
from trio_sio.conformance.differences import DIFFERENCES

pytestmark = pytest.mark.slow

PYTHON = "python-socketio 4.6.1"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(OURS, id="trio_sio"),
        pytest.param(NODE, id="socket.io 2.5.1", marks=pytest.mark.node),
    ],
)
def test_nothing_is_wrong(command: Sequence[str], tmp_path: Path) -> None:
    with served(command) as url:
        found = outcomes(url, tmp_path / "report.json")
    assert {name: outcome for name, outcome in found.items() if outcome != "passed"} == {}
    assert found.keys() == {check.name for check in CHECKS} | {"conversations/generated"}


@pytest.mark.python_socketio
def test_what_is_known_to_be_different_is(tmp_path: Path) -> None:
    """Without generated conversations, which are full of what it is known to do otherwise.

    Several at a time, as a check that fails mostly waits for what never comes.
    """
    with served(PYTHON_SOCKETIO) as url:
        options = ("--known", PYTHON, "--examples", "0", "--jobs", "8")
        found = outcomes(url, tmp_path / "report.json", *options)
    wrong = {name: outcome for name, outcome in found.items() if outcome != "passed"}
    assert wrong == dict.fromkeys(DIFFERENCES[PYTHON], "differs")
    assert found.keys() == {check.name for check in CHECKS}
