"""SIGINT and SIGTERM, for programs that end in peace at the first and at once at the second."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import trio

INTERRUPTED = 130
"""The exit status of a program that did not end in peace: as a shell has it for SIGINT."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)  # both exist on Windows, too


@contextmanager
def heard_signals(asked_to_end: trio.Event) -> Iterator[None]:
    """Set an event at the first signal, and end the process at the second, whatever it is about.

    Args:
        asked_to_end: the event.
    """
    token, numbers = trio.lowlevel.current_trio_token(), count(1)

    def hear(*_: object) -> None:
        if next(numbers) == 1:
            token.run_sync_soon(asked_to_end.set)
        else:
            # An exception would wait for the handlers that have `grace`, and as process 1 of a
            # container a signal's default is to be ignored.
            os._exit(INTERRUPTED)

    former = {number: signal.signal(number, hear) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
