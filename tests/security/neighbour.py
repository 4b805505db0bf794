"""A server, a client that behaves, and as many that do not as a test wants.

    async with beside(io) as wire:
        ...  # hurt the server, by bytes
    # the neighbour has been served throughout, in order

Nothing may come out of the server but what it says to its clients, so it is made with
`raise_errors`.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import trio
import trio.testing

import trio_sio
from tests.security.clients import joined
from trio_sio.testing.wire import StreamPair, WireClient, open_wire
from trio_sio.testing.wire_http import WireResponse
from trio_sio.testing.wire_websocket import WireWebSocket

PATIENCE = 3600.0
"""Seconds, of a clock that jumps, after which a test that waits has failed."""


class Neighbour:
    """A client by WebSocket that says numbers and wants to hear them again, in order.

    Args:
        websocket: has joined "/".
    """

    def __init__(self, websocket: WireWebSocket) -> None:
        self._websocket = websocket
        self._numbers = itertools.count()

    async def talk(self, count: int = 3) -> None:
        """Say some numbers in one breath; each comes back as an event and as an answer."""
        numbers = [next(self._numbers) for _ in range(count)]
        for number in numbers:
            await self._websocket.send(f'42{number}["neighbour",{number}]')
        for number in numbers:
            assert await self._websocket.receive() == f'42["heard",{number}]'
            assert await self._websocket.receive() == f"43{number}[{number}]"

    async def beat(self) -> None:
        """Send a ping and receive the pong."""
        await self._websocket.send("2")
        assert await self._websocket.receive() == "3"


async def answer_neighbour(socket: trio_sio.Socket, number: int) -> int:
    """Handle what the neighbour says."""
    await socket.emit("heard", number)
    return number


async def talk_raw(wire: WireClient, data: bytes) -> WireResponse:
    """Send bytes on a connection of their own and return the answer; the server closes it."""
    connection = wire.connect()
    await connection.send(data)
    response = await connection.receive_response()
    assert await connection.receive_rest() == b""
    return response


@asynccontextmanager
async def beside(
    io: trio_sio.Server,
    headers: Mapping[str, str] | None = None,
    streams: Callable[[], StreamPair] = trio.testing.memory_stream_pair,
) -> AsyncIterator[WireClient]:
    """Connections to a server in memory; before and behind, a neighbour is served.

    Args:
        io: the server.
        headers: of the neighbour, which stays by its pings, however long a test waits.
        streams: makes both ends of a connection; the second one is the server's.
    """
    io.on("neighbour", answer_neighbour)
    with trio.fail_after(PATIENCE):
        async with open_wire(io, streams=streams) as wire:
            neighbour = Neighbour(await joined(wire, headers=headers))
            await neighbour.talk()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_stay, io, neighbour)
                yield wire
                nursery.cancel_scope.cancel()
            await neighbour.talk()


async def _stay(io: trio_sio.Server, neighbour: Neighbour) -> None:
    while True:
        await trio.sleep(io.engine.options.ping_interval)
        # A ping whose pong nobody takes would be in the way of what the neighbour says next.
        with trio.move_on_after(PATIENCE, shield=True):
            await neighbour.beat()
