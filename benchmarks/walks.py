"""How far one thing walks through the package: its calls, and how often they change file.

    python3 -m benchmarks.walks                    the table, in Markdown
    python3 -m benchmarks.walks --path upgrade     the files of that walk, in order

A real server on loopback runs under a profiler that notes every call of the package's code, the
resumption of a coroutine included. Its clients are raw sockets in a thread of their own, which is
not profiled. A *stay* is a run of calls in one file; a *return* is a stay in a file that was left
before. One thing happens at a time, so a walk makes the same calls each time; but Trio runs the
tasks of an iteration in random order. Once everything is warm, each walk is taken several times,
and the one with the fewest stays counts.

Only the package's public face is used, so two versions of it can be compared.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple, TypeVar

import trio
import trio.testing

import trio_sio
from tools.load.clients import Client, masked
from tools.load.polling import Connection, Poller

PACKAGE = Path(trio_sio.__file__).parent
WARM_UP = 3
TIMES = 12
IDLE = 0.05
"""Seconds without a runnable task after which the server has done all that it had to do."""

FRAME = "WebSocket frame → handler"
TO_ONE = "the same, with `socket.emit` → wire"
TO_ALL = "the same, with `io.emit` → wire (one client)"
POST = "polling POST → handler, answered"
GET = "polling GET, held"
OPEN_POLLING = "handshake by polling"
OPEN_WEBSOCKET = "handshake by WebSocket"
UPGRADE = "upgrade"
WALKS = (FRAME, TO_ONE, TO_ALL, POST, GET, OPEN_POLLING, OPEN_WEBSOCKET, UPGRADE)

_OPEN = b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_CLOSE = (
    "POST /socket.io/?EIO=3&transport=polling&sid={sid} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 3\r\n\r\n1:1"
)

Calls = tuple[str, ...]
"""The file of each call of a walk, in order."""

Result = TypeVar("Result")


class Figures(NamedTuple):
    """What is counted of a walk."""

    calls: int
    stays: int
    files: int

    @property
    def returns(self) -> int:
        """Stays in a file that had been left before."""
        return self.stays - self.files


def figures(calls: Calls) -> Figures:
    """Count a walk."""
    stays = [file for file, _ in groupby(calls)]
    return Figures(len(calls), len(stays), len(set(stays)))


class Recorder(trio.abc.Instrument):
    """Notes the file of each call of the package's code.

    As a profiler it sees the calls, as an instrument the iterations of the event loop: an
    iteration in which the package's own instrument was called and nothing else is no part of a
    walk, but comes from the thread of the clients.

    Args:
        end: the application's function at which the walk is over; without one it is over when
            the server is idle again.
    """

    def __init__(self, end: CodeType | None = None) -> None:
        self._end = end
        self._iterations: list[list[str]] = [[]]
        self._files: dict[CodeType, str | None] = {}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code is self._end:
            sys.setprofile(None)
            return
        if code not in self._files:
            self._files[code] = _file_of(code)
        file = self._files[code]
        if file is not None:
            self._iterations[-1].append(file)

    def before_io_wait(self, timeout: float) -> None:
        self._iterations.append([])

    def calls(self) -> Calls:
        """Return the walk so far."""
        return tuple(file for files in self._iterations if len(files) > 1 for file in files)


def _file_of(code: CodeType) -> str | None:
    path = Path(code.co_filename)
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else None


class Walker:
    """Takes the walks.

    Attributes:
        walks: by name: what was called each time that it was taken.
    """

    def __init__(self) -> None:
        self.walks: defaultdict[str, list[Calls]] = defaultdict(list)
        self._ends: dict[str, CodeType] = {}
        self._io = trio_sio.Server(ws_engine="websockets", slow_step=None)
        self._set_handlers()

    def _set_handlers(self) -> None:
        io = self._io

        @io.on("listen")
        async def listen(socket: trio_sio.Socket) -> None:
            pass

        @io.on("to one")
        async def to_one(socket: trio_sio.Socket) -> None:
            await socket.emit("news")

        @io.on("to all")
        async def to_all(socket: trio_sio.Socket) -> None:
            await io.emit("news")

        self._ends[FRAME] = listen.__code__

    async def run(self) -> None:
        """Take all walks, as often as it needs to be sure of them."""
        async with trio.open_nursery() as nursery:
            serve = partial(self._io.serve_tcp, 0, "127.0.0.1")
            listeners = await nursery.start(serve)
            port: int = listeners[0].socket.getsockname()[1]
            for _ in range(WARM_UP):
                await self._take_all(port)
            self.walks.clear()
            for _ in range(TIMES):
                await self._take_all(port)
            nursery.cancel_scope.cancel()

    async def _take_all(self, port: int) -> None:
        await self._by_websocket(port)
        await self._by_polling(port)
        await trio.testing.wait_all_tasks_blocked(IDLE)

    async def _by_websocket(self, port: int) -> None:
        client = await self._walk(OPEN_WEBSOCKET, _join, port)
        await self._walk(FRAME, _send, client, "listen")
        await self._walk(TO_ONE, _ask, client, "to one")
        await self._walk(TO_ALL, _ask, client, "to all")
        client.socket.close()
        await trio.testing.wait_all_tasks_blocked(IDLE)

    async def _by_polling(self, port: int) -> None:
        connection = await trio.to_thread.run_sync(Connection, port)
        await trio.testing.wait_all_tasks_blocked(IDLE)
        opened = await self._walk(OPEN_POLLING, connection.request, _OPEN)
        await trio.to_thread.run_sync(connection.request, _close(opened))
        poller = await trio.to_thread.run_sync(Poller, port, 3)
        await trio.to_thread.run_sync(poller.posts.request, poller.post('42["listen"]'))
        await trio.testing.wait_all_tasks_blocked(IDLE)
        await self._walk(GET, poller.gets.socket.sendall, poller.poll)
        post = poller.post('42["listen"]')
        await self._walk(POST, poller.posts.request, post)
        client = await self._walk(UPGRADE, _upgrade, port, poller)
        for socket in (connection.socket, client.socket):
            socket.close()
        poller.close()

    async def _walk(self, name: str, act: Callable[..., Result], *args: object) -> Result:
        recorder = Recorder(self._ends.get(name))
        trio.lowlevel.add_instrument(recorder)
        sys.setprofile(recorder)
        try:
            result = await trio.to_thread.run_sync(act, *args)
            await trio.testing.wait_all_tasks_blocked(IDLE)
        finally:
            sys.setprofile(None)
            trio.lowlevel.remove_instrument(recorder)
        self.walks[name].append(recorder.calls())
        return result


# What a client does in a walk, in its thread.


def _join(port: int) -> Client:
    client = Client(port, 3)
    client.join()
    return client


def _close(opened: bytes) -> bytes:
    """Return the request that closes the session whose handshake was answered so."""
    sid = opened.partition(b'"sid":"')[2].partition(b'"')[0].decode()
    return _CLOSE.format(sid=sid).encode()


def _send(client: Client, event: str) -> None:
    client.socket.sendall(masked(f'42["{event}"]'))


def _ask(client: Client, event: str) -> None:
    _send(client, event)
    assert client.read_message() == '42["news"]'


def _upgrade(port: int, poller: Poller) -> Client:
    client = Client(port, 3, poller.sid)
    client.read_head()
    client.socket.sendall(masked("2probe"))
    assert client.read_message() == "3probe"
    while poller.gets.response() is None:  # the NOOP, which ends the GET that is held
        pass
    client.socket.sendall(masked("5"))
    return client


# What is printed.


def table(walks: Mapping[str, Sequence[Calls]]) -> str:
    """Return all walks in Markdown."""
    lines = [
        "| walk | calls | stays | files | returns | visited most |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for name in WALKS:
        taken = walks[name]
        calls = shortest(taken)
        counts = figures(calls)
        numbers = " | ".join(map(str, [*counts, counts.returns]))
        lines.append(f"| {name} | {numbers} | {_visited_most(calls)} |")
    return "\n".join(lines)


def shortest(taken: Sequence[Calls]) -> Calls:
    """Return the walk with the fewest calls, and of these with the fewest stays."""
    return min(taken, key=figures)


def _visited_most(calls: Calls) -> str:
    stays = Counter(file for file, _ in groupby(calls))
    several = [(file, count) for file, count in stays.most_common(4) if count > 1]
    return ", ".join(f"`{file.removesuffix('.py')}` ({count})" for file, count in several)


def _stays(calls: Calls) -> Iterator[str]:
    for file, group in groupby(calls):
        yield f"{sum(1 for _ in group):4}  {file}"


def main(argv: Sequence[str]) -> int:
    """Take the walks and print them."""
    parser = argparse.ArgumentParser(
        prog="python3 -m benchmarks.walks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--path",
        action="append",
        default=[],
        metavar="TEXT",
        help="print the files of the walks with it in the name, and how many calls in each stay",
    )
    words: Sequence[str] = parser.parse_args(argv).path
    walker = Walker()
    trio.run(walker.run)
    for name, taken in walker.walks.items():
        if any(word in name for word in words):
            print(f"{name}:", *_stays(shortest(taken)), "", sep="\n")
    print(table(walker.walks))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
