"""The servers that are judged: the application of `docs/conformance.md`, on each of them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "examples" / "conformance"
JAVASCRIPT = ROOT / "tests" / "javascript" / "node_modules"

OURS = (sys.executable, str(FIXTURES / "fixture.py"))
NODE = ("node", str(FIXTURES / "fixture.js"))
PYTHON_SOCKETIO = (sys.executable, str(FIXTURES / "fixture_python_socketio.py"))


@contextmanager
def served(command: Sequence[str], folder: Path = ROOT) -> Iterator[str]:
    """A server in a process of its own, and its URL."""
    environment = {**os.environ, "NODE_PATH": str(JAVASCRIPT), "PYTHONPATH": str(folder)}
    with subprocess.Popen(
        [*command, "0"], stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
    ) as process:
        try:
            assert process.stdout is not None
            match = re.search(r"http://\S+", process.stdout.readline())
            assert match, "it has to say where it listens"
            yield match[0]
        finally:
            process.kill()
