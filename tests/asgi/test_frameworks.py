"""Real applications beside a Socket.IO server on one port."""

import gc
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.asgi import frameworks
from tests.asgi.frameworks import PIECE, PIECES, Story
from tests.support.socket_pairs import socket_pair
from trio_sio.asgi import Fallback
from trio_sio.testing.wire import WireClient, open_wire

Make = Callable[[Story], Any]

pytestmark = pytest.mark.parametrize(
    "make", [frameworks.starlette, frameworks.fastapi, frameworks.quart]
)


async def _serve_nothing(session: trio_sio.abc.Session) -> None:
    await trio.sleep_forever()


@asynccontextmanager
async def wire_to(make: Make, story: Story, **options: Any) -> AsyncIterator[WireClient]:  # noqa: ANN401
    engine = trio_sio.Engine(fallback=Fallback(make(story), lifespan="on"), **options)
    async with open_wire(engine, _serve_nothing, streams=socket_pair) as wire:
        yield wire


async def test_its_routes_beside_socket_io(make: Make, autojump_clock: MockClock) -> None:
    story = Story()
    async with wire_to(make, story) as wire:
        assert story.told == ["startup"]
        connection = wire.connect()
        response = await connection.request("GET", "/hello/J%C3%BCrgen")
        assert response.status == 200
        assert '"word":"kept"' in response.text.replace(": ", ":")
        assert (await connection.request("GET", "/nothing")).status == 404
        assert (await wire.handshake()).target.startswith("/engine.io/")
    assert story.told == ["startup", "shutdown"]


async def test_a_large_upload_is_not_held(make: Make) -> None:
    piece, pieces = b"u" * 500_000, 100
    async with wire_to(make, Story()) as wire:
        connection = wire.connect()
        length = {"Content-Length": str(len(piece) * pieces)}
        tracemalloc.start()
        try:
            await connection.send_request("POST", "/upload", length)
            for _ in range(pieces):
                await connection.send(piece)
            response = await connection.receive_response()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert response.text == str(len(piece) * pieces)
        assert peak < 8_000_000


async def test_a_download_comes_in_chunks(make: Make, autojump_clock: MockClock) -> None:
    async with wire_to(make, Story()) as wire:
        connection = wire.connect()
        await connection.send_request("GET", "/download", {"Connection": "close"})
        data = await connection.receive_rest()
    assert b"transfer-encoding: chunked" in data.lower()
    assert data.count(PIECE[:60_000]) == PIECES
    assert data.endswith(b"\r\n0\r\n\r\n")


# Starlette drops its generators and leaves them to the garbage collection.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_events_end_when_their_client_leaves(
    make: Make, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    story = Story()
    async with wire_to(make, story) as wire:
        connection = wire.connect()
        await connection.send_request("GET", "/events")
        data = b""
        while data.count(b"data: now") < 3:
            data += await connection.stream.receive_some()
        await connection.aclose()
        await trio.sleep(2)
        await wait_all_tasks_blocked()
        gc.collect()
        await wait_all_tasks_blocked()
        assert story.told == ["startup", "no more lines"]
    assert "fallback failed" not in caplog.text


async def test_its_failure_is_answered_500(make: Make, autojump_clock: MockClock) -> None:
    async with wire_to(make, Story()) as wire:
        connection = wire.connect()
        assert (await connection.request("GET", "/fails")).status == 500
        assert (await connection.request("GET", "/hello/a")).status == 200
