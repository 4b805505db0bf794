"""All checks, against four servers: nothing is wrong but what is known.

Several run at a time, as most of them wait for something.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.conformance import (
    NODE,
    NODE_4,
    OURS,
    PYTHON_SOCKETIO,
    outcomes,
    outcomes_of_peer,
    served,
)
from trio_sio.conformance.catalogue import checks_of
from trio_sio.conformance.differences import DIFFERENCES

pytestmark = pytest.mark.slow

PYTHON = "python-socketio 4.6.1"
SOCKETIO_4 = "socket.io 4.8.4"


@pytest.mark.parametrize(
    ("command", "protocol"),
    [
        pytest.param(OURS, 4, id="trio_sio, protocol 4"),
        pytest.param(OURS, 5, id="trio_sio, protocol 5"),
        pytest.param(NODE, 4, id="socket.io 2.5.1", marks=pytest.mark.node),
    ],
)
def test_nothing_is_wrong(command: Sequence[str], protocol: int, tmp_path: Path) -> None:
    look = outcomes if command is OURS else outcomes_of_peer
    with served(command) as url:
        options = ("--protocol", str(protocol), "--jobs", "8")
        found = look(url, tmp_path / "report.json", *options)
    assert {name: outcome for name, outcome in found.items() if outcome != "passed"} == {}
    names = {check.name for check in checks_of(protocol)}
    assert found.keys() == names | {"conversations/generated"}


@pytest.mark.node
def test_socketio_4_differs_where_it_is_known_to(tmp_path: Path) -> None:
    """It need not be told the protocol: it refuses the other one."""
    with served(NODE_4) as url:
        options = ("--known", SOCKETIO_4, "--jobs", "4")
        found = outcomes_of_peer(url, tmp_path / "report.json", *options)
    wrong = {name: outcome for name, outcome in found.items() if outcome != "passed"}
    assert wrong == dict.fromkeys(DIFFERENCES[SOCKETIO_4], "differs")
    names = {check.name for check in checks_of(5)}
    assert found.keys() == names | {"conversations/generated"}


@pytest.mark.python_socketio
def test_what_is_known_to_be_different_is(tmp_path: Path) -> None:
    """Without generated conversations, which are full of what it is known to do otherwise."""
    with served(PYTHON_SOCKETIO) as url:
        options = ("--known", PYTHON, "--examples", "0", "--jobs", "16")
        found = outcomes_of_peer(url, tmp_path / "report.json", *options)
    wrong = {name: outcome for name, outcome in found.items() if outcome != "passed"}
    assert wrong == dict.fromkeys(DIFFERENCES[PYTHON], "differs")
    assert found.keys() == {check.name for check in checks_of(4)}
