"""Forked processes say lines, and how they ended."""

import os
import signal

import pytest

from tools.mutation.processes import Say, fork


def _speaks(say: Say) -> None:
    os.write(1, b"nobody hears this")
    say("one")
    say("two")


def _fails(say: Say) -> None:
    say("before")
    raise ValueError("no")


def _dies(say: Say) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("run", "lines"),
    [
        (_speaks, ["one", "two"]),
        (_fails, ["before", "ended by ValueError: no"]),
        (_dies, ["ended by SIGKILL"]),
    ],
)
def test_lines(run: object, lines: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert callable(run)
    assert list(fork(run)) == lines
    assert capfd.readouterr() == ("", "")
