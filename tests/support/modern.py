"""Clients of Socket.IO 3 and 4 by bytes, and a server for them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from trio_sio import ConnectionRefused, Server, Socket
from trio_sio.testing import open_wire
from trio_sio.testing.wire_websocket import WireWebSocket

TARGET = "/socket.io/?EIO=4&transport=websocket"
OLD_TARGET = "/socket.io/?EIO=3&transport=websocket"


def server(**options: object) -> Server:
    """A server with a namespace for everybody, and one for those who know a word."""
    io = Server(**{"raise_errors": True, **options})  # type: ignore[arg-type]  # options
    io.of("/adm")
    private = io.of("/private")

    @private.use
    async def ask(socket: Socket) -> None:
        if socket.handshake.auth.get("token") != "1":
            raise ConnectionRefused("not you", data=socket.handshake.auth.get("token"))

    @io.on("echo")
    async def echo(socket: Socket, *args: object) -> list[object]:
        return [*args]

    @io.on("kick")
    async def kick(socket: Socket) -> None:
        await socket.disconnect()

    return io


@asynccontextmanager
async def client(io: Server, query: str = "", *, eio: int = 4) -> AsyncIterator[WireWebSocket]:
    """A WebSocket whose session is open, and in Engine.IO 4 has joined nothing."""
    async with open_wire(io) as wire:
        websocket = await wire.websocket(query, eio=eio)
        opening = await websocket.receive()
        assert isinstance(opening, str)
        assert opening.startswith("0{")
        yield websocket


async def join(websocket: WireWebSocket, packet: str = "40") -> dict[str, Any]:
    """Join a namespace, and return what the answer says."""
    await websocket.send(packet)
    answer = await websocket.receive()
    assert isinstance(answer, str)
    name = packet[2:].partition("{")[0]
    assert answer.startswith(f"40{name}{{"), answer
    data: dict[str, Any] = json.loads(answer[2 + len(name) :])
    return data


async def expect_quiet(websocket: WireWebSocket) -> None:
    """Nothing was sent before the answer to what is asked now."""
    await websocket.send('4277["echo","quiet?"]')
    assert await websocket.receive() == '4377[["quiet?"]]'
