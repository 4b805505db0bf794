"""A server whose application can be stopped anywhere, and clients that go away from anywhere."""

import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio
import trio.testing

import trio_sio
from tests.support.remains import Remains
from trio_sio.options import WSEngine
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import WireWebSocket, open_websocket

POLLING = "/socket.io/?EIO=3&transport=polling"
WEBSOCKET = "/socket.io/?EIO=3&transport=websocket"
GRACE = 5.0
POLLING_4, WEBSOCKET_4 = (one.replace("EIO=3", "EIO=4") for one in (POLLING, WEBSOCKET))
PING, PING_4 = 30.0, 45.0
"""Seconds after which a client that says nothing is given up: `ping_interval` + `ping_timeout`."""
SMALL = 4096
"""Bytes of a kernel buffer, so that a client that does not read is felt early."""
ROUNDS = 2000

Open = Callable[[], Awaitable[trio.abc.Stream]]


class Stage:
    """A server with a handler of each kind that does not return before `gate` opens.

    Attributes:
        io: the server.
        halted: how many calls of such handlers are under way.
        done: how many of them have returned by themselves.
        gate: opened by the test when it has seen enough.
        emitted: how many events `fill` has emitted.
        answers: of clients, to questions.
        reasons: why sockets of "/" have left.
    """

    def __init__(self, ws_engine: WSEngine = "auto", **options: Any) -> None:  # noqa: ANN401
        self.io = trio_sio.Server(
            ws_engine=ws_engine,
            raise_errors=True,
            grace=options.pop("grace", GRACE),
            max_inbox=2,
            max_outbox=8,
            on_overflow="drop_newest",
            **options,
        )
        self.halted = self.done = self.emitted = 0
        self.answers: list[object] = []
        self.gate = trio.Event()
        self.reasons: list[str] = []
        io = self.io
        io.on("work", self.halt)
        io.on("ask", self.ask)
        io.on("flood", self.flood)
        io.on("disconnect", lambda socket, reason: self.reasons.append(str(reason)))
        io.of("/asks").use(self.halt)
        io.of("/greets").on("connection", self.halt)
        io.of("/farewells").on("disconnect", self.halt)
        io.of("/checks").on("connection", self._check_packets)

    async def halt(self, *_: object) -> str:
        """Be a handler of any kind."""
        self.halted += 1
        try:
            await self.gate.wait()
        finally:
            self.halted -= 1
        self.done += 1
        return "done"

    async def check_packet(self, _: trio_sio.Packet) -> None:
        """Be packet middleware."""
        await self.halt()

    def _check_packets(self, joined: trio_sio.Socket) -> None:
        joined.use(self.check_packet)

    async def ask(self, asked: trio_sio.Socket) -> object:
        """Wait for the client's answer to a question."""
        self.answers.append(await asked.call("question"))
        return "asked"

    async def flood(self, flooded: trio_sio.Socket) -> None:
        """Emit without end, which waits for room."""
        while True:
            await flooded.emit("drop", "x" * SMALL)

    async def fill(self, sid: str) -> None:
        """Emit to a client for as long as something fits."""
        one = self.io.sockets.connected[sid]
        session = self.io.engine.sessions[sid]
        while session.statistics().queued < self.io.options.max_outbox:
            one.emit_nowait("drop", "x" * SMALL)
            self.emitted += 1
            await trio.testing.wait_all_tasks_blocked()

    def count(self, condition: Callable[[trio_sio.Session], bool]) -> int:
        """How many sessions meet a condition."""
        return sum(map(condition, self.io.engine.sessions.values()))

    def remains(self) -> Remains:
        """Return what there is of the server; calls that wait for a time are to be as many, too."""
        return Remains.of(self.io, halted=self.halted, waiting=len(self.io.engine.runtime.timers))


