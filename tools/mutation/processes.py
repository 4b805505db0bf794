"""Forked processes: each begins with all that has been imported, and ends without a trace."""

import os
import resource
import signal
from collections.abc import Callable, Iterator

Say = Callable[[str], None]
"""Hands a line to the process that forked."""

MEMORY = 4 << 30
"""Bytes of address space; a process that needs more has gone astray."""


def fork(run: Callable[[Say], None]) -> Iterator[str]:
    """Run a function in a forked process, without output; yield the lines that it says.

    The last line is how the process ended, if that was not by the function's end.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _run(run, writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        yield from (line.removesuffix("\n") for line in stream)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        yield f"ended by {signal.Signals(os.WTERMSIG(status)).name}"


def _run(run: Callable[[Say], None], writer: int) -> None:
    def say(line: str) -> None:
        os.write(writer, f"{line}\n".encode())

    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        run(say)
    except Exception as error:  # it must not go on where the other process goes on
        say(f"ended by {type(error).__name__}: {error}".replace("\n", " "))
    finally:
        os._exit(0)
