"""Any bytes, cuts, ends and pauses on connections are answered or closed, and leave nothing behind.

The input is a program, see `fuzz.wire.steps`. Nothing is raised and no error is logged, another
client still gets its answers, and once everybody is silent, the server closes all connections by
itself. What it has sent is well-formed.
"""

import logging
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from functools import partial

import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from fuzz import harness
from fuzz.wire.answers import statuses
from fuzz.wire.client import Clients, Connection
from fuzz.wire.steps import Choice, Step, WSEngine, read_program
from trio_sio.testing import MemoryClient, connect

NAME = "connection"

SILENCE = 400
"""Seconds, more than all limits of the server's together."""

JOINED = "joined"
"""A room in which all clients are."""


def fuzz(data: bytes) -> Hashable:
    """Run a program; the outcome is the statuses of the responses, and what the server did."""
    return play(data, 3)


def play(data: bytes, eio: int) -> Hashable:
    """Run a program of clients that speak this revision of Engine.IO."""
    choice, steps = read_program(data)
    with _no_errors():
        return trio.run(_run, choice, steps, eio, clock=MockClock(autojump_threshold=0))


async def _run(choice: Choice, steps: list[Step], eio: int) -> Hashable:
    io, heard = _server(choice.ws_engine)
    async with io, trio.open_nursery() as nursery, connect(io) as other:
        clients = Clients(partial(_connect, io, nursery, choice), nursery, eio)
        for step in steps:
            await clients.run(step)
        await _check_other(other)
        await trio.sleep(SILENCE)
        await wait_all_tasks_blocked()
        answers = [_check_connection(one) for one in clients.connections]
        for one in clients.connections:
            await one.aclose()
        await wait_all_tasks_blocked()
        await _check_other(other)
        _check_remains(io, nursery)
        return (tuple(map(tuple, answers)), tuple(heard[:8]))


def _server(ws_engine: WSEngine) -> tuple[trio_sio.Server, list[str]]:
    """Return a server, and what its handlers hear."""
    io = trio_sio.Server(raise_errors=True, ws_engine=ws_engine)
    heard: list[str] = []

    @io.on("connect")
    async def greet(socket: trio_sio.Socket) -> None:
        heard.append("connect")
        await socket.join(JOINED)

    @io.on("disconnect")
    def leave(socket: trio_sio.Socket, reason: str) -> None:
        heard.append(reason)

    @io.on("echo")
    def echo(socket: trio_sio.Socket, *args: object) -> tuple[object, ...]:
        heard.append("echo")
        return args

    @io.on("tell")
    async def tell(socket: trio_sio.Socket, *args: object) -> None:
        heard.append("tell")
        await io.to(JOINED).emit("told", *args)

    return io, heard


def _connect(
    io: trio_sio.Server, nursery: trio.Nursery, choice: Choice
) -> trio.abc.HalfCloseableStream:
    if choice.by_socket:
        pair = trio.socket.socketpair()
        ours, theirs = (trio.SocketStream(one) for one in pair)
        nursery.start_soon(io.serve_stream, theirs)
        return ours
    client, server = memory_stream_pair()
    nursery.start_soon(io.serve_stream, server)
    return client


async def _check_other(other: MemoryClient) -> None:
    assert await other.call("echo", "still here") == ["still here"]


def _check_connection(connection: Connection) -> list[int]:
    assert connection.has_ended, f"it is still open, and said {connection.received[:200]!r}"
    return statuses(connection.received, is_whole=not connection.is_closed)


def _check_remains(io: trio_sio.Server, nursery: trio.Nursery) -> None:
    statistics = io.statistics()
    assert statistics.connections == 0
    assert statistics.sessions == 1  # the other client's
    assert len(io.router.clients) == 1
    assert len(io.sockets.connected) == 1
    assert not nursery.child_tasks


@contextmanager
def _no_errors() -> Iterator[None]:
    """Keep the log of this time to ourselves, and raise if there is an error in it."""
    logger, errors = logging.getLogger("trio_sio"), _Errors()
    before = logger.propagate
    logger.propagate = False
    logger.addHandler(errors)
    try:
        yield
    finally:
        logger.removeHandler(errors)
        logger.propagate = before
    assert errors.records == []


class _Errors(logging.Handler):
    """Keeps errors.

    Attributes:
        records: their texts.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record.getMessage())


if __name__ == "__main__":
    harness.main(fuzz, NAME)
