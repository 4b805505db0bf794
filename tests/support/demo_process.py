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
