"""Arguments are checked before a handler is called: what it gets, what client and log are told."""

import logging
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

import trio_sio
from trio_sio import JSON, PacketType, Server, Socket
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.router.argument_check import ArgumentCheck, ArgumentRefused
from trio_sio.router.argument_types import of_function
from trio_sio.testing import connect


@dataclass
class Point:
    x: float
    y: float = 0.0


class Order(msgspec.Struct, forbid_unknown_fields=True):
    item: Literal["tea", "coffee"]
    pieces: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1


class Options(TypedDict):
    sugar: bool
    milk: NotRequired[bool]


class Tree(msgspec.Struct):
    children: "list[Tree]" = []


def _refusal(function: Callable[..., object], *args: object) -> ArgumentRefused:
    with pytest.raises(ArgumentRefused) as caught:
        _check(function).convert(args)
    return caught.value


def _check(function: Callable[..., object]) -> ArgumentCheck:
    return ArgumentCheck(of_function(function), function, lead=0, trail=0)


def test_values_of_the_types() -> None:
    def take(point: Point, order: Order, options: Options, pair: tuple[int, str]) -> None: ...

    sent = {"x": 1}, {"item": "tea"}, {"sugar": True}, [1, "a"]
    wanted = Point(1.0), Order("tea"), {"sugar": True}, (1, "a")
    assert _check(take).convert(sent) == wanted


def test_missing_arguments_have_defaults() -> None:
    def take(a: int, b: str = "b", *rest: bool) -> None: ...

    check = _check(take)
    assert check.convert((1,)) == (1,)
    assert check.convert((1, "x", True, False)) == (1, "x", True, False)
    assert str(_refusal(take)) == "argument 1 is missing"
    assert str(_refusal(take, 1, "x", True, 0)) == "argument 4: Expected `bool`, got `int`"


def test_too_many_arguments() -> None:
    def take(a: int) -> None: ...

    assert str(_refusal(take, 1, 2)) == "argument 2 is one too many"


def test_a_type_that_no_client_can_send_is_refused_at_registration() -> None:
    io = Server(validate=True)

    def handle(socket: Socket, other: Socket) -> None: ...

    with pytest.raises(TypeError, match=r"argument 1 of .*handle cannot be checked: .*Socket"):
        io.on("x", handle)
    with pytest.raises(TypeError, match="is for events of clients"):
        io.on("disconnect", lambda socket: None, validate=True)


def test_without_msgspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trio_sio.router.conversion", raising=False)
    monkeypatch.delattr("trio_sio.router.conversion", raising=False)
    monkeypatch.setitem(sys.modules, "msgspec", None)

    def handle(socket: Socket, number: int) -> None: ...

    with pytest.raises(ImportError, match=r"pip install 'trio-sio\[typed\]'"):
        Server().on("x", handle, validate=True)
    Server().on("x", handle)


@pytest.mark.parametrize("raise_errors", [False, True])
async def test_a_wrong_argument_costs_an_error_packet_and_one_line(
    caplog: pytest.LogCaptureFixture, raise_errors: bool
) -> None:
    io = Server(raise_errors=raise_errors)
    called: list[object] = []
    heard: list[Exception] = []
    io.on("error", lambda socket, error: heard.append(error))

    @io.of("/shop").on("order", validate=True)
    async def order(socket: Socket, order: Order) -> str:
        called.append(order)
        return order.item

    io.of("/shop").on("error", lambda socket, error: heard.append(error))
    async with connect(io, "/shop") as client:
        for _ in range(3):
            await client.emit("order", {"item": "hunter2", "pieces": 1})
            packet = await client.receive_packet()
            assert packet.type is PacketType.ERROR
            assert packet.data == "argument 1: Invalid enum value 'hunter2' - at `$.item`"
        assert await client.call("order", {"item": "tea"}) == ["tea"]
    assert called == [Order("tea")]
    assert [type(error) for error in heard] == [trio_sio.WrongArguments] * 3
    line, count = caplog.records
    assert (line.levelno, line.exc_info) == (logging.WARNING, None)
    text = line.getMessage()
    assert "'/shop'" in text
    assert "refused 'order'" in text
    assert "order: argument 1: Invalid enum value - at `$.item`" in text
    assert "2 more like it" in count.getMessage()
    assert "hunter2" not in caplog.text


async def test_the_option_checks_every_handler_with_types() -> None:
    io = Server(validate=True)

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("own")
        def own(number: int) -> int:
            return number

        socket.on("untyped", lambda *args: args)

        @socket.on("unchecked", validate=False)
        def unchecked(number: int) -> object:
            return number

    async with connect(io) as client:
        assert await client.call("own", 1) == [1]
        assert await client.call("untyped", "x", 2) == ["x", 2]
        assert await client.call("unchecked", "x") == ["x"]
        await client.emit("own", "x")
        assert (await client.receive_packet()).data == "argument 1: Expected `int`, got `str`"


