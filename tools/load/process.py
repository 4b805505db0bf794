"""A server under load: its process, and what that has used."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SETTLED = 0.3
"""Seconds in which a server that has nothing to do does nothing."""

GIVING_BACK = ("env", "MALLOC_MMAP_THRESHOLD_=65536")
"""The C library keeps freed memory for its process. With this in front of the command it gives
large pieces back at once, and one sees what the program itself still holds."""


@dataclass(frozen=True)
class Peer:
    """A server that can be started.

    Attributes:
        name: what it is called in tables.
        command: starts it; it prints its port.
        version: of Engine.IO, which its clients speak; `MIXED` for half of them each.
    """

    name: str
    command: tuple[str, ...]
    version: int


def own_server(*arguments: str) -> tuple[str, ...]:
    """Return the command that starts a server of this package; see `trio_sio_server.py`."""
    script = Path(__file__).with_name("trio_sio_server.py")
    return (sys.executable, str(script), *arguments)


def pin(pid: int, index: int) -> None:
    """Put a process (0: this one) on one of the cores, if there are two."""
    if len(CORES) > 1:
        for task in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
            os.sched_setaffinity(int(task.name), {CORES[index]})


@dataclass(frozen=True)
class Server:
    """A server that listens.

    Attributes:
        peer: what it is.
        pid: its process.
        port: where it listens on 127.0.0.1.
        started: seconds from its start until it listened.
    """

    peer: Peer
    pid: int
    port: int
    started: float

    def cpu_seconds(self) -> float:
        """Return the CPU time that it has used so far, of all its threads."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def resident_bytes(self) -> int:
        """Return the memory that it has now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the server has ended")

    def settle(self) -> None:
        """Return when it has nothing more to do."""
        before = self.cpu_seconds()
        while True:
            time.sleep(SETTLED)
            now = self.cpu_seconds()
            if now - before < SETTLED / 20:
                return
            before = now


@contextlib.contextmanager
def running(peer: Peer) -> Iterator[Server]:
    """Start a server and end it."""
    begun = time.perf_counter()
    with subprocess.Popen(peer.command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            started = time.perf_counter() - begun
            pin(process.pid, 0)
            yield Server(peer, process.pid, port, started)
        finally:
            process.kill()
