"""Compression of an application's WebSockets: both ways, and what does not inflate."""

import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message as WholeMessage,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.asgi import Fallback
from trio_sio.asgi.deflate import BoundedDeflate
from trio_sio.asgi.types import Receive, Scope, Send
from trio_sio.testing.wire import open_wire

LARGEST = 100_000


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


class Client:
    """wsproto's client over a stream.

    Attributes:
        read: bytes that have come.
    """

    def __init__(self, stream: trio.abc.Stream, *, compression: bool = True) -> None:
        self.read = 0
        self._stream = stream
        self._protocol = WSConnection(ConnectionType.CLIENT)
        extensions = [PerMessageDeflate()] if compression else []
        self._opening = Request(host="h", target="/", extensions=list(extensions))

    async def open(self) -> str:
        """Return the extensions that were agreed upon."""
        await self.send(self._opening)
        accepted = await self.receive()
        assert isinstance(accepted, AcceptConnection)
        return ", ".join(str(one) for one in accepted.extensions)

    async def send(self, *events: Event) -> None:
        await self._stream.send_all(b"".join(self._protocol.send(one) for one in events))

    async def receive(self) -> Event:
        while True:
            for event in self._protocol.events():
                return event
            data = await self._stream.receive_some()
            self.read += len(data)
            self._protocol.receive_data(bytes(data) or None)

    async def receive_message(self) -> bytes:
        """Return a whole message, put together."""
        whole = b""
        while isinstance(event := await self.receive(), WholeMessage):
            whole += event.data.encode() if isinstance(event.data, str) else event.data
            if event.message_finished:
                return whole
        raise AssertionError(event)


async def _serve_nothing(session: trio_sio.abc.Session) -> None:
    await trio.sleep_forever()


@asynccontextmanager
async def client_of(*, here: bool = True, there: bool = True) -> AsyncIterator[Client]:
    """A client of an application; `here` and `there` say which end knows compression."""
    fallback = Fallback(echo, lifespan="off", max_message_size=LARGEST, compression=there)
    engine = trio_sio.Engine(fallback=fallback)
    async with open_wire(engine, _serve_nothing, streams=socket_pair) as wire:
        yield Client(wire.connect().stream, compression=here)


async def test_messages_both_ways(autojump_clock: MockClock) -> None:
    async with client_of() as client:
        assert "PerMessageDeflate" in await client.open()
        for _ in range(3):  # nothing is kept between two
            await client.send(TextMessage("wörds " * 10_000))
            before = client.read
            assert await client.receive_message() == "wörds ".encode() * 10_000
            assert client.read - before < 1_000
        await client.send(BytesMessage(b"short"))
        before = client.read
        assert await client.receive_message() == b"short"
        assert client.read - before == 2 + len(b"short")  # it would not get shorter


@pytest.mark.parametrize(("here", "there"), [(True, False), (False, True)])
async def test_it_takes_both(here: bool, there: bool, autojump_clock: MockClock) -> None:
    async with client_of(here=here, there=there) as client:
        assert await client.open() == ""
        await client.send(TextMessage("a" * 10_000))
        assert await client.receive_message() == b"a" * 10_000
        assert client.read > 10_000


async def test_a_ping_between_the_fragments_of_a_message(autojump_clock: MockClock) -> None:
    async with client_of() as client:
        await client.open()
        data = os.urandom(4_000)
        await client.send(
            BytesMessage(data, message_finished=False), Ping(b"now"), BytesMessage(data)
        )
        assert isinstance(await client.receive(), Pong)
        assert await client.receive_message() == data * 2


@pytest.mark.parametrize("size", [LARGEST + 1, 100 * LARGEST])
async def test_what_inflates_beyond_the_limit(size: int, autojump_clock: MockClock) -> None:
    async with client_of() as client:
        await client.open()
        await client.send(BytesMessage(bytes(size)))
        end = await client.receive()
        assert isinstance(end, CloseConnection)
        assert end.code == 1009


async def test_what_is_not_compressed_at_all(autojump_clock: MockClock) -> None:
    async with client_of() as client:
        await client.open()
        raw = zlib.compress(b"a" * 50)  # with a head that permessage-deflate does not have
        frame = bytes([0xC2, 0x80 | len(raw)]) + bytes(4) + raw
        await client._stream.send_all(frame)
        end = await client.receive()
        assert isinstance(end, CloseConnection)
        assert end.code == 1007


OFFERS = ["", "=", "=x", "=99", "=-1", "=12", "=12; server_no_context_takeover", "=0x9"]


@pytest.mark.parametrize("value", OFFERS)
@pytest.mark.parametrize("name", ["client_max_window_bits", "server_max_window_bits"])
def test_offers(name: str, value: str) -> None:
    deflate = BoundedDeflate(LARGEST)
    agreed = deflate.accept(f"permessage-deflate; {name}{value}")
    assert (agreed is None) == (value in ("=", "=x", "=99", "=-1", "=0x9"))
    assert deflate.enabled() == (agreed is not None)


@given(st.text("permsag-dflt;= _0123456789clinxwdobvkuy", max_size=80))
def test_no_offer_is_too_strange(offer: str) -> None:
    assert isinstance(BoundedDeflate(LARGEST).accept(offer), str | None)
