"""`run`: several processes that share a port."""

import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

import trio

from trio_sio.protocol.engineio.session_id import is_node_id
from trio_sio.workers import child
from trio_sio.workers.balance import Loads, Share
from trio_sio.workers.child import Lifeline, Main, Plan
from trio_sio.workers.sockets import close_private_socket, open_private_socket, open_sockets
from trio_sio.workers.supervisor import Supervisor
from trio_sio.workers.worker import Worker

MOST_WORKERS = 1000


def run(
    main: Main,
    *,
    workers: int | None = None,
    port: int | None = None,
    host: str | None = None,
    sockets: Sequence[socket.socket] = (),
    private: int | str | None = None,
    name: str = "w",
    stop_timeout: float = 60.0,
) -> None:
    """Serve with several processes, each with an event loop of its own.

    Each runs `trio.run(main, worker)`. The parent only watches: it starts a worker again that has
    died, asks all to end at SIGTERM or SIGINT and waits until they have, and at SIGHUP restarts
    one after the other. A second SIGTERM or SIGINT does not wait for clients. Workers end, too,
    when the parent dies.

    Call it from the main thread of a program that has started no other threads and no event loop.
    The program is forked, so make in `main` what has connections, threads or random ids of its
    own. What was registered with `atexit` runs in the parent alone.

    Args:
        main: `async def main(worker)`, in each process. See `Worker`.
        workers: how many; `None` for one per processor that this process may use.
        port: the port that all share; 0 for any free one, `None` for none.
        host: the address to listen on, `None` for all.
        sockets: sockets that listen already, in place of `port` and `host`. They stay open.
        private: gives each worker a listener of its own, for a proxy that keeps clients with their
            worker. A number: the first worker has this port on 127.0.0.1, the second the next one,
            and so on; 0 for any free ones. A text: the path of a Unix socket, where `{node}` stands
            for the node id.
        name: what the node ids begin with; the worker's number follows. Workers on several machines
            behind one proxy need different ones.
        stop_timeout: seconds that a worker may take to end when it is asked to, until it is killed.
            More than `grace` and `spread` of its drain.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument that is not allowed.
        RuntimeError: it is not the main thread, there are other threads, an event loop runs, or the
            system cannot fork.
        OSError: a port or a path cannot be opened.
        WorkersFailed: a worker died at once, several times in a row; or one did not end well.
    """
    count = _number_of_workers(workers)
    _check(main, count, port, sockets, private, name, stop_timeout)
    _check_process()
    with ExitStack() as stack:
        shared = list(sockets)
        if port is not None:
            shared = open_sockets(port, host)
            for one in shared:
                stack.callback(one.close)
        names = [f"{name}{number}" for number in range(1, count + 1)]
        own: list[socket.socket | None] = [None] * count
        if private is not None:
            for index, node_id in enumerate(names):
                where = private + index if isinstance(private, int) and private else private
                one = open_private_socket(where, node_id)
                stack.callback(close_private_socket, one)
                own[index] = one
        lifeline = Lifeline.open()
        stack.callback(lifeline.close)
        loads = Loads(count)

        def start(number: int) -> tuple[int, int]:
            node_id = names[number - 1]
            make = partial(_make_worker, number, node_id, shared, own[number - 1], loads)
            others = [one for one in own if one is not None and one is not own[number - 1]]
            plan = Plan(node_id, make, main, stop_timeout)
            return child.fork(plan, lifeline, partial(_close_all, others))

        Supervisor(names, start, loads.leave, stop_timeout).run()


def _make_worker(
    number: int,
    node_id: str,
    shared: Sequence[socket.socket],
    private: socket.socket | None,
    loads: Loads,
    on_started: Callable[[], object],
) -> Worker:
    return Worker(number, node_id, shared, private, Share(loads, number), on_started)


def _close_all(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _number_of_workers(workers: int | None) -> int:
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if isinstance(workers, bool) or not isinstance(workers, int):
        raise TypeError(f"workers must be an int or None, not {workers!r}")
    if not 1 <= workers <= MOST_WORKERS:
        raise ValueError(f"workers must be at least 1 and at most {MOST_WORKERS}, not {workers}")
    return workers


def _check(
    main: object,
    workers: int,
    port: int | None,
    sockets: Sequence[socket.socket],
    private: int | str | None,
    name: str,
    stop_timeout: float,
) -> None:
    if not callable(main):
        raise TypeError(f"main must be an async function, not {main!r}")
    if port is None and not sockets and private is None:
        raise TypeError("workers need a port, sockets, or private listeners to listen on")
    if port is not None and sockets:
        raise TypeError("give either a port or sockets, not both")
    _check_port("port", port, 1)
    if isinstance(private, str):
        if workers > 1 and "{node}" not in private:
            raise ValueError(f"private must have {{node}} in the path, not {private!r}")
    else:
        _check_port("private", private, workers)
    if not isinstance(name, str) or not is_node_id(f"{name}{workers}"):
        wanted = "letters of ASCII, digits, '_' and '-', so few that a number fits behind them"
        raise ValueError(f"name must be {wanted}, not {name!r}")
    if not stop_timeout > 0:
        raise ValueError(f"stop_timeout must be more than 0, not {stop_timeout!r}")


def _check_port(argument: str, port: object, count: int) -> None:
    if port is None:
        return
    if isinstance(port, bool) or not isinstance(port, int):
        raise TypeError(f"{argument} must be a number or None, not {port!r}")
    if not 0 <= port <= 65536 - count:
        raise ValueError(f"{argument} must be at least 0 and at most {65536 - count}, not {port}")


def _check_process() -> None:
    if not hasattr(os, "fork"):
        raise RuntimeError("workers need fork(), which this system does not have")
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("workers.run needs the main thread, where signals arrive")
    if trio.lowlevel.in_trio_run():
        raise RuntimeError("workers.run starts the event loops itself: call it outside of trio.run")
    others = [one.name for one in threading.enumerate() if one is not threading.current_thread()]
    if others:
        names = ", ".join(others)
        raise RuntimeError(f"workers.run forks, which threads do not survive; there are: {names}")
