"""A program with workers, and the tests' view of it.

`python -m tests.support.worker_program '{"workers": 2, …}'` prints its port, and then a line of
JSON for each worker that serves: its number, its process id and its own port. Its clients can ask
who serves them, let a worker die, hold its event loop, or have something to do for it.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trio

import trio_sio
from tests.support.peers import DEADLINE
from trio_sio import workers

ROOT = Path(__file__).parents[2]
FORMAT = "%(processName)s %(levelname)s %(message)s"


class Program:
    """The running program.

    Attributes:
        process: the parent.
        port: the port that its workers share.
        private: the ports that they have alone, by number.
    """

    def __init__(self, process: trio.Process, options: dict[str, Any]) -> None:
        self.process = process
        self.port = 0
        self.private: dict[int, int] = {}
        self._options = options
        self._lines = b""
        self._log = b""
        self._log_grew = trio.Condition()

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    async def line(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        with trio.fail_after(DEADLINE):
            while b"\n" not in self._lines:
                data = await self.process.stdout.receive_some()
                assert data, f"it ended: {self.log}"
                self._lines += data
        line, _, self._lines = self._lines.partition(b"\n")
        return line.decode()

    async def serving(self, count: int | None = None) -> dict[int, int]:
        """Return the process ids of the next workers that serve, by number."""
        wanted = self._options["workers"] if count is None else count
        pids = {}
        for _ in range(wanted):
            number, pids[number], self.private[number] = json.loads(await self.line())
        return pids

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the parent."""
        self.process.send_signal(number)

    async def wait(self) -> int:
        """Wait for its end; return the exit code."""
        with trio.fail_after(DEADLINE):
            return await self.process.wait()

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.decode()

    async def wait_log(self, text: str) -> None:
        """Wait until it has logged something."""
        with trio.fail_after(DEADLINE):
            async with self._log_grew:
                while text not in self.log:
                    await self._log_grew.wait()

    async def read_log(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Keep what it logs; a task."""
        assert self.process.stderr is not None
        task_status.started()
        async for data in self.process.stderr:
            self._log += data
            async with self._log_grew:
                self._log_grew.notify_all()


@asynccontextmanager
async def program(**options: object) -> AsyncIterator[Program]:
    """The program as a process; no worker of it is left at the end.

    Args:
        **options: `workers`, and other arguments of `run`; `fail` and `grace`, see `main`.
    """
    given: dict[str, Any] = {"workers": 2, **options}
    command = [sys.executable, "-m", "tests.support.worker_program", json.dumps(given)]
    pipe = subprocess.PIPE
    run_process = partial(
        trio.run_process, command, stdout=pipe, stderr=pipe, check=False, cwd=ROOT
    )
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(run_process)
        running = Program(process, given)
        await nursery.start(running.read_log)
        running.port = int(await running.line())
        try:
            yield running
        finally:
            process.kill()  # and its workers see that it is gone


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def wait_gone(pid: int) -> None:
    """Wait until a process has ended, which is no child of ours and so has no event."""
    with trio.fail_after(DEADLINE):
        while is_there(pid):  # noqa: ASYNC110 - see above
            await trio.sleep(0.01)


# -- what runs there -------------------------------------------------------------------------------


def say(line: str) -> None:
    """Print a line in one piece, since several processes print."""
    os.write(1, f"{line}\n".encode())


def make_server(worker: workers.Worker) -> trio_sio.Server:
    """What a worker serves."""
    io = trio_sio.Server()

    @io.on("who")
    async def who(socket: trio_sio.Socket) -> list[int]:
        return [worker.number, os.getpid()]

    @io.on("die")
    async def die(socket: trio_sio.Socket, number: int) -> None:
        os.kill(os.getpid(), number)

    @io.on("work")
    async def work(socket: trio_sio.Socket, seconds: float) -> str:
        await socket.emit("working")
        await trio.sleep(seconds)
        return "done"

    @io.on("hold")
    async def hold(socket: trio_sio.Socket) -> None:
        say("held")
        while True:
            time.sleep(0.01)  # noqa: ASYNC251 - nobody else gets a turn, which is what is tested

    return io


def main() -> None:
    """Run it with the options that the command line has."""
    options = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    fail, grace = options.pop("fail", None), options.pop("grace", 1.0)
    sockets = workers.open_sockets(0, "127.0.0.1")
    say(str(sockets[0].getsockname()[1]))
    sys.stderr.write("not to be printed again")  # it stays in the buffer: there is no line end

    async def serve(worker: workers.Worker) -> None:
        if fail == "exit":
            sys.exit(3)
        if fail == "error":
            raise LookupError("no such setting")
        if fail == "return":
            return
        io = make_server(worker)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(worker.serve, io, grace=grace, spread=0.1))
            if fail != "silent":
                while not io.engine.serving:  # noqa: ASYNC110 - nobody tells of it
                    await trio.sleep(0.001)
                names = [one.socket.getsockname() for one in worker.private]
                port = names[0][1] if names and isinstance(names[0], tuple) else 0
                say(json.dumps([worker.number, os.getpid(), port]))

    with contextlib.suppress(BrokenPipeError):
        workers.run(serve, sockets=sockets, **options)


if __name__ == "__main__":
    main()
