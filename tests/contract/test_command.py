"""`trio-sio contract` writes files, the same each time, and explains what it cannot do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trio_sio.contract.command import main

ROOT = Path(__file__).parents[2]
WHERE = "tests.contract.shop:io"


def test_files_are_the_same_in_every_process(tmp_path: Path) -> None:
    written = []
    for seed in ("1", "2"):
        ts, json_file = tmp_path / f"{seed}.ts", tmp_path / f"{seed}.json"
        command = [sys.executable, "-m", "trio_sio", "contract", WHERE]
        command += ["--typescript", str(ts), "--asyncapi", str(json_file)]
        subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": seed}, check=True)
        written.append((ts.read_bytes(), json_file.read_bytes()))
    assert written[0] == written[1]
    assert b"export type RootSocket" in written[0][0]


def test_without_files_asyncapi_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([WHERE]) == 0
    assert json.loads(capsys.readouterr().out)["asyncapi"] == "3.0.0"


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("tests.contract.shop:price", "must be a trio_sio.Server"),
        ("tests.contract.shop:nothing", "no attribute 'nothing'"),
        ("tests.contract.nowhere:io", "No module named 'tests.contract.nowhere'"),
        (":io", "Empty module name"),
    ],
)
def test_what_is_no_server(where: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([where]) == 1
    assert text in capsys.readouterr().err
