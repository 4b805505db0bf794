"""An application whose contract the tests write."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NotRequired, TypedDict

import trio_sio

io = trio_sio.Server(validate=True)

price = trio_sio.Event[float, str]("price")


@trio_sio.event
def sold(item: str, pieces: int) -> None:
    """Somebody has bought something. */ \u2028"""


@trio_sio.event(name="sure?")
def sure(question: str) -> bool:
    raise NotImplementedError


class Address(TypedDict):
    street: str
    floor: NotRequired[int]


@dataclass
class Order:
    """What somebody wants."""

    item: Literal["tea", "coffee"]
    address: Address | None = None
    tags: list[str] = field(default_factory=list)
    prices: dict[str, float] = field(default_factory=dict)


class Node(TypedDict):
    children: "list[Node]"


@io.on("connection")
def connection(socket: trio_sio.Socket) -> None: ...


@io.on(price)
async def quote(socket: trio_sio.Socket, item: str) -> float:
    return 1.5


@io.on("order")
async def order(socket: trio_sio.Socket, order: Order, note: str = "") -> tuple[int, str]:
    return 1, order.item


@io.on("numbers")
def numbers(socket: trio_sio.Socket, *numbers: int) -> None: ...


@io.on("untyped")
def untyped(socket, anything):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return anything


@io.of("/admin").on("upload", ack=True)
async def upload(socket: trio_sio.Socket, data: bytes, ack: Callable[..., object]) -> None:
    ack(len(data))


@io.of("/admin").on("tree")
async def tree(socket: trio_sio.Socket, node: Node) -> Node:
    return node


io.of(lambda name, query: True)
