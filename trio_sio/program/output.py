"""Output that somebody stops to read, as `head` and a pager do."""

import os
import sys
from collections.abc import Callable, Sequence

from trio_sio.failures import leaves

UNHEARD = 141
"""The exit status then; shells give it to programs that the signal for it has ended."""


def run_heard(command: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """Run a command that writes to `sys.stdout`, and return its exit status.

    Args:
        command: takes arguments and returns an exit status.
        argv: the arguments.

    Returns:
        `UNHEARD` if nobody reads on what it writes.
    """
    try:
        status = command(argv)
        sys.stdout.flush()
    except (BrokenPipeError, ExceptionGroup) as error:
        if not all(isinstance(one, BrokenPipeError) for one in leaves(error)):
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # or Python would complain when it ends
        os.close(nowhere)
        return UNHEARD
    return status
