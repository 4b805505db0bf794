"""What the command says of three servers."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conformance.fixtures import NODE, OURS, PYTHON_SOCKETIO, served
from trio_sio.conformance.catalogue import CHECKS
from trio_sio.conformance.command import main
from trio_sio.conformance.differences import DIFFERENCES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("command", "known"),
    [
        pytest.param(OURS, None, id="trio_sio"),
        pytest.param(NODE, None, id="socket.io 2.5.1", marks=pytest.mark.node),
        pytest.param(
            PYTHON_SOCKETIO,
            "python-socketio 4.6.1",
            id="python-socketio 4.6.1",
            marks=pytest.mark.python_socketio,
        ),
    ],
)
def test_it_conforms_but_for_what_is_known(
    command: Sequence[str],
    known: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = tmp_path / "report.json"
    options = [] if known is None else ["--known", known, "--examples", "0"]
    with served(command) as url:
        status = main([url, "--patience", "10", "--json", str(report), *options])
    told = capsys.readouterr().out
    assert status == 0, told
    results = {one["name"]: one["outcome"] for one in json.loads(report.read_text())["checks"]}
    differing = {name for name, outcome in results.items() if outcome == "differs"}
    assert {check.name for check in CHECKS} <= results.keys()
    assert differing == set(DIFFERENCES.get(known or "", {}))
    assert set(results.values()) <= {"passed", "differs"}
