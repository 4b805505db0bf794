"""What only the library trio-websocket does: it reads a connection that we have begun."""

import pytest
from trio.testing import MockClock

import trio_sio
from tests.engine.websocket.raw_websocket import FIELDS, TEXT, frame, websockets

TARGET = "/engine.io/?transport=websocket"


def test_it_cannot_compress() -> None:
    with pytest.raises(ValueError, match=r"trio-sio\[speed\]"):
        trio_sio.Engine(ws_engine="trio-websocket", per_message_deflate=True)


async def test_frames_that_came_with_the_request_are_not_lost(autojump_clock: MockClock) -> None:
    lines = [f"GET {TARGET} HTTP/1.1", *[f"{name}: {value}" for name, value in FIELDS.items()]]
    head = "\r\n".join([*lines, "", ""]).encode()
    for ws_engine in ("trio-websocket", "websockets"):
        async with websockets(ws_engine=ws_engine) as (_, (client,)):
            await client.stream.send_all(head + frame(TEXT, b"4early"))
            data = b""
            while not data.endswith(b"4early"):
                data += await client.stream.receive_some()
            assert data.startswith(b"HTTP/1.1 101 ")


async def test_the_request_is_replayed_as_it_was(autojump_clock: MockClock) -> None:
    async with websockets(ws_engine="trio-websocket") as (_, (client,)):
        await client.upgrade(TARGET + "&a=%20b&c=%C3%A9", X_Custom="a, b", Cookie="c=d")
        assert client.status.startswith("HTTP/1.1 101")
