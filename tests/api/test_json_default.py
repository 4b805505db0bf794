"""The option `json_default`, wherever a server encodes what the application gives it."""

import decimal
import json
import logging
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

import trio_sio
from tests.support.examples import examples
from tests.support.foreign_node import settle
from tests.support.peers import peer, served
from tests.support.servers import MakeServer
from trio_sio.options import ParserOption
from trio_sio.protocol.socketio import decoder, encoder
from trio_sio.testing import MemoryClient, connect
from trio_sio.testing.cluster import MemoryCluster

PARSERS: tuple[ParserOption, ...] = (None, "msgpack")
half = decimal.Decimal("0.5")


class Price:
    """The application's own class."""

    def __init__(self, amount: decimal.Decimal) -> None:
        self.amount = amount


def to_json(value: object) -> object:
    """What the applications here send; in one there is another, and bytes."""
    if isinstance(value, Price):
        return {"amount": value.amount, "raw": str(value.amount).encode()}
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError(f"no form for {type(value).__name__}")


SENT = {"amount": "0.5", "raw": b"0.5"}


class OwnParser:
    """A parser of the application's own, which knows nothing of foreign values."""

    Encoder = encoder.Encoder
    Decoder = decoder.Decoder


def shop(**options: Any) -> trio_sio.Server:  # noqa: ANN401
    """A server that gives foreign values wherever it can."""
    io = trio_sio.Server(json_default=to_json, raise_errors=True, **options)

    @io.on("return")
    async def answer(socket: trio_sio.Socket) -> object:
        return half, [Price(half)]

    @io.on("ack", ack=True)
    async def acknowledge(socket: trio_sio.Socket, send: Any) -> None:  # noqa: ANN401
        send({"price": Price(half)})

    @io.on("emit")
    async def emit(socket: trio_sio.Socket) -> None:
        await socket.join("room")
        await socket.volatile.emit("1", half)
        await socket.emit("2", half)
        socket.emit_nowait("3", half)
        await io.emit("4", [Price(half)])
        await io.to("room").emit("5", half)
        await socket.nsp.send(half)
        await socket.send("7", await socket.call("question", half))

    @io.on("refuse")
    async def refuse(socket: trio_sio.Socket) -> None:
        raise trio_sio.Refused("no", data={"left": half})  # type: ignore[dict-item]

    @io.of("/closed").use
    async def check(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("no", data={"left": half})  # type: ignore[dict-item]

    return io


async def answer_once(client: MemoryClient) -> object:
    packet = await client.receive_packet()
    await client.answer(packet, "!")
    return packet.args


@pytest.mark.parametrize("parser", [*PARSERS, OwnParser])
async def test_everywhere(parser: ParserOption, autojump_clock: MockClock) -> None:
    io = shop(parser=parser)
    async with io, connect(io) as client:
        assert await client.call("return") == ["0.5", [SENT]]
        assert await client.call("ack") == [{"price": SENT}]
        await client.emit("emit")
        heard = [await client.receive() for _ in range(6)]
        assert heard == [
            ["1", "0.5"],
            ["2", "0.5"],
            ["3", "0.5"],
            ["4", [SENT]],
            ["5", "0.5"],
            ["message", "0.5"],
        ]
        assert await answer_once(client) == ["0.5"]
        assert await client.receive() == ["message", "7", "!"]
        await client.emit("refuse")
        with pytest.raises(trio_sio.Refused) as refused:
            await client.receive()
        assert as_object(refused.value.data or str(refused.value)) == {"left": "0.5"}
        with pytest.raises(trio_sio.ConnectionRefused) as closed:
            async with connect(io, "/closed"):
                pass
        assert as_object(closed.value.data or str(closed.value)) == {"left": "0.5"}


def as_object(data: object) -> object:
    """MessagePack's ERROR packets have the JSON of their data, as a text."""
    return json.loads(data) if isinstance(data, str) else data


async def test_it_may_be_there_before_the_parser(autojump_clock: MockClock) -> None:
    io = shop()
    io.parser = "msgpack"
    async with connect(io) as client:
        assert await client.call("return") == ["0.5", [SENT]]


@pytest.mark.parametrize("parser", PARSERS)
async def test_clients_of_tests_send_them_too(
    parser: ParserOption, autojump_clock: MockClock
) -> None:
    io = shop(parser=parser)
    io.on("echo", lambda _socket, *args: args)
    async with connect(io) as client:
        assert await client.call("echo", Price(half)) == [SENT]


@pytest.mark.node
async def test_javascripts_client(make_server: MakeServer) -> None:
    io = make_server(json_default=to_json)
    async with served(io) as url, peer() as process:
        client = await process.connect(url, hear=["price"])
        await io.emit("price", Price(half), half)
        assert await client.hear("price") == [SENT, "0.5"]


# -- once --------------------------------------------------------------------------------------


class Counting:
    """Numbers the values that it is called for."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, value: object) -> object:
        self.calls += 1
        return self.calls


@pytest.mark.parametrize("parser", PARSERS)
async def test_once_for_each_broadcast(parser: ParserOption, autojump_clock: MockClock) -> None:
    """Whoever hears it: clients of this server, of others, and of several namespaces."""
    counting, cluster = Counting(), MemoryCluster()
    options: dict[str, Any] = {"parser": parser, "json_default": counting}
    one = trio_sio.Server(adapter=cluster.join(), **options)
    two = trio_sio.Server(adapter=cluster.join(), **options)
    teams = one.of(lambda name, _query: name.startswith("/team"))
    async with one, two, connect(one) as anna, connect(one) as bert, connect(two) as carl:
        async with connect(one, "/team-1") as dora, connect(one, "/team-2") as emil:
            await settle()
            await one.emit("price", half, [half])
            for client in (anna, bert, carl):
                assert await client.receive() == ["price", 1, [2]]
            await one.to(anna.id, carl.id).emit("to some", half)
            await one.local.emit("local", half)
            assert await anna.receive() == await carl.receive() == ["to some", 3]
            assert await anna.receive() == await bert.receive() == ["local", 4]
            await teams.emit("teams", half)
            assert await dora.receive() == await emil.receive() == ["teams", 5]
    assert counting.calls == 5


@examples(20)
@given(
    clients=st.integers(0, 4),
    values=st.lists(st.sampled_from([half, [half, half], {"a": half}, 1, "x"]), max_size=5),
)
def test_once_for_each_value_whoever_hears_it(clients: int, values: list[Any]) -> None:
    counting = Counting()

    async def main() -> None:
        io = trio_sio.Server(json_default=counting)
        async with io, trio.open_nursery() as nursery:
            for _ in range(clients):
                nursery.start_soon(listen, io)
            await trio.testing.wait_all_tasks_blocked()
            await io.emit("values", *values)

    async def listen(io: trio_sio.Server) -> None:
        async with connect(io) as client:
            assert len(await client.receive()) == 1 + len(values)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert counting.calls == repr(values).count("Decimal")


# -- what has another way out of a server --------------------------------------------------------


async def test_custom_requests(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    one = trio_sio.Server(adapter=cluster.join(), json_default=to_json)
    two = trio_sio.Server(adapter=cluster.join(), json_default=to_json)
    asked: list[object] = []

    @two.sockets.adapter.on_custom_request
    def reply(data: object) -> object:
        asked.append(data)
        return {"price": half}

    async with one, two:
        await settle()
        replies = await one.sockets.adapter.custom_request([half])  # type: ignore[list-item]
        assert {"price": "0.5"} in replies
        assert asked == [["0.5"]]
        with pytest.raises(trio_sio.LocalProtocolError, match=r'object at data\["data"\]'):
            await one.sockets.adapter.custom_request(object())  # type: ignore[arg-type]


# -- a function that fails -----------------------------------------------------------------------


def explode(value: object) -> object:
    raise ZeroDivisionError("no rate")


FAILED = (
    'cannot be sent as {}: decimal.Decimal at args[0]["price"] (json_default raised'
    " ZeroDivisionError: no rate)"
)


@pytest.mark.parametrize(("parser", "form"), [(None, "JSON"), ("msgpack", "MessagePack")])
async def test_whoever_emits_is_told(
    parser: ParserOption, form: str, autojump_clock: MockClock
) -> None:
    io = trio_sio.Server(parser=parser, json_default=explode)
    async with connect(io) as client:
        (socket,) = io.sockets.connected.values()
        for emit, how in ((socket.emit, form), (io.emit, "JSON")):
            with pytest.raises(trio_sio.LocalProtocolError) as error:
                await emit("price", {"price": half})
            assert str(error.value) == FAILED.format(how)
            assert isinstance(error.value.__cause__, ZeroDivisionError)
        await socket.emit("still here")
        assert await client.receive() == ["still here"]


async def test_what_a_handler_returns_is_reported_with_the_cause(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server(json_default=explode)
    errors: list[BaseException] = []
    io.on("error", lambda _socket, error: errors.append(error))

    @io.on("price")
    def price(socket: trio_sio.Socket) -> object:
        return {"price": half}

    async with connect(io, raise_errors=False) as client:
        await client.emit("price")
        with pytest.raises(trio.TooSlowError):
            await client.call("price", timeout=0.1)
    (error,) = errors
    assert isinstance(error.__cause__, ZeroDivisionError)
    name = f"{__name__}.test_what_a_handler_returns_is_reported_with_the_cause.<locals>.price"
    assert str(error) == f"what {name} returned for 'price' {FAILED.format('JSON')}"
    assert any("no rate" in message for message in caplog.messages)


async def test_the_data_of_a_refusal(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server(json_default=explode)

    @io.of("/closed").use
    async def check(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("no", data={"left": half})  # type: ignore[dict-item]

    with caplog.at_level(logging.ERROR):
        async with io, connect(io) as client:
            with pytest.raises(trio_sio.ConnectionRefused):
                async with connect(io, "/closed"):
                    pass
            await client.emit("still here")
    assert any('data["left"] (json_default raised' in message for message in caplog.messages)
