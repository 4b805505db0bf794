"""Packets are seen once, in their order, by every transport; also across an upgrade."""

from collections.abc import Callable

import pytest
import trio.testing
from trio.testing import MockClock

import trio_sio
from trio_sio.admin.packets import PacketFeed
from trio_sio.admin.sessions import SessionBook
from trio_sio.options import WSEngine
from trio_sio.testing import open_wire

Told = list[tuple[bool, str]]


def observed(**options: object) -> tuple[trio_sio.Server, Callable[[], Told]]:
    """Return an echo server, and what returns the messages that its feed has seen."""
    io, book, feed = trio_sio.Server(**options), SessionBook("/admin"), PacketFeed()  # type: ignore[arg-type]
    io.engine.observe(book)
    book.open_feed(feed)

    @io.on("say")
    async def say(socket: trio_sio.Socket, text: str) -> None:
        await socket.emit("said", text)

    def told() -> Told:
        packets, missed = feed.take()
        assert missed == 0
        return [(one.is_incoming, f"{one.kind.value}{one.data}") for one in packets]

    return io, told


def say(text: str) -> str:
    return f'42["say","{text}"]'


def said(text: str) -> str:
    return f'42["said","{text}"]'


async def test_by_polling(autojump_clock: MockClock) -> None:
    io, told = observed()
    async with open_wire(io) as wire:
        session = await wire.handshake()
        opening = told()
        assert [text[0] for _, text in opening] == ["0", "4"]
        await session.post(say("one"), say("two"), "2")
        await trio.testing.wait_all_tasks_blocked()
        sent = await session.poll()
        await trio.testing.wait_all_tasks_blocked()
        seen = told()
        assert [text for is_incoming, text in seen if is_incoming] == [say("one"), say("two"), "2"]
        assert [text for is_incoming, text in seen if not is_incoming] == sent
        assert sorted(sent) == ["3", said("one"), said("two")]


async def test_by_websocket(autojump_clock: MockClock, ws_engine: WSEngine) -> None:
    io, told = observed(ws_engine=ws_engine)
    async with open_wire(io) as wire:
        websocket = await wire.websocket()
        await websocket.receive()
        await websocket.receive()
        told()
        await websocket.send(say("one"))
        assert await websocket.receive() == said("one")
        await io.emit("news")
        assert await websocket.receive() == '42["news"]'
        await io.volatile.emit("volatile")
        assert await websocket.receive() == '42["volatile"]'
        assert told() == [
            *((True, say("one")), (False, said("one"))),
            *((False, '42["news"]'), (False, '42["volatile"]')),
        ]


async def test_across_an_upgrade(autojump_clock: MockClock, ws_engine: WSEngine) -> None:
    io, told = observed(ws_engine=ws_engine)
    async with open_wire(io) as wire:
        session = await wire.handshake()
        websocket = await session.upgrade()
        told()
        await websocket.send(say("one"))
        assert await websocket.receive() == said("one")
        assert told() == [(True, say("one")), (False, said("one"))]


@pytest.fixture(params=["trio-websocket", "websockets"])
def ws_engine(request: pytest.FixtureRequest) -> WSEngine:
    name: WSEngine = request.param
    return name
