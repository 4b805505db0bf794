"""The wheel of this tree, and where `pip install` finds it as a user's does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build_wheel(folder: Path) -> Path:
    """Build the wheel, without the browser client, which needs npm."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = {**os.environ, "TRIO_SIO_NO_CLIENT": "1"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment_for(wheel: Path) -> dict[str, str]:
    """Return an environment in which `pip install trio-sio` installs this wheel."""
    links = [str(wheel.parent), os.environ.get("PIP_FIND_LINKS", ""), _configured("find-links")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    mine = {"PIP_FIND_LINKS": " ".join(filter(None, links)), "PATH": path}
    of_the_tests = ("PYTHON", "PYTEST", "VIRTUAL_ENV")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(of_the_tests)}
    return {**kept, **mine, "COLUMNS": "100"}


def _configured(option: str) -> str:
    """Return what pip is configured with; the variable would replace it."""
    command = [sys.executable, "-m", "pip", "config", "get", f"global.{option}"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
