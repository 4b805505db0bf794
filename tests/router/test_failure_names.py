"""A failure has the name of whose it is, and of what it was there for."""

import decimal
import functools
from collections.abc import Awaitable, Callable

import pytest
from trio.testing import MockClock

import trio_sio
from trio_sio.options import ParserOption
from trio_sio.router.handlers import call
from trio_sio.router.invocation import function_name
from trio_sio.testing import MemoryClient, connect

HERE = __name__


class Shop:
    """An application."""

    def price(self, *args: object) -> float:
        return 1 / 0

    async def slow_price(self, *args: object) -> float:
        return 1 / 0

    def __call__(self, *args: object) -> float:
        return 1 / 0


def check(*args: object) -> None:
    raise LookupError


def balance(socket: trio_sio.Socket) -> object:
    return {"balance": decimal.Decimal(1)}


def pair(socket: trio_sio.Socket) -> object:
    return 1, {2}


def ignore(*args: object) -> None:
    """Take anything."""


shop = Shop()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (check, f"{HERE}.check"),
        (shop.price, f"{HERE}.Shop.price"),
        (functools.partial(functools.partial(check, 1), 2), f"{HERE}.check"),
        (shop, f"an object of {HERE}.Shop"),
        (len, "builtins.len"),
    ],
)
def test_names(function: Callable[..., object], name: str) -> None:
    assert function_name(function) == name


async def emit(client: MemoryClient, event: str) -> None:
    await client.emit(event)


Act = Callable[[MemoryClient], Awaitable[object]]
Prepare = Callable[[trio_sio.Server], object]


def on(event: str, function: Callable[..., object], **options: bool) -> Prepare:
    return lambda io: io.on(event, function, **options)


def for_one(do: Callable[[trio_sio.Socket], object]) -> Prepare:
    return lambda io: io.on("connection", lambda socket: do(socket) and None)


async def ask(client: MemoryClient) -> None:
    await client.answer(await client.receive_packet(), "yes")


@pytest.mark.parametrize(
    ("prepare", "what"),
    [
        (on("price", check), f"{HERE}.check, which handles 'price', failed"),
        (on("price", shop.price), f"{HERE}.Shop.price, which handles 'price', failed"),
        (on("price", shop.slow_price), f"{HERE}.Shop.slow_price, which handles 'price', failed"),
        (on("price", check, concurrent=True), f"{HERE}.check, which handles 'price', failed"),
        (on("price", check, ack=True), f"{HERE}.check, which handles 'price', failed"),
        (
            for_one(lambda socket: socket.on("price", check)),
            f"{HERE}.check, which handles 'price', failed",
        ),
        (for_one(lambda socket: socket.use(check)), f"{HERE}.check, packet middleware, failed"),
        (on("connection", check), f"{HERE}.check, which handles 'connection', failed"),
        (on("connect", shop), f"an object of {HERE}.Shop, which handles 'connect', failed"),
        (on("disconnecting", check), f"{HERE}.check, which handles 'disconnecting', failed"),
        (on("disconnect", check), f"{HERE}.check, which handles 'disconnect', failed"),
    ],
)
async def test_who_failed_and_for_whom(
    prepare: Prepare, what: str, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server(raise_errors=False)
    prepare(io)
    async with connect(io, raise_errors=False) as client:
        await client.emit("price")
    phase = "ended" if "'disconnect'" in what else "connected"
    assert caplog.messages == [f"{what} for <Socket 'memory…' in '/', {phase}>"]
    assert caplog.records[0].exc_info is not None


async def test_who_takes_an_answer(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    async with connect(io, raise_errors=False) as client:
        (socket,) = io.sockets.sockets.values()
        await socket.emit("question", ack=check)
        await ask(client)
    (told,) = caplog.messages
    assert told.startswith(f"{HERE}.check, which takes an answer of the client, failed for <So")


async def test_middleware_of_a_namespace_and_an_error_handler(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    io.on("price", shop.price)
    io.on("error", check)
    io.of("/chat").use(check)
    async with connect(io, raise_errors=False) as client:
        await client.emit("price")
    with pytest.raises(trio_sio.ConnectionRefused):
        async with connect(io, "/chat", raise_errors=False):
            pass
    assert [told.partition(" failed")[0] for told in caplog.messages] == [
        f"{HERE}.Shop.price, which handles 'price',",
        f"{HERE}.check, an error handler,",
        f"{HERE}.check, middleware of '/chat',",
    ]


@pytest.mark.parametrize("parser", [None, "msgpack"])
@pytest.mark.parametrize(
    ("function", "what"),
    [(balance, 'decimal.Decimal at args[0]["balance"]'), (pair, "set at args[1]")],
)
async def test_a_result_that_cannot_be_sent(
    parser: ParserOption,
    function: Callable[..., object],
    what: str,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors = []
    io = trio_sio.Server(parser=parser)
    io.on("price", function)
    io.on("error", lambda socket, error: errors.append(error))
    io.on("other", ignore)
    async with connect(io, raise_errors=False) as client:
        with pytest.raises(Exception):  # noqa: B017, PT011 - it waits for an answer in vain
            await client.call("price", timeout=1)
        await client.call("other")  # the client stays
    kind = "JSON" if parser is None else "MessagePack"
    sentence = (
        f"what {HERE}.{function.__name__} returned for 'price' cannot be sent as {kind}: {what}"
    )
    assert caplog.messages == [f"{sentence}, to <Socket 'memory…' in '/', connected>"]
    assert caplog.records[0].exc_info is None  # there are library frames only
    assert [str(error) for error in errors] == [sentence]


@pytest.mark.parametrize("send", ["emit", "emit_nowait", "call", "broadcast", "room", "ack"])
async def test_an_emit_says_where(send: str, autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    data = {"balance": [decimal.Decimal(1)]}
    verbs: dict[str, Callable[[trio_sio.Socket], object]] = {
        "emit": lambda socket: socket.emit("news", 1, data),
        "emit_nowait": lambda socket: socket.emit_nowait("news", 1, data),
        "call": lambda socket: socket.call("news", 1, data),
        "broadcast": lambda socket: io.emit("news", 1, data),
        "room": lambda socket: socket.to("room").emit("news", 1, data),
        "ack": lambda socket: socket.emit("news", 1, data, ack=ignore),
    }
    async with connect(io):
        (socket,) = io.sockets.sockets.values()
        with pytest.raises(trio_sio.LocalProtocolError) as error:
            await call(verbs[send], socket)
    text = 'cannot be sent as JSON: decimal.Decimal at args[1]["balance"][0]'
    assert str(error.value) == text
