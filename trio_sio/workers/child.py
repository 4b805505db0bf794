"""One worker's process: how it is forked, how it lives and how it ends.

It ends when `main` returns; at SIGTERM, when it has drained; and when the parent dies, however
that dies: the worker holds one end of a pipe, of which only the parent has the other.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

import trio

from trio_sio.workers.worker import Worker

logger = logging.getLogger("trio_sio.workers")

Main = Callable[[Worker], Awaitable[object]]

STARTED = b"s"
"""What a worker writes to the parent when it serves."""

OF_THE_PARENT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
"""Signals that the parent waits for."""


@dataclass(frozen=True, slots=True)
class Lifeline:
    """A pipe that tells the workers when the parent has died.

    Attributes:
        read_end: what the workers hold.
        write_end: what the parent holds, and no worker.
    """

    read_end: int
    write_end: int

    @classmethod
    def open(cls) -> "Lifeline":
        """Open the pipe."""
        return cls(*os.pipe())

    def close(self) -> None:
        """Close both ends."""
        os.close(self.read_end)
        os.close(self.write_end)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker is started with.

    Attributes:
        name: its node id.
        make_worker: makes the `Worker`, in the new process and inside of Trio; it is given what
            `Worker.started` calls.
        main: the application.
        stop_timeout: seconds that it may take to end when the parent has died.
    """

    name: str
    make_worker: Callable[[Callable[[], object]], Worker]
    main: Main
    stop_timeout: float


def fork(plan: Plan, lifeline: Lifeline, close: Callable[[], object]) -> tuple[int, int]:
    """Start a worker; return its process id, and what to read `STARTED` from.

    Signals are blocked meanwhile, or one might be heard by both.

    Args:
        plan: what it is started with.
        lifeline: tells it of the parent's death.
        close: closes what the parent has open and the worker has no use for.
    """
    read_end, write_end = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # or the worker would write it, too
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, OF_THE_PARENT)
    pid = os.fork()
    if pid == 0:
        _become_worker(plan, lifeline, close, (read_end, write_end), blocked)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    os.close(write_end)
    os.set_blocking(read_end, False)
    return pid, read_end


def _become_worker(
    plan: Plan,
    lifeline: Lifeline,
    close: Callable[[], object],
    pipe: tuple[int, int],
    mask: set[int | signal.Signals],
) -> NoReturn:
    """Be a worker, and never return to what the parent was about to do."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP):  # the terminal sends these to us, too
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, _exit_at_once)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(lifeline.write_end)
        os.close(pipe[0])
        close()
        _name_log_records(plan.name)
        _watch_parent(lifeline.read_end, plan.stop_timeout)
        trio.run(_live, plan, pipe[1])
        code = 0
    except (Exception, BaseExceptionGroup, SystemExit, KeyboardInterrupt) as error:
        code = _exit_code(error, plan.name)
    finally:
        for flush in (logging.shutdown, sys.stdout.flush, sys.stderr.flush):
            with suppress(OSError, ValueError):
                flush()
        os._exit(code)


def _exit_code(error: BaseException, name: str) -> int:
    """Log what ended a worker, unless it wanted to exit; return its exit code."""
    only = error
    while isinstance(only, BaseExceptionGroup) and len(only.exceptions) == 1:
        only = only.exceptions[0]
    if not isinstance(only, SystemExit):
        logger.error("worker %s failed", name, exc_info=error)
        return 1
    if only.code is None or isinstance(only.code, int):
        return only.code or 0
    logger.error("worker %s: %s", name, only.code)
    return 1


def _exit_at_once(_number: int, _frame: FrameType | None) -> None:
    """End a worker that is asked to before it has begun, or after its end."""
    os._exit(0)


async def _live(plan: Plan, started: int) -> None:
    def tell_parent() -> None:
        with suppress(BrokenPipeError):
            os.write(started, STARTED)

    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        worker = plan.make_worker(tell_parent)

        async def obey() -> None:
            async for _ in signals:
                if not worker.stop():
                    nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(obey)
            await plan.main(worker)
            nursery.cancel_scope.cancel()


def _name_log_records(name: str) -> None:
    """Let `%(processName)s` in a format be the worker's name."""
    make = logging.getLogRecordFactory()

    def make_named(*args: object, **kwargs: object) -> logging.LogRecord:
        record: logging.LogRecord = make(*args, **kwargs)
        record.processName = name
        return record

    logging.setLogRecordFactory(make_named)


def _watch_parent(read_end: int, stop_timeout: float) -> None:
    """End this process when the parent dies, even if its event loop is held up.

    A thread does it: it still runs while a handler computes.
    """

    def watch() -> None:
        os.read(read_end, 1)  # nobody writes: it returns when the parent is gone
        logger.error("the parent process is gone, so this worker ends")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(stop_timeout)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="trio_sio parent watch", daemon=True).start()
