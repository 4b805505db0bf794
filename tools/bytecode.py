"""Imports all test files once: what they are compiled to is kept.

    python -m tools.bytecode

The processes that run the tests side by side import all of them at the same moment, so each would
rewrite the assertions of all for itself.
"""

import subprocess
import sys

from tools.setup_machine import ROOT

_COLLECT = (sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider")


def main() -> int:
    """Collect the tests, and return the exit code; what is said of them matters if it fails."""
    done = subprocess.run(_COLLECT, check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.stdout.write(done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
