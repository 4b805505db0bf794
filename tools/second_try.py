"""Runs pytest, and the few tests that failed once more, with nothing beside them.

Among thousands of tests with real browsers, proxies and servers, in more processes than there are
cores, one fails now and then because the machine had something else to do. That must not be
silent, and it must not cost a whole run either. So both runs print what they find, the summary
names what passed only then, and what fails twice, or too much at once, is a failure.
"""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.setup_machine import SetupError

MOST = 5
"""Tests that may fail at first: more of them have a cause in common."""

_BY_ITSELF = ("--numprocesses=0", "--last-failed", "--last-failed-no-failures=none")


def run(pytest: Callable[..., None], *arguments: str) -> str | None:
    """Run tests, and those that failed once more.

    Args:
        pytest: runs it with arguments; raises `SetupError` if it did not end well.
        *arguments: what it is to run, and how.

    Returns:
        What is to be said of tests that failed at first; `None` if none did.

    Raises:
        SetupError: tests failed twice, or more than `MOST` did, or pytest could not run them.
    """
    with TemporaryDirectory() as folder:
        noting = ("-o", f"cache_dir={folder}")
        try:
            pytest(*arguments, *noting)
        except SetupError:
            failed = _failed(Path(folder))
            if not 0 < len(failed) <= MOST:
                raise
            pytest(*arguments, *noting, *_BY_ITSELF)
            return f"ok, but passed only when run again: {', '.join(failed)}"
    return None


def _failed(cache: Path) -> list[str]:
    """Return the tests that failed, and files that could not be imported, as pytest notes them."""
    try:
        return sorted(json.loads((cache / "v" / "cache" / "lastfailed").read_text("utf-8")))
    except OSError:
        return []
