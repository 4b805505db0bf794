"""The demo in a process of its own: `python -m trio_sio`."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import trio

from tests.support.peers import DEADLINE

COMMAND = [sys.executable, "-m", "trio_sio", "--port"]
READY = b"Listening on "
_OF_THE_MACHINE = (b"the event loop was held", b"the process stood still")
"""Warnings of a machine that is busy otherwise."""


@asynccontextmanager
async def demo(*options: str) -> AsyncIterator[tuple[trio.Process, str]]:
    """The running demo and its URL."""
    pipe = subprocess.PIPE
    command = [*COMMAND, "0", *options]
    run_process = partial(trio.run_process, command, stdout=pipe, stderr=pipe, check=False)
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(run_process)
        assert process.stdout is not None
        line = b""
        with trio.fail_after(DEADLINE):
            while not line.endswith(b"\n"):
                data = await process.stdout.receive_some()
                assert data, f"it ended after {line!r}"
                line += data
        assert line.startswith(READY)
        yield process, line.removeprefix(READY).decode().split()[0]
        process.kill()


async def complaints(process: trio.Process) -> list[bytes]:
    """Return what a process that has ended wrote to standard error, a busy machine aside."""
    assert process.stderr is not None
    lines = b"".join([piece async for piece in process.stderr]).splitlines()
    return [line for line in lines if not any(text in line for text in _OF_THE_MACHINE)]
