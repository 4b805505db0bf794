"""A network between client and server that can stop: everything stays open, nothing arrives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import trio


class Network:
    """Forwards connections to one port, until it is told to `stall` or `cut`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._flows = trio.Event()
        self._flows.set()
        self._connections: set[trio.CancelScope] = set()

    def stall(self) -> None:
        """Keep connections open, but carry nothing; packets are not lost."""
        self._flows = trio.Event()

    def flow(self) -> None:
        """Carry again."""
        self._flows.set()

    def cut(self) -> None:
        """Close all connections; new ones work."""
        for connection in self._connections:
            connection.cancel()

    async def forward(self, near: trio.SocketStream) -> None:
        """One connection; a task."""
        async with near, await trio.open_tcp_stream("127.0.0.1", self._port) as far:
            async with trio.open_nursery() as nursery:
                self._connections.add(nursery.cancel_scope)
                nursery.start_soon(self._carry, near, far)
                nursery.start_soon(self._carry, far, near)
            self._connections.discard(nursery.cancel_scope)

    async def _carry(self, source: trio.SocketStream, sink: trio.SocketStream) -> None:
        try:
            async for data in source:
                await self._flows.wait()
                await sink.send_all(data)
            await sink.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await sink.aclose()


@asynccontextmanager
async def network(url: str) -> AsyncIterator[tuple[Network, str]]:
    """A network in front of a server, and the URL there."""
    host, _, port = url.rpartition(":")
    between = Network(int(port))
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, between.forward, 0, host="127.0.0.1")
        listeners: list[trio.SocketListener] = await nursery.start(serve)
        yield between, f"{host}:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()
