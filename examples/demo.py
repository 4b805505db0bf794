"""`python3 -m examples.demo`: sets up a virtual environment, and runs the demo server in it.

Arguments go to the server: `python3 -m examples.demo --port 8000`.
"""

import contextlib
import os
import sys

from tools import setup_machine
from tools.setup_machine import ROOT, SetupError

_ENVIRONMENT = ROOT / ".venv-demo"


def main() -> None:
    """Become the demo server, so that signals reach it and its exit code is ours."""
    sys.stdout.write("Setting up .venv-demo, which takes a moment the first time.\n")
    setup_machine.environment(
        _ENVIRONMENT, "--editable", ".[speed]", made_from=[ROOT / "pyproject.toml"]
    )
    with contextlib.suppress(SetupError):  # it has said why, and the server runs without
        setup_machine.browser_client(_ENVIRONMENT)
    server = setup_machine.program(_ENVIRONMENT, "trio-sio")
    sys.stdout.flush()
    os.execv(server, [str(server), *sys.argv[1:]])


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        sys.exit(f"demo: {error}")
