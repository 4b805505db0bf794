"""Text, unicode, bytes, long messages and acknowledgements, with every client on every way."""

import random
from collections.abc import Iterator
from functools import partial

import pytest

import trio_sio
from tests.support.peers import (
    BUNDLE,
    MODERN,
    PACKAGE,
    POLLING,
    PYTHON,
    PYTHON_5,
    UPGRADING,
    WEBSOCKET,
    Client,
    Kind,
    Peer,
    peer,
    served,
)
from tests.support.servers import MakeServer


def kinds() -> Iterator[object]:
    every = [UPGRADING, WEBSOCKET, POLLING]
    every += [Kind("bundle", BUNDLE), Kind("bundle", BUNDLE, ("websocket",))]
    every += [Kind("bundle", BUNDLE, ("polling",))]
    for release, command in MODERN.items():
        ways = None, ("websocket",), ("polling",)
        every += [Kind(release, command, way) for way in ways]
    for kind in every:
        yield pytest.param(kind, marks=pytest.mark.node, id=str(kind))
    for kind in (Kind("python", PYTHON), Kind("python", PYTHON, ("websocket",))):
        yield pytest.param(kind, marks=pytest.mark.python_socketio, id=str(kind))
    for way in (None, ("websocket",), ("polling",)):
        kind = Kind("python5", PYTHON_5, way)
        yield pytest.param(kind, marks=pytest.mark.python_socketio_5, id=str(kind))


@pytest.fixture(params=kinds())
def kind(request: pytest.FixtureRequest) -> Kind:
    one: Kind = request.param
    return one


VALUES = [
    "",
    "plain",
    'quotes " and \\ and \n and \u2028, \x00 and \x7f',
    "größer, Łódź, 東京, \ufffd",
    "beyond the BMP: \U0001f600 \U0001d54a \U0010ffff",
    0,
    -1.5,
    2**53 - 1,
    True,
    None,
    [],
    {},
    {"": [[], {"schlüssel \U0001f511": None}]},
    b"\x00\x01\xfe\xff",
    {"deep": [{"bytes": b"\x04"}, "between", [b"second", b""]], "last": bytes(range(256))},
]
LONG_TEXT = "0123456789abcde€\U0001f600" * 60_000
LONG_BYTES = random.Random(2).randbytes(1_000_000)

# The prebuilt client makes base64 by one function call that has each byte as an argument.
MOST_BYTES = {"bundle-polling": 60_000}


def as_heard(kind: Kind, value: object) -> object:
    """What a client hears: python-socketio takes an empty attachment for None."""
    if value == b"" and kind.command == PYTHON:
        return None
    if isinstance(value, list):
        return [as_heard(kind, inner) for inner in value]
    if isinstance(value, dict):
        return {key: as_heard(kind, inner) for key, inner in value.items()}
    return value


async def open_client(process: Peer, url: str, kind: Kind) -> Client:
    client = await process.connect(url, hear=["said"], answers={"question": None}, **kind.options)
    if kind.transports is None:
        await client.hear("upgrade")
    return client


def echo_server(make_server: MakeServer) -> trio_sio.Server:
    io = make_server()

    @io.on("say")
    async def say(socket: trio_sio.Socket, *args: trio_sio.JSON) -> None:
        await socket.emit("said", *args)

    @io.on("answer me")
    async def answer(socket: trio_sio.Socket, *args: trio_sio.JSON) -> object:
        return args

    @io.on("ask me")
    async def ask(socket: trio_sio.Socket, *args: trio_sio.JSON) -> object:
        return {"answer": await socket.call("question", *args)}

    return io


async def test_events_and_answers_cross_in_both_directions(
    kind: Kind, make_server: MakeServer
) -> None:
    async with served(echo_server(make_server)) as url, peer(kind.command) as process:
        client = await open_client(process, url, kind)
        heard = [as_heard(kind, value) for value in VALUES]
        for value in VALUES:
            await client.emit("say", value)
        assert [await client.hear("said") for _ in VALUES] == [[value] for value in heard]
        for args in ([], ["one"], [1, b"2", "3"], VALUES):
            await client.emit("say", *args)
            assert await client.hear("said") == as_heard(kind, args)
            assert await client.call("answer me", *args) == as_heard(kind, args)
        transport = "websocket" if kind.transports is None else kind.transports[0]
        await client.emit("say", "at last")
        assert await client.hear_with_transport("said") == (["at last"], transport)


async def test_the_server_asks_and_is_answered(kind: Kind, make_server: MakeServer) -> None:
    async with served(echo_server(make_server)) as url, peer(kind.command) as process:
        client = await open_client(process, url, kind)
        for value in map(partial(as_heard, kind), VALUES):
            assert await client.call("ask me", value) == [{"answer": value}]
        assert await client.call("ask me", 1, b"2", "3") == [{"answer": [1, b"2", "3"]}]
        assert await client.call("ask me") == [{"answer": None}]


async def test_what_the_server_hears(kind: Kind, make_server: MakeServer) -> None:
    heard: list[tuple[trio_sio.JSON, ...]] = []
    io = make_server()

    @io.on("say")
    async def say(_socket: trio_sio.Socket, *args: trio_sio.JSON) -> int:
        heard.append(args)
        return len(heard)

    async with served(io) as url, peer(kind.command) as process:
        client = await open_client(process, url, kind)
        for count, value in enumerate(VALUES, 1):
            assert await client.call("say", value, value) == [count]
    assert heard == [(value, value) for value in VALUES]


async def test_long_messages_cross_in_both_directions(kind: Kind, make_server: MakeServer) -> None:
    long_bytes = LONG_BYTES[: MOST_BYTES.get(str(kind), len(LONG_BYTES))]
    async with served(echo_server(make_server)) as url, peer(kind.command) as process:
        client = await open_client(process, url, kind)
        for long in (LONG_TEXT, long_bytes, [LONG_TEXT, long_bytes, LONG_TEXT]):
            await client.emit("say", long)
            assert await client.hear("said") == [long]
            assert await client.call("answer me", long) == [long]


@pytest.mark.node
@pytest.mark.parametrize("ws_engine", ["websockets"])
async def test_compressed_messages(make_server: MakeServer) -> None:
    io = make_server(per_message_deflate={"threshold": 10})

    @io.on("say")
    async def say(socket: trio_sio.Socket, *args: trio_sio.JSON) -> None:
        await socket.emit("said", *args)

    async with served(io) as url, peer(PACKAGE) as process:
        options = {"perMessageDeflate": {"threshold": 10}, "transports": ["websocket"]}
        client = await process.connect(url, hear=["said"], **options)
        for value in (LONG_TEXT, "short", b"", LONG_BYTES, bytes(100_000)):
            await client.emit("say", value)
            assert await client.hear("said") == [value]
