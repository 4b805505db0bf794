"""Right uses of declared events: type checkers report nothing here."""

from collections.abc import Callable
from typing import Any

import trio_sio
from trio_sio.testing import MemoryClient

io = trio_sio.Server()
price = trio_sio.Event[float, str]("price")
leave = trio_sio.Event[None]("leave")


@trio_sio.event
def message(author: str, text: str) -> None: ...


@trio_sio.event(name="how many")
def count(item: str, shop: str) -> int:
    raise NotImplementedError


async def sending(socket: trio_sio.Socket, client: MemoryClient) -> float:
    await io.emit(message, "ann", "hi")
    await io.emit(message, "ann", "hi", to="room", skip_sid="one")
    await io.emit(leave)
    await io.emit("undeclared", 1, b"2", {"three": 4})
    await io.of("/shop").emit(message, "ann", "hi")
    await io.to("room").except_("bob").volatile.emit(message, "ann", "hi")
    await socket.emit(message, "ann", "hi", ack=print)
    await socket.emit("undeclared", 1)
    await socket.broadcast.emit(message, "ann", "hi")
    socket.emit_nowait(message, "ann", "hi")
    number: int = await socket.call(count, "apple", "north", timeout=None)
    await client.emit(message, "ann", "hi")
    await client.call(price, "apple", timeout=1)
    anything: Any = await socket.call("undeclared", 1)
    print(anything)
    return number + await socket.call(price, "apple", timeout=5)


@io.on(price, validate=True)
async def quote(socket: trio_sio.Socket, item: str) -> float:
    return 1.5 if item else 2.0


@io.on(count, concurrent=True)
def count_items(socket: trio_sio.Socket, item: str, shop: str) -> int:
    return len(item)


@io.of("/shop").on(price, ack=True)
async def quote_early(socket: trio_sio.Socket, item: str, answer: Callable[..., object]) -> None:
    answer(1.5)


@io.once(leave)
async def left(socket: trio_sio.Socket) -> None:
    socket.on(message)(own)
    socket.once(message, own)


def own(author: str, text: str) -> None:
    print(author, text)


@io.on("undeclared")
async def undeclared(socket: trio_sio.Socket, *args: object) -> str:
    return "yes"
