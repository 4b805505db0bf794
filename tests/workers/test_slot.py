"""The place of one worker, with processes that are none."""

import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from trio_sio.workers.slot import Process, Slot


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def sleeper(stack: ExitStack, _number: int = 1) -> tuple[int, int]:
    """A process that reports at once, and waits for signals."""
    read_end, write_end = os.pipe()
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    process = subprocess.Popen(command)
    os.write(write_end, b"s")
    os.close(write_end)
    stack.callback(partial(setattr, process, "returncode", 0))  # somebody else has waited for it
    return process.pid, read_end


def test_a_process_from_its_start_to_its_end(stack: ExitStack) -> None:
    process = Process(*sleeper(stack))
    assert (process.serves, process.asked, process.ending()) == (False, False, None)
    for _ in range(2):  # the second one reads nothing
        process.read_report()
        assert process.serves
    process.ask(1.0)
    assert process.asked
    assert process.kill_at < math.inf
    assert process.ending(wait=True) == -signal.SIGTERM
    assert process.lived > 0
    process.kill()  # it is not there any more


def test_a_process_that_is_killed(stack: ExitStack) -> None:
    process = Process(*sleeper(stack))
    process.kill()
    assert process.ending(wait=True) == -signal.SIGKILL


def test_a_slot(stack: ExitStack) -> None:
    slot = Slot(1, "w1")
    assert (slot.serves, slot.is_starting, slot.start_at) == (False, False, math.inf)
    slot.start_in(0)
    assert slot.start_at < math.inf
    process = slot.fill(partial(sleeper, stack))
    assert (slot.serves, slot.is_starting, slot.start_at) == (False, True, math.inf)
    process.read_report()
    assert (slot.serves, slot.is_starting) == (True, False)
    process.ask(1.0)
    assert (slot.serves, slot.is_starting) == (False, False)
    process.ending(wait=True)
    slot.clear()
    assert slot.process is None
