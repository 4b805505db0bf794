"""Real clients of a server that is mounted under Hypercorn's Trio worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

import trio_sio
from tests.support.mounted import mounted
from tests.support.peers import (
    BUNDLE,
    DEADLINE,
    PACKAGE,
    POLLING,
    PYTHON,
    UPGRADING,
    WEBSOCKET,
    Kind,
    Peer,
    peer,
)
from trio_sio.asgi import Application

pytestmark = pytest.mark.node

KINDS = [
    POLLING,
    WEBSOCKET,
    UPGRADING,
    Kind("bundle", BUNDLE),
    Kind("python", PYTHON),
    Kind("python", PYTHON, ("polling",)),
    Kind("python", PYTHON, ("websocket",)),
]


def chat() -> trio_sio.Server:
    """A server that echoes, asks, and has a room."""
    io = trio_sio.Server(raise_errors=True)

    @io.on("connection")
    async def connected(socket: trio_sio.Socket) -> None:
        @socket.on("echo")
        async def echo(*args: object) -> tuple[object, ...]:
            await socket.emit("echoed", *args)
            return args

        @socket.on("join")
        async def join(room: str) -> bool:
            await socket.join(room)
            return True

        @socket.on("say")
        async def say(room: str, text: str) -> None:
            await socket.to(room).emit("said", text)

        @socket.on("leave")
        async def leave() -> None:
            await socket.disconnect(close=True)

    return io


@asynccontextmanager
async def running(kind: Kind, io: trio_sio.Server) -> AsyncIterator[tuple[Peer, str]]:
    with trio.fail_after(DEADLINE):
        async with mounted(Application(io)) as url, peer(kind.command) as clients:
            yield clients, url


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_exchange(kind: Kind) -> None:
    io = chat()
    async with running(kind, io) as (clients, url):
        client = await clients.connect(url, hear=["echoed", "disconnect"], **kind.options)
        for args in (["text ü"], [b"\x00\xff" * 5000], [1, {"a": [b"b", None]}], ["x" * 300_000]):
            assert await client.call("echo", *args) == args
            assert await client.hear("echoed") == args
        await client.emit("leave")
        await client.hear("disconnect")
    assert not io.sockets.connected


async def test_rooms_and_leaving() -> None:
    io = chat()
    gone = trio.Event()
    left: list[object] = []

    @io.on("connection")
    def watch(socket: trio_sio.Socket) -> None:
        @socket.on("disconnect")
        def disconnected(reason: object) -> None:
            left.append(reason)
            gone.set()

    async with running(UPGRADING, io) as (clients, url):
        one = await clients.connect(url, hear=["said"], transports=["polling"])
        other = await clients.connect(url, hear=["said"], transports=["websocket"])
        speaker = await clients.connect(url)
        for member in (one, other):
            assert await member.call("join", "room") == [True]
        await speaker.emit("say", "room", "hello")
        for member in (one, other):
            assert await member.hear("said") == ["hello"]
        await other.close()
        await gone.wait()
        assert left == ["client namespace disconnect"]


async def test_a_hundred_clients() -> None:
    io = chat()
    async with running(Kind("package", PACKAGE), io) as (clients, url):
        everybody = [await clients.open(url, hear=["news"]) for _ in range(100)]
        for one in everybody:
            await one.hear("connect")
        assert len(io.sockets.connected) == 100
        await io.emit("news", "all")
        for one in everybody:
            assert await one.hear("news") == ["all"]


async def test_clients_hear_of_the_end() -> None:
    """Hypercorn ends connections before the lifespan, so the server is closed before that."""
    io = chat()
    with trio.fail_after(DEADLINE):
        async with peer() as clients:
            async with mounted(Application(io), before_the_end=io.aclose) as url:
                options = {"hear": ["disconnect"], "reconnection": False}
                polling = await clients.connect(url, transports=["polling"], **options)
                websocket = await clients.connect(url, transports=["websocket"], **options)
            for client in (polling, websocket):
                assert await client.hear("disconnect") == ["transport close"]
    assert not io.engine.serving
