"""`python3 -m docs`: sets up a virtual environment, and serves the documentation in it.

Arguments go to MkDocs: `python3 -m docs serve --dev-addr 127.0.0.1:8001`, or
`python3 -m docs build --strict`. `python3 -m docs programs` needs no environment: it copies the
programs of `examples/` into the pages that quote them.
"""

import os
import sys
from collections.abc import Sequence

from docs.programs import ROOT, fill_all
from tools import setup_machine
from tools.setup_machine import SetupError

_ENVIRONMENT = ROOT / ".venv-docs"


def main(arguments: Sequence[str]) -> None:
    """Copy the programs, or become MkDocs, so that signals reach it and its exit code is ours."""
    if [*arguments] == ["programs"]:
        for path in fill_all():
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        return
    sys.stdout.write("Setting up .venv-docs, which takes a moment the first time.\n")
    setup_machine.environment(
        _ENVIRONMENT,
        *("--editable", ".", *setup_machine.requirements("docs")),
        made_from=[ROOT / "pyproject.toml"],
    )
    mkdocs = setup_machine.program(_ENVIRONMENT, "mkdocs")
    sys.stdout.flush()
    os.chdir(ROOT)
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # the version is held still in pyproject.toml
    os.execv(mkdocs, [str(mkdocs), *(arguments or ["serve"])])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SetupError as error:
        sys.exit(f"docs: {error}")