async def test_dynamic_namespaces_check_too() -> None:
    io = Server(validate=True)

    @io.of(lambda name, query: True).on("x")
    def handle(socket: Socket, number: int) -> int:
        return number

    async with connect(io, "/any") as client:
        await client.emit("x", "1")
        assert (await client.receive_packet()).type is PacketType.ERROR
        assert await client.call("x", 1) == [1]


async def test_a_declaration_counts_for_untyped_handlers() -> None:
    io = Server(validate=True)
    price = trio_sio.Event[float, str]("price")

    @trio_sio.event
    def move(to: Point, fast: bool = False) -> None: ...

    got: list[object] = []

    def quote(*args: object) -> float:
        return 1.5

    io.on(price, quote)

    def moved(socket: Socket, *args: object) -> None:
        got.extend(args)

    io.on(move, moved)

    async with connect(io) as client:
        await client.emit("price", 1)
        assert (await client.receive_packet()).type is PacketType.ERROR
        await client.emit("move", {"x": 1})
        assert await client.call("price", "tea") == [1.5]
    assert got == [Point(1.0)]


async def test_handlers_with_ack_and_the_catch_all() -> None:
    io = Server(validate=True)

    @io.on("x", ack=True)
    async def handle(socket: Socket, number: int, ack: Callable[..., object]) -> None:
        ack(number + 1)

    @io.on("*")
    async def others(socket: Socket, event: str, *args: int) -> object:
        return (event, *args)

    async with connect(io) as client:
        assert await client.call("x", 1) == [2]
        assert await client.call("y", 1, 2) == ["y", 1, 2]
        for event in ("x", "y"):
            await client.emit(event, "text")
            assert (await client.receive_packet()).data == "argument 1: Expected `int`, got `str`"


_texts = st.text(st.characters(codec=None), max_size=4) | st.sampled_from(
    ["tea", "item", "x", "sugar", "children", "\ud800"]
)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary(max_size=3)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


def _is_tree(value: object) -> bool:
    return isinstance(value, Tree) and all(map(_is_tree, value.children))


HAS_TYPE: dict[str, Callable[..., bool]] = {
    "number": lambda x: type(x) is float and math.isfinite(x),
    "text": lambda x, y="": type(x) is str and type(y) is str,
    "point": lambda p: type(p) is Point and type(p.x) is type(p.y) is float,
    "order": lambda o: type(o) is Order and o.item in ("tea", "coffee") and 1 <= o.pieces <= 9,
    "options": lambda o: type(o["sugar"]) is bool and type(o.get("milk", True)) is bool,
    "tree": _is_tree,
    "bytes": lambda b: type(b) is bytes,
    "integers": lambda *many: all(type(one) is int for one in many),
}


def _server(wrong: list[object]) -> Server:
    io = Server(validate=True, raise_errors=True)

    async def tell(socket: Socket, event: str, *args: Any) -> None:  # noqa: ANN401
        if not HAS_TYPE[event](*args):
            wrong.append((event, args))
        await socket.emit("called")

    @io.on("number")
    async def number(socket: Socket, x: float) -> None:
        await tell(socket, "number", x)

    @io.on("text")
    async def text(socket: Socket, x: str, y: str = "") -> None:
        await tell(socket, "text", x, y)

    @io.on("point")
    async def point(socket: Socket, p: Point) -> None:
        await tell(socket, "point", p)

    @io.on("order")
    async def order(socket: Socket, o: Order) -> None:
        await tell(socket, "order", o)

    @io.on("options")
    async def options(socket: Socket, o: Options) -> None:
        await tell(socket, "options", o)

    @io.on("tree")
    async def tree(socket: Socket, t: Tree) -> None:
        await tell(socket, "tree", t)

    @io.on("bytes")
    async def binary(socket: Socket, b: bytes) -> None:
        await tell(socket, "bytes", b)

    @io.on("integers")
    async def integers(socket: Socket, *many: int) -> None:
        await tell(socket, "integers", *many)

    return io


_events = st.tuples(st.sampled_from(sorted(HAS_TYPE)), st.lists(_values, max_size=3))


@settings(max_examples=50, deadline=None)
@given(events=st.lists(_events, min_size=1, max_size=8))
async def test_a_handler_gets_its_types_or_the_client_a_refusal(
    events: list[tuple[str, list[JSON]]],
) -> None:
    wrong: list[object] = []
    async with connect(_server(wrong)) as client:
        for event, args in events:
            await client.emit(event, *args)
            packet = await client.receive_packet()
            if packet.type is PacketType.ERROR:
                assert str(packet.data).startswith("argument ")
            else:
                assert packet.data == ["called"]
        await client.emit("text", "still here")
        assert await client.receive() == ["called"]
    assert wrong == []


async def test_a_deep_value_is_refused() -> None:
    wrong: list[object] = []
    async with connect(_server(wrong)) as client:
        text = '2["tree",' + '{"children":[' * 4_000 + "]}" * 4_000 + "]"
        await client.send_engine_packet(EnginePacket(EnginePacketType.MESSAGE, text))
        packet = await client.receive_packet()
        assert packet.type is PacketType.ERROR
        assert "fewer levels" in str(packet.data)
        await client.emit("text", "still here")
        assert await client.receive() == ["called"]
