"""Which branches of `trio_sio/protocol/` the property tests alone run: it has to be all of them.

    python -m tools.property_coverage           in two minutes; the exit code is 1 if one is missing

Property tests are those that use Hypothesis, state machines among them. They draw the same examples
each time here, so the answer is always the same.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.setup_machine import ROOT, SetupError, run

_TESTS = (
    *("tests/protocol", "--without=node", "-m", "hypothesis", "--examples=100"),
    *("-q", "-p", "no:cacheprovider"),
)


def main() -> int:
    """Run the property tests, print what they miss, and return the exit code."""
    with TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "CI": "true",  # at which Hypothesis is deterministic
            "COVERAGE_FILE": str(Path(folder) / "coverage"),
        }
        coverage = (sys.executable, "-m", "coverage")
        source = f"--source={ROOT / 'trio_sio' / 'protocol'}"
        try:
            run([*coverage, "run", "--branch", source, "-m", "pytest", *_TESTS], env=environment)
            run([*coverage, "report", "-m", "--skip-covered", "--fail-under=100"], env=environment)
        except SetupError as error:
            print(error)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
