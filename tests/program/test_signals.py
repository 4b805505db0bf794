"""What signals do; `test_run.py` sends a second one to a program of its own."""

import os
import signal

import pytest
import trio

from trio_sio.program.signals import heard_signals

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows cannot send these signals")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_one_asks_to_end(number: signal.Signals) -> None:
    asked_to_end = trio.Event()
    with heard_signals(asked_to_end):
        assert not asked_to_end.is_set()
        os.kill(os.getpid(), number)
        await asked_to_end.wait()


def test_the_handlers_of_before_are_back_behind_it() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]

    async def main() -> None:
        with heard_signals(trio.Event()):
            assert all(map(callable, map(signal.getsignal, numbers)))
            assert signal.getsignal(signal.SIGTERM) is not before[1]

    trio.run(main)
    assert [signal.getsignal(number) for number in numbers] == before
