"""The README's commands, in a copy of what is committed: the demo answers, the site is built."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[1]
PATIENCE = 300.0


def commands() -> list[str]:
    """The README's commands: what is indented by four spaces outside of a fence."""
    prose = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    return re.findall(r"^    (python3 .*)$", prose, re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree as a clone has it: without anything that Git ignores."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        target = tmp_path / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return tmp_path


def test_the_second_command_is_what_ci_runs() -> None:
    assert commands()[1] == "python3 -m tests"
    last = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert last == 'exec python3 -m tests "$@"'


@pytest.mark.node
def test_the_first_command_ends_with_a_demo_that_answers(copy: Path) -> None:
    python, *arguments = shlex.split(commands()[0])
    assert python == "python3"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, *arguments, "--port", "0"]
    with subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = ""
            while not url and (line := process.stdout.readline()):
                url = "".join(re.findall(r"http://127\.0\.0\.1:\d+", line))
            assert url, "the demo did not say where it is"
            with urllib.request.urlopen(url + "/", timeout=PATIENCE) as page:
                assert b"/socket.io/socket.io.js" in page.read()
            with urllib.request.urlopen(url + "/socket.io/socket.io.js", timeout=60) as script:
                assert b"Socket.IO v2.5.0" in script.read(200)
            handshake = url + "/socket.io/?EIO=3&transport=polling"
            with urllib.request.urlopen(handshake, timeout=60) as opening:
                assert opening.read().endswith(b"2:40")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.long
def test_the_documentation_is_built_in_an_environment_of_its_own(copy: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-m", "docs", "build", "--strict"]
    subprocess.run(command, cwd=copy, env=environment, check=True, timeout=PATIENCE)
    built = copy / "build" / "site"
    assert "Tutorial: a small chat" in (built / "tutorial.html").read_text("utf-8")
    assert "wait_closed" in (built / "api" / "server.html").read_text("utf-8")
