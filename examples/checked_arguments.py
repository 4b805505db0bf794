"""Arguments checked at run time: handlers get values of the types they name."""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

import trio_sio

io = trio_sio.Server(validate=True)


@dataclass
class Order:
    drink: Literal["tea", "coffee"]
    cups: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1


@io.on("order")
async def order(socket: trio_sio.Socket, order: Order, note: str = "") -> float:
    return 1.5 * order.cups


@io.on("picture")
async def picture(socket: trio_sio.Socket, image: bytes) -> int:
    return len(image)


@io.on("anything", validate=False)  # its types are for its author alone
async def anything(socket: trio_sio.Socket, thing: dict[str, str]) -> str:
    return type(thing).__name__


if __name__ == "__main__":
    trio_sio.run(io, 3000)
