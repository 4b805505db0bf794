"""Events with types: editors and type checkers know their arguments and answers."""

import trio_sio

io = trio_sio.Server()

price = trio_sio.Event[float, str]("price")  # answered with a number, one text as argument


@trio_sio.event
def sold(item: str, pieces: int) -> None:
    """Somebody has bought something."""


@io.on(price)
async def quote(socket: trio_sio.Socket, item: str) -> float:
    return 1.5 if item == "apple" else 4.0


@io.on("buy")  # a name alone works as ever, unchecked
async def buy(socket: trio_sio.Socket, item: str) -> None:
    await io.emit(sold, item, 1)


if __name__ == "__main__":
    trio_sio.run(io, 3000)
