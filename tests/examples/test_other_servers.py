"""The chapter for authors of other servers: its programs, and its commands for GitHub Actions."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from docs.programs import ROOT
from tests.support.conformance import NODE, OURS, served
from tests.support.proxies import free_port

pytestmark = pytest.mark.slow

FOLDER = ROOT / "examples" / "conformance"
CHAPTER = (ROOT / "docs" / "testing" / "other-servers.md").read_text("utf-8")
WORKFLOW = FOLDER / "github_actions.yml"


def run_pytest(name: str, **environment: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run(
        [*command, str(FOLDER / name)],
        check=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=300,
    )


@pytest.mark.python_socketio
def test_a_parser() -> None:
    run_pytest("test_parser.py")


@pytest.mark.parametrize("command", [OURS, pytest.param(NODE, marks=pytest.mark.node)])
def test_by_bytes(command: tuple[str, ...]) -> None:
    with served(command) as url:
        run_pytest("test_by_bytes.py", SERVER_PORT=url.rpartition(":")[2])


def test_the_judge_is_judged() -> None:
    program = FOLDER / "judge_the_judge.py"
    done = subprocess.run(
        [sys.executable, program], check=True, cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert f"```text\n{done.stdout}```" in CHAPTER


def test_the_commands_of_the_workflow(tmp_path: Path) -> None:
    """All but what installs, on a port that is free."""
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    assert workflow[True] == ["push", "pull_request"]  # YAML 1.1 reads `on` so
    (job,) = workflow["jobs"].values()
    install, *commands = [step["run"] for step in job["steps"] if "run" in step]
    assert install == "pip install 'trio-sio[testing]'"
    used = {step["uses"].partition("@")[0]: step for step in job["steps"] if "uses" in step}
    uploaded = used["actions/upload-artifact"]["with"]["path"]
    (tmp_path / "fixture.py").symlink_to(FOLDER / "fixture.py")
    script = tmp_path / "script.sh"
    text = "\n".join(commands).replace("3000", str(free_port()))
    script.write_text(f"trap 'kill $(jobs -p)' EXIT\n{text}", "utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", script],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = ElementTree.parse(tmp_path / uploaded).getroot()
    assert len(report.findall(".//testcase")) > 100
    assert report.findall(".//failure") == []


def test_the_actions_are_named_with_versions() -> None:
    used = re.findall(r"uses: (\S+)", WORKFLOW.read_text("utf-8"))
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in used)