class Guest:
    """One client and its connections.

    Args:
        open_stream: opens a connection to the server.

    Attributes:
        connections: those that it has opened.
        sid: of its session.
        websocket: the one that it has opened.
    """

    def __init__(self, open_stream: Open) -> None:
        self.open_stream = open_stream
        self.websocket: WireWebSocket | None = None
        self.connections: list[WireConnection] = []
        self.sid = ""

    async def connect(self) -> WireConnection:
        """Open a connection."""
        connection = WireConnection(await self.open_stream())
        self.connections.append(connection)
        return connection

    @property
    def target(self) -> str:
        """Of polls and POSTs."""
        return f"{POLLING}&sid={self.sid}"

    async def poll(self, query: str = "") -> WireConnection:
        """Begin a session by polling; return the connection for GETs."""
        connection = await self.connect()
        response = await connection.request("GET", POLLING + query)
        assert response.status == 200, response
        self._learn(response.text)
        return connection

    async def open_websocket(self, query: str = "") -> WireWebSocket:
        """Begin a session by WebSocket, or for the one that polls; read the OPEN packet."""
        websocket = await open_websocket(await self.connect(), WEBSOCKET + query)
        if not query:
            self._learn(str(await websocket.receive()))
        self.websocket = websocket
        return websocket

    async def join(self, *namespaces: str) -> WireWebSocket:
        """Begin a session by WebSocket, which joins "/" and others."""
        websocket = await self.open_websocket()
        assert await websocket.receive() == "40"
        for name in namespaces:
            await websocket.send(f"40{name},")
            assert await websocket.receive() == f"40{name},"
        return websocket

    async def poll_4(self) -> WireConnection:
        """Begin a session of Engine.IO 4 by polling, which joins "/"; return the connection."""
        connection = await self.connect()
        self._learn((await connection.request("GET", POLLING_4)).text)
        response = await connection.request("POST", self.target_4, body=b"40")
        assert response.body == b"ok"
        response = await connection.request("GET", self.target_4)
        assert response.text.startswith("40{"), response
        return connection

    @property
    def target_4(self) -> str:
        """Of polls and POSTs of Engine.IO 4."""
        return f"{POLLING_4}&sid={self.sid}"

    async def open_websocket_4(self, query: str = "") -> WireWebSocket:
        """As `open_websocket`, in Engine.IO 4."""
        websocket = await open_websocket(await self.connect(), WEBSOCKET_4 + query)
        if not query:
            self._learn(str(await websocket.receive()))
        self.websocket = websocket
        return websocket

    async def join_5(self) -> WireWebSocket:
        """Begin a session of Engine.IO 4 by WebSocket, which joins "/"."""
        websocket = await self.open_websocket_4()
        await websocket.send("40")
        assert str(await websocket.receive()).startswith("40{")
        return websocket

    def _learn(self, text: str) -> None:
        self.sid = text.partition('"sid":"')[2].partition('"')[0]
        assert self.sid, text

    async def cut(self) -> None:
        """Be gone without a word: by TCP with a reset."""
        for connection in self.connections:
            stream = connection.stream
            if isinstance(stream, trio.SocketStream):
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await trio.aclose_forcefully(stream)


class StreamListener(trio.abc.Listener[trio.abc.Stream]):
    """Listens for connections in memory.

    Args:
        pair: makes both ends of one.
    """

    def __init__(self, pair: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]]) -> None:
        self._pair = pair
        self._put, self._take = trio.open_memory_channel[trio.abc.Stream](0)

    async def open(self) -> trio.abc.Stream:
        """Open a connection; return the client's end."""
        ours, theirs = self._pair()
        await self._put.send(theirs)
        return ours

    async def accept(self) -> trio.abc.Stream:
        """Return the server's end of the next one."""
        return await self._take.receive()

    async def aclose(self) -> None:
        """Take no more."""
        await self._take.aclose()


Listener = trio.abc.Listener[Any]


async def by_tcp() -> tuple[Listener, Open]:
    """Connections of a real network, with small buffers at both ends."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    return listener, partial(open_tcp, listener.socket.getsockname()[1])


async def open_tcp(port: int) -> trio.SocketStream:
    one = trio.socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    await one.connect(("127.0.0.1", port))
    return trio.SocketStream(one)


async def in_lockstep() -> tuple[Listener, Open]:
    """Connections on which no send returns before the peer has read all of it."""
    await trio.lowlevel.checkpoint()
    listener = StreamListener(trio.testing.lockstep_stream_pair)
    return listener, listener.open


async def until(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    """Let the server do what it has to do until a condition holds.

    A clock that stands still cannot limit this, so rounds do.
    """
    for _ in range(ROUNDS):
        await trio.testing.wait_all_tasks_blocked()
        if condition():
            return
    raise AssertionError(f"it never came about: {what()}")


@asynccontextmanager
async def serving(
    stage: Stage, connections: Callable[[], Awaitable[tuple[Listener, Open]]] = by_tcp
) -> AsyncIterator[Open]:
    """Serve; yields what opens a connection."""
    listener, open_stream = await connections()
    async with stage.io, trio.open_nursery() as nursery:
        await nursery.start(stage.io.serve_listeners, [listener])
        yield open_stream
        nursery.cancel_scope.cancel()
