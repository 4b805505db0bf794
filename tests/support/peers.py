"""Real clients in processes of their own, and a server on a real port for them.

A peer is a process that takes orders and reports what its clients hear, a line of JSON each:
`tests/javascript/client.js` and `python_socketio_client.py`. Reports wait in a queue for each
name, so `hear("news")` gives one "news" after the other in the order in which they arrived.
"""

import base64
import itertools
import json
import math
import ssl
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import trio

import trio_sio
from tools.setup_machine import PYTHON_SOCKETIO_5, program

JAVASCRIPT = Path(__file__).parents[1] / "javascript"
PYTHON_CLIENT = Path(__file__).with_name("python_socketio_client.py")

DEADLINE = 60.0
"""Seconds until a test that waits in vain fails; far more than anything takes."""

QUICKLY_BACK = {"reconnectionDelay": 50, "reconnectionDelayMax": 100}
"""Options of the JavaScript client, for tests that wait until it has reconnected."""


@dataclass(frozen=True)
class Kind:
    """Which client, and how it is told to travel."""

    name: str
    command: tuple[str, ...]
    transports: tuple[str, ...] | None = None  # the client's own default: polling, then upgrade

    def __str__(self) -> str:
        return f"{self.name}-{'only-'.join(self.transports or ('upgrade',))}"

    @property
    def options(self) -> dict[str, Any]:
        """What `Peer.connect` needs for it."""
        return {} if self.transports is None else {"transports": list(self.transports)}


PACKAGE = ("node", str(JAVASCRIPT / "client.js"), "package")
BUNDLE = ("node", str(JAVASCRIPT / "client.js"), "bundle")
ENGINE = ("node", str(JAVASCRIPT / "client.js"), "engine")
PYTHON = (sys.executable, str(PYTHON_CLIENT))
PYTHON_5 = (str(program(PYTHON_SOCKETIO_5, "python")), str(PYTHON_CLIENT))

MODERN = {
    release: ("node", str(JAVASCRIPT / "client.js"), release) for release in ("3.1", "4.0", "4.8")
}
"""Of socket.io-client, which speak Engine.IO 4."""

UPGRADING = Kind("package", PACKAGE)
WEBSOCKET = Kind("package", PACKAGE, ("websocket",))
POLLING = Kind("package", PACKAGE, ("polling",))


class Heard(NamedTuple):
    """One report: the arguments, and the transport on which they came."""

    args: list[Any]
    transport: str | None


class Client:
    """One client of a peer.

    Attributes:
        listener: is told of each report, in their order, in place of the queues.
    """

    def __init__(self, peer: "Peer", number: int) -> None:
        self._peer = peer
        self._number = number
        self._queues: defaultdict[str, _Queue] = defaultdict(_Queue)
        self._calls = itertools.count()
        self.listener: Callable[[str, Heard], None] | None = None

    async def order(self, verb: str, *args: object) -> None:
        """Tell the client to do something."""
        await self._peer.write([verb, self._number, *args])

    async def emit(self, event: str, *args: object) -> None:
        await self.order("emit", event, *args)

    async def call(self, event: str, *args: object) -> list[Any]:
        """Emit, and return the arguments of the acknowledgement."""
        number = next(self._calls)
        await self.order("call", number, event, *args)
        return await self.hear(f"answer {number}")

    async def close(self) -> None:
        await self.order("close")

    async def hear(self, event: str) -> list[Any]:
        """Return the arguments of the next event of this name."""
        return (await self.hear_with_transport(event)).args

    async def hear_with_transport(self, event: str) -> Heard:
        try:
            with trio.fail_after(DEADLINE):
                return await self._queues[event].get.receive()
        except trio.TooSlowError:
            others = {name: queue.count for name, queue in self._queues.items() if queue.count}
            raise AssertionError(f"{event!r} was not heard; others were: {others}") from None
        except trio.EndOfChannel:
            raise AssertionError(f"the peer ended before {event!r} was heard") from None

    def unheard(self, event: str) -> int:
        """How many events of this name have arrived and not been asked for."""
        return self._queues[event].count

    @property
    def number(self) -> int:
        """What the peer calls it."""
        return self._number

    def sibling(self) -> "Client":
        """Another client of the same peer."""
        return self._peer.add_client()

    def report(self, event: str, heard: Heard) -> None:
        if self.listener is not None:
            self.listener(event, heard)
            return
        self._queues[event].put.send_nowait(heard)

    def end(self) -> None:
        for queue in self._queues.values():
            queue.put.close()


