"""Clients of Socket.IO 2 and of 3 and 4 in one room, by bytes."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.modern import OLD_TARGET, TARGET, join
from trio_sio import Server, Socket
from trio_sio.testing import open_wire
from trio_sio.testing.wire_websocket import WireWebSocket, open_websocket

OLD, NEW = 4, 5
"""The revisions of the protocol."""


@dataclass
class Person:
    """One client, which is in "/".

    Attributes:
        protocol: which revision it speaks.
        websocket: its connection.
        socket: the server's end.
    """

    protocol: int
    websocket: WireWebSocket
    socket: Socket

    @property
    def id(self) -> str:
        return self.socket.id

    async def hear(self) -> tuple[int | None, list[Any]]:
        """Return the next event: its id, and its name with the arguments."""
        text = await self.websocket.receive()
        assert isinstance(text, str)
        found = re.fullmatch(r"42(\d*)(\[.*\])", text)
        assert found, text
        return int(found[1]) if found[1] else None, json.loads(found[2])

    async def answer(self, ack_id: int | None, *args: object) -> None:
        await self.websocket.send(f"43{ack_id}{json.dumps(args)}")

    async def say(self, event: str, *args: object) -> None:
        await self.websocket.send(f"42{json.dumps([event, *args])}")

    async def leave(self) -> None:
        """Leave the namespace."""
        await self.websocket.send("41")

    async def vanish(self) -> None:
        """Lose the connection."""
        await self.websocket.aclose()


@asynccontextmanager
async def people(io: Server, *protocols: int) -> AsyncIterator[Sequence[Person]]:
    """Clients that speak these revisions, in this order; all are in the room "all"."""
    async with open_wire(io) as wire:
        found = []
        for protocol in protocols:
            websocket = await open_websocket(
                wire.connect(), OLD_TARGET if protocol == OLD else TARGET
            )
            before = {*io.sockets.connected}
            await websocket.receive()
            if protocol == OLD:
                assert await websocket.receive() == "40"
            else:
                await join(websocket)
            (new,) = io.sockets.connected.keys() - before
            socket = io.sockets.connected[new]
            assert socket.protocol == protocol
            await socket.join("all")
            found.append(Person(protocol, websocket, socket))
        yield found
