"""An ASGI server in memory, for one scope: what it brings is put, what it is sent is kept."""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from trio_sio.asgi.types import ASGIApplication, Message

Fields = list[tuple[bytes, bytes]]


def http_scope(path: str, query: str = "", method: str = "GET", **more: object) -> dict[str, Any]:
    """A scope of HTTP; further keys replace those that are here."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"here")],
        "client": ("1.2.3.4", 5),
        "server": ("here", 80),
        "extensions": {},
    }
    return scope | more


def websocket_scope(query: str, **more: object) -> dict[str, Any]:
    """A scope of a WebSocket, of a server that can refuse handshakes."""
    own = {"type": "websocket", "scheme": "ws", "extensions": {"websocket.http.response": {}}}
    return {**http_scope("/socket.io/", query), **own, "subprotocols": [], **more}


class AsgiPeer:
    """The other end of one scope.

    Attributes:
        sent: what the application has sent.
        stuck: whether sends do not return, as to a client that does not read; they cannot be
            cancelled then.
        is_over: whether the application has returned.
    """

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.is_over = False
        self.stuck: trio.Event | None = None
        self._put, self._get = trio.open_memory_channel[Message](math.inf)
        self._news = trio.Event()

    def put(self, kind: str, **more: object) -> None:
        """Bring a message."""
        self._put.send_nowait({"type": kind, **more})

    async def receive(self) -> Message:
        return await self._get.receive()

    async def send(self, message: Message) -> None:
        await trio.lowlevel.checkpoint()
        if self.stuck is not None:
            with trio.CancelScope(shield=True):
                await self.stuck.wait()
        self.sent.append(message)
        self.tell()

    def tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Return when a condition holds."""
        while not condition():
            await self._news.wait()

    async def sent_last(self, kind: str) -> Message:
        """Return the last message of a type once there is one."""
        await self.wait(lambda: any(one["type"] == kind for one in self.sent))
        return [one for one in self.sent if one["type"] == kind][-1]

    @property
    def body(self) -> bytes:
        """All of the response's body."""
        return b"".join(one["body"] for one in self.sent if one["type"].endswith("response.body"))

    @property
    def status(self) -> int:
        """The response's status."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def texts(self) -> list[str]:
        """The messages of a WebSocket that are text."""
        return [one["text"] for one in self.sent if "text" in one]


@asynccontextmanager
async def asked(app: ASGIApplication, scope: dict[str, Any]) -> AsyncIterator[AsgiPeer]:
    """Serve one scope while the context lasts."""
    peer = AsgiPeer()

    async def run() -> None:
        try:
            await app(scope, peer.receive, peer.send)
        finally:
            peer.is_over = True
            peer.tell()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        try:
            yield peer
        finally:
            if peer.stuck is not None:
                peer.stuck.set()
        nursery.cancel_scope.cancel()


async def answered(app: ASGIApplication, scope: dict[str, Any], body: bytes = b"") -> AsgiPeer:
    """Serve one request of HTTP to its end."""
    async with asked(app, scope) as peer:
        peer.put("http.request", body=body)
        await peer.wait(lambda: peer.is_over)
    return peer
