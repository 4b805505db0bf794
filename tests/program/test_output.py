"""Whose output nobody reads ends quietly."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

import trio_sio
from tests.support.conformance import OURS, ROOT, served
from trio_sio.program.output import UNHEARD, run_heard

APPLICATION = "tests.program.test_output:io"

io = trio_sio.Server()


def unread(*argv: str) -> tuple[int, str]:
    """Run a command without a reader; return its exit status, and what it says of errors."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "trio_sio", *argv],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such error")
@pytest.mark.parametrize(
    "argv", [["conformance", "--list"], ["contract", APPLICATION]], ids=lambda argv: argv[0]
)
def test_what_is_written_at_the_end(argv: list[str]) -> None:
    assert unread(*argv) == (UNHEARD, "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such error")
def test_what_is_written_in_a_task() -> None:
    with served(OURS) as url:
        assert unread("conformance", url, "--only", "handshake", "--verbose") == (UNHEARD, "")


def test_the_status_is_the_commands() -> None:
    assert run_heard(len, ["a", "b"]) == 2


def test_other_failures_are_raised() -> None:
    def fail(argv: Sequence[str]) -> int:
        raise ExceptionGroup("", [BrokenPipeError(), KeyError(1)])

    with pytest.raises(ExceptionGroup):
        run_heard(fail, [])
