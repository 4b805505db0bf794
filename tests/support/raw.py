"""Bytes over real TCP connections, for what no client library would say or tell.

    async with served(io) as url, raw(url) as wire:
        response = await wire.get("/socket.io/?EIO=3&transport=polling")
        assert response.body.startswith(b"96:0{")
        socket = await wire.websocket()
        assert await socket.receive_frame() == (1, b'0{"sid":…}')

Payloads are written out in full: `b"2:40"` is the packet "40" in a polling payload.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

import trio_sio
from tests.support.raw_websocket import RawWebSocket
from trio_sio.testing.wire_http import WireConnection, WireResponse

POLLING = "/socket.io/?EIO=3&transport=polling"
WEBSOCKET = "/socket.io/?EIO=3&transport=websocket"


class Raw:
    """Opens connections to one server.

    Args:
        port: where it listens.
        eio: the revision of Engine.IO that its clients speak, 3 or 4.

    Attributes:
        port, eio: the same.
    """

    def __init__(self, port: int, eio: int = 3) -> None:
        self.port = port
        self.eio = eio
        self._streams: list[trio.SocketStream] = []

    async def connect(self) -> trio.SocketStream:
        """Open a connection; it is closed at the end of `raw`."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        self._streams.append(stream)
        return stream

    async def http(self) -> WireConnection:
        """Open a connection for HTTP, on which several requests may follow each other."""
        return WireConnection(await self.connect(), f"127.0.0.1:{self.port}")

    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> WireResponse:
        """Send a request on a connection of its own."""
        connection = await self.http()
        response = await connection.request(method, target, headers, body)
        await connection.aclose()
        return response

    async def get(self, target: str, headers: Mapping[str, str] | None = None) -> WireResponse:
        """Send a GET on a connection of its own."""
        return await self.request("GET", target, headers)

    async def post(
        self, target: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> WireResponse:
        """Send a POST on a connection of its own."""
        return await self.request("POST", target, headers, body)

    async def handshake(
        self, query: str = "", headers: Mapping[str, str] | None = None
    ) -> tuple[str, WireResponse]:
        """Begin a session by polling; return the target of its polls, and the answer."""
        target = self.in_its_revision(f"{POLLING}{query}")
        response = await self.get(target, headers)
        assert response.status == 200, response
        sid = response.body.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        return f"{target}&sid={sid}", response

    async def polling(self, query: str = "") -> "RawPolling":
        """Begin a session that polls and has joined "/"."""
        target, response = await self.handshake(query)
        assert response.body.endswith(b"2:40"), response
        return RawPolling(self, target)

    async def joined(self, *namespaces: str) -> RawWebSocket:
        """Return a WebSocket that has joined "/" and those."""
        websocket = await self.websocket()
        assert str(await websocket.receive())[:2] == "0{"
        if self.eio == 4:
            await websocket.send("40")
        await self._receive(websocket, "40")
        for name in namespaces:
            await websocket.send(f"40{name},")
            await self._receive(websocket, f"40{name},")
        return websocket

    async def _receive(self, websocket: RawWebSocket, beginning: str) -> None:
        """Receive a packet that begins so; in Engine.IO 4 the server may ping before it."""
        while (packet := str(await websocket.receive())) == "2":
            assert self.eio == 4
        assert packet.startswith(beginning), packet

    async def websocket(self, target: str = WEBSOCKET, **fields: str | None) -> RawWebSocket:
        """Ask for a WebSocket and read the head of the answer; `status` tells how it went.

        Args:
            target: the request-target.
            **fields: header fields, `_` for `-`; `None` leaves one out.
        """
        websocket = RawWebSocket(await self.connect())
        await websocket.upgrade(self.in_its_revision(target), "GET", **fields)
        return websocket

    def in_its_revision(self, text: str) -> str:
        """Return a target, or a whole request, of the revision that is spoken."""
        return text.replace("EIO=3", f"EIO={self.eio}")

    async def aclose(self) -> None:
        """Close all connections, whatever is under way."""
        for stream in self._streams:
            await trio.aclose_forcefully(stream)


@asynccontextmanager
async def raw(url: str, eio: int = 3) -> AsyncIterator[Raw]:
    """Raw connections to the server at `url`; a test that waits for a minute fails."""
    wire = Raw(int(url.rpartition(":")[2]), eio)
    with trio.fail_after(60):
        try:
            yield wire
        finally:
            with trio.CancelScope(shield=True):
                await wire.aclose()


class RawPolling:
    """A session that polls.

    Args:
        wire: the connections.
        target: of its requests, with the session id.
    """

    def __init__(self, wire: Raw, target: str) -> None:
        self._wire = wire
        self.target = target

    async def get(self) -> tuple[int, bytes]:
        """Poll; return status and body."""
        response = await self._wire.get(self.target)
        return response.status, response.body

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """Post a payload; return status and body."""
        response = await self._wire.post(self.target, body)
        return response.status, response.body

    async def hold(self, nursery: trio.Nursery, session: trio_sio.Session) -> "HeldPoll":
        """Poll, and return when the server holds the GET."""
        held = HeldPoll()
        nursery.start_soon(held.run, self)
        while not session.writable:  # noqa: ASYNC110 - nobody tells of a poll
            await trio.sleep(0.005)
        return held


class HeldPoll:
    """A GET that waits for its answer."""

    def __init__(self) -> None:
        self._done = trio.Event()
        self._answer = (0, b"")

    async def run(self, polling: RawPolling) -> None:
        """Wait for the answer; a task."""
        self._answer = await polling.get()
        self._done.set()

    async def answer(self) -> tuple[int, bytes]:
        """Return status and body."""
        await self._done.wait()
        return self._answer

    @property
    def is_answered(self) -> bool:
        """Whether the answer is there."""
        return self._done.is_set()