class _Queue:
    def __init__(self) -> None:
        self.put, self.get = trio.open_memory_channel[Heard](math.inf)

    @property
    def count(self) -> int:
        return self.get.statistics().current_buffer_used


class Peer:
    """A process with clients."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self._clients: list[Client] = []
        self._writing = trio.Lock()

    async def connect(self, url: str, **options: Any) -> Client:  # noqa: ANN401
        """Open a client and wait until it is connected; as for `open`."""
        client = await self.open(url, **options)
        await client.hear("connect")
        return client

    async def open(
        self,
        url: str,
        *,
        hear: Sequence[str] = (),
        answers: Mapping[str, list[object] | None] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Client:
        """Open a client.

        Args:
            url: where to, the namespace among it.
            hear: which events to report.
            answers: events to report and to acknowledge, with these arguments; `None` for those
                that the event brings.
            **options: the client's own options.
        """
        client = self.add_client()
        heard = [*hear, *(answers or {})]
        await client.order("open", url, {"hear": heard, "answers": answers or {}, **options})
        return client

    def add_client(self) -> Client:
        client = Client(self, len(self._clients))
        self._clients.append(client)
        return client

    async def write(self, order: object) -> None:
        assert self.process.stdin is not None
        async with self._writing:
            await self.process.stdin.send_all(json.dumps(pack(order)).encode() + b"\n")

    async def read(self) -> None:
        """Sort the reports; a task."""
        assert self.process.stdout is not None
        buffer = bytearray()
        async for data in self.process.stdout:
            *lines, rest = data.split(b"\n")
            for line in lines:
                self._sort(json.loads(buffer + line))
                buffer.clear()
            buffer += rest
        for client in self._clients:
            client.end()

    def _sort(self, report: dict[str, Any]) -> None:
        heard = Heard(unpack(report["args"]), report["transport"])
        self._clients[report["client"]].report(report["event"], heard)


@asynccontextmanager
async def peer(command: Sequence[str] = PACKAGE) -> AsyncIterator[Peer]:
    """A process that is killed at the end; what it complains about goes to our stderr."""
    pipe = subprocess.PIPE
    run_process = partial(
        trio.run_process, command, stdin=pipe, stdout=pipe, check=False, deliver_cancel=_kill
    )
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(run_process)
        running = Peer(process)
        nursery.start_soon(running.read)
        yield running
        process.kill()


async def _kill(process: trio.Process) -> None:
    process.kill()  # it may be stopped, and would not hear of anything gentler


@asynccontextmanager
async def served(
    io: trio_sio.Server, port: int = 0, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve, and give the URL; at the end the listener goes first, then the clients."""
    async with io, trio.open_nursery() as nursery:
        serve = partial(io.serve_tcp, port, "127.0.0.1", ssl_context=ssl_context)
        listeners: list[trio.SocketListener] = await nursery.start(serve)
        scheme = "http" if ssl_context is None else "https"
        yield f"{scheme}://127.0.0.1:{_port(listeners[0])}"
        nursery.cancel_scope.cancel()


def _port(listener: trio.SocketListener | trio.SSLListener[trio.SocketStream]) -> int:
    below = listener if isinstance(listener, trio.SocketListener) else listener.transport_listener
    assert isinstance(below, trio.SocketListener)
    port: int = below.socket.getsockname()[1]
    return port


def pack(value: object) -> object:
    """Bytes and dates as JSON can say them."""
    if isinstance(value, datetime):
        return {"$date": round(value.timestamp() * 1000)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [pack(inner) for inner in value]
    if isinstance(value, dict):
        return {key: pack(inner) for key, inner in value.items()}
    return value


def unpack(value: Any) -> Any:  # noqa: ANN401
    """The reverse of `pack`."""
    if isinstance(value, list):
        return [unpack(inner) for inner in value]
    if isinstance(value, dict):
        if "$date" in value:
            return datetime.fromtimestamp(value["$date"] / 1000, UTC)
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {key: unpack(inner) for key, inner in value.items()}
    return value
