"""Deliberate mistakes with declared events: type checkers report each marked line, and no other.

`tests/test_declared_event.py` runs mypy and pyright over this file and compares the lines.
"""

import trio_sio
from trio_sio.testing import MemoryClient

io = trio_sio.Server()
price = trio_sio.Event[float, str]("price")


@trio_sio.event
def message(author: str, text: str) -> None: ...


async def emitting(socket: trio_sio.Socket) -> None:
    await io.emit(message, "ann")  # WRONG: an argument is missing
    await io.emit(message, "ann", 7)  # WRONG: a number in place of a text
    await io.emit(message, "ann", "hi", "there")  # WRONG: an argument too many
    await io.of("/shop").emit(message, "ann")  # WRONG: from a namespace
    await io.to("room").emit(message, 1, "hi")  # WRONG: to a room
    await io.to("room").volatile.emit(message, 1, "hi")  # WRONG: with a flag
    await socket.emit(message, b"ann", "hi")  # WRONG: to one socket
    await socket.broadcast.emit(message)  # WRONG: to all others
    await socket.volatile.emit(message, "ann")  # WRONG: to one socket, with a flag
    socket.emit_nowait(message, "ann")  # WRONG: without waiting
    await io.emit(3, "ann")  # WRONG: no event at all


async def calling(socket: trio_sio.Socket, client: MemoryClient) -> None:
    await socket.call(price, 3)  # WRONG: a number in place of a text
    await socket.call(price, "apple", timeout="5")  # WRONG: seconds are a number
    name: str = await socket.call(price, "apple")  # WRONG: the answer is a number
    print(name)
    await client.emit(message, "ann")  # WRONG: from a client in a test
    await client.call(price)  # WRONG: an argument is missing


async def without_argument(socket: trio_sio.Socket) -> float:
    return 1.5


async def with_number(socket: trio_sio.Socket, item: int) -> float:
    return 1.5


async def without_socket(item: str) -> float:
    return 1.5


async def with_text_as_answer(socket: trio_sio.Socket, item: str) -> str:
    return item


def plain_with_text_as_answer(socket: trio_sio.Socket, item: str) -> str:
    return item


def own_with_number(item: int) -> float:
    return item


def handling(socket: trio_sio.Socket) -> None:
    io.on(price)(without_argument)  # WRONG: it does not take the argument
    io.on(price)(with_number)  # WRONG: it takes a number in place of a text
    io.on(price)(without_socket)  # WRONG: it does not take the socket
    io.on(price)(with_text_as_answer)  # WRONG: it answers with a text
    io.on(price)(plain_with_text_as_answer)  # WRONG: the same, not async
    io.on(price, with_number)  # WRONG: without a decorator
    io.of("/shop").on(price)(with_number)  # WRONG: in a namespace
    io.once(price)(with_number)  # WRONG: once
    io.on(price, ack=True)(without_argument)  # WRONG: it takes no callable to answer with
    socket.on(price)(own_with_number)  # WRONG: for one socket
    socket.once(price)(own_with_number)  # WRONG: for one socket, once
