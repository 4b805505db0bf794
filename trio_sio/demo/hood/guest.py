"""Clients of Socket.IO 2.x in this process, by WebSocket: what the exhibits are shown with.

They are clients of bytes, as others are. Most are connected by a pair of sockets, so that they
meet the server of this process, where several share a port. Its buffers are small: what a client
does not read waits in the server, where one can see it.
"""

import itertools
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio

import trio_sio
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket, open_websocket

BUFFER = 16_384
"""Bytes of each socket's buffers."""

CLOSE_TIME = 2.0
"""Seconds that the server gets to notice that guests have gone."""

_TARGET = "/socket.io/?EIO=3&transport=websocket"
_PACKET = re.compile(r"4([0-4])(?:(/[^,]*),?)?(\d*)(.*)", re.DOTALL)
_ENDS = (WebSocketClosed, trio.BrokenResourceError, trio.ClosedResourceError)


class Left(Exception):
    """The connection has ended."""


class Guest:
    """One client in one namespace.

    Args:
        websocket: its connection.
        namespace: where it is.
        hear: is told of each event: its name and its arguments.

    Attributes:
        id: the id of the server's socket, once it has joined.
        heard: how many events it has received.
        ended: is set when the connection has ended.
    """

    def __init__(
        self,
        websocket: WireWebSocket,
        namespace: str = "/",
        hear: Callable[[list[Any]], object] | None = None,
    ) -> None:
        self.id = ""
        self.heard = 0
        self.ended = trio.Event()
        self._websocket = websocket
        self._namespace = namespace
        self._hear = hear
        self._numbers = itertools.count()
        self._answers: dict[int, trio.MemorySendChannel[list[Any]]] = {}

    async def join(self, query: str = "") -> None:
        """Join the namespace.

        Args:
            query: what its middleware is to see.

        Raises:
            Left: it was not let in.
        """
        if self._namespace != "/":
            await self._send(f"40{self._namespace}?{query},")
        while True:
            packet = await self._receive()
            if packet.startswith("0"):
                sid = json.loads(packet[1:])["sid"]
                self.id = sid if self._namespace == "/" else f"{self._namespace}#{sid}"
            kind, namespace, _, _ = _split(packet)
            if namespace == self._namespace and kind == "4":
                raise Left
            if namespace == self._namespace and kind == "0":
                return

    async def emit(self, event: str, *args: object, times: int = 1) -> None:
        """Send an event, several times if need be.

        Raises:
            Left: the connection has ended.
        """
        for _ in range(times):
            await self._send(f"42{self._prefix}{json.dumps([event, *args])}")

    async def call(self, event: str, *args: object) -> list[Any]:
        """Send an event, and return the arguments of its acknowledgement.

        Raises:
            Left: the connection ended before that came.
        """
        if self.ended.is_set():
            raise Left
        number = next(self._numbers)
        put, get = trio.open_memory_channel[list[Any]](1)
        self._answers[number] = put
        try:
            await self._send(f"42{self._prefix}{number}{json.dumps([event, *args])}")
            return await get.receive()
        except trio.EndOfChannel:
            raise Left from None
        finally:
            self._answers.pop(number, None)

    async def read(self) -> None:
        """Sort what comes, until the connection ends; a task of a guest that reads."""
        try:
            while True:
                self._take(await self._receive())
        except Left:
            pass
        finally:
            self.ended.set()
            for answer in self._answers.values():
                answer.close()

    def _take(self, packet: str) -> None:
        kind, namespace, number, data = _split(packet)
        if namespace != self._namespace:
            return
        if kind == "2":
            self.heard += 1
            if self._hear is not None:
                self._hear(json.loads(data))
        elif kind == "3" and int(number) in self._answers:
            self._answers[int(number)].send_nowait(json.loads(data))

    @property
    def _prefix(self) -> str:
        return "" if self._namespace == "/" else f"{self._namespace},"

    async def _send(self, packet: str) -> None:
        try:
            await self._websocket.send(packet)
        except _ENDS:
            raise Left from None

    async def _receive(self) -> str:
        try:
            packet = await self._websocket.receive()
        except _ENDS:
            raise Left from None
        return packet if isinstance(packet, str) else ""  # an image, which no guest looks at


def _split(packet: str) -> tuple[str, str, str, str]:
    """Return type, namespace, number and data of a packet; empty ones if it is not Socket.IO's."""
    match = _PACKET.fullmatch(packet)
    if match is None:
        return "", "", "", ""
    return match[1], (match[2] or "/").partition("?")[0], match[3], match[4]


class Guests:
    """The guests of one exhibit; made by `open_guests`.

    Args:
        io: the server of this process.
        namespace: where they go.
        query: what lets them in there.
        nursery: for their tasks.
    """

    def __init__(
        self, io: trio_sio.Server, namespace: str, query: str, nursery: trio.Nursery
    ) -> None:
        self._io = io
        self._namespace = namespace
        self._query = query
        self._nursery = nursery
        self._sockets: list[trio.socket.SocketType] = []

    async def invite(self, name: str, *, reads: bool = True) -> Guest:
        """Have a client join.

        Args:
            name: what stands in the view in place of its address.
            reads: whether it reads what it is sent.
        """
        ours, theirs = _socket_pair()
        self._sockets.append(ours.socket)
        self._nursery.start_soon(partial(self._io.serve_stream, theirs, address=name))
        websocket = await open_websocket(WireConnection(ours, "localhost"), _TARGET)
        guest = Guest(websocket, self._namespace)
        await guest.join(self._query)
        if reads:
            self._nursery.start_soon(guest.read)
        return guest

    def close(self) -> None:
        """Have all of them leave, without a word."""
        for one in self._sockets:
            one.close()


@asynccontextmanager
async def open_guests(io: trio_sio.Server, namespace: str, query: str) -> AsyncIterator[Guests]:
    """Have guests in a namespace of a server; they leave at the end, whatever happens.

    Args:
        io: the server, which is open.
        namespace: where they go.
        query: what lets them in there.
    """
    async with trio.open_nursery() as nursery:
        guests = Guests(io, namespace, query, nursery)
        try:
            yield guests
        finally:
            nursery.cancel_scope.deadline = trio.current_time() + CLOSE_TIME
            guests.close()


@asynccontextmanager
async def dial(
    host: str, port: int, hear: Callable[[list[Any]], object]
) -> AsyncIterator[Guest | None]:
    """Connect a guest by TCP to whichever server listens there, in "/"; `None` if that fails.

    Args:
        host: the address.
        port: the port.
        hear: is told of each event.
    """
    try:
        stream = await trio.open_tcp_stream(host, port)
    except OSError:
        yield None
        return
    try:
        yield await _greet(WireConnection(stream, f"{host}:{port}"), hear)
    finally:
        await trio.aclose_forcefully(stream)


async def _greet(connection: WireConnection, hear: Callable[[list[Any]], object]) -> Guest | None:
    try:
        guest = Guest(await open_websocket(connection, _TARGET), "/", hear)
        await guest.join()
    except (AssertionError, Left, *_ENDS):  # a server that drains lets nobody in
        return None
    return guest


def _socket_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    pair = socket.socketpair()
    for one in pair:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    ours, theirs = (trio.SocketStream(trio.socket.from_stdlib_socket(one)) for one in pair)
    return ours, theirs
