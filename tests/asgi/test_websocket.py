"""WebSocket routes of the application's own."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from fastapi import FastAPI, WebSocket as FastAPIWebSocket
from quart import websocket as quart_websocket
from quart_trio import QuartTrio
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.asgi import Fallback
from trio_sio.asgi.types import ASGIApplication, Message, Receive, Scope, Send
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_websocket import (
    Frame,
    WireWebSocket,
    frame_bytes,
    handshake_headers,
)


async def _serve_nothing(session: trio_sio.abc.Session) -> None:
    await trio.sleep_forever()


@asynccontextmanager
async def wire_to(
    app: ASGIApplication,
    grace: float = 5.0,
    **options: Any,  # noqa: ANN401
) -> AsyncIterator[WireClient]:
    fallback = Fallback(app, lifespan="off", max_message_size=1_000, **options)
    engine = trio_sio.Engine(fallback=fallback, grace=grace)
    async with open_wire(engine, _serve_nothing, streams=socket_pair) as wire:
        yield wire


async def opened(wire: WireClient, path: str = "/", **fields: str) -> WireWebSocket:
    connection = wire.connect()
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    response = await connection.request("GET", path, handshake_headers(headers))
    assert response.status == 101, response
    return WireWebSocket(connection, response)


class Echo:
    """Accepts and echoes.

    Attributes:
        seen: the scopes.
        last: the last message of each client.
        ended: whether there is one.
    """

    def __init__(self) -> None:
        self.seen: list[Scope] = []
        self.last: list[Message] = []
        self.ended = trio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        assert (await receive())["type"] == "websocket.connect"
        headers = [(b"X-Mine", b"1"), (b"Transfer-Encoding", b"chunked")]
        await send({"type": "websocket.accept", "subprotocol": "b", "headers": headers})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})
        self.last.append(message)
        self.ended.set()


async def test_messages_both_ways(autojump_clock: MockClock) -> None:
    app = Echo()
    async with wire_to(app) as wire:
        connection = wire.connect()
        fields = handshake_headers({"Sec-WebSocket-Protocol": "a, b"})
        response = await connection.request("GET", "/ws?a=1", fields)
        assert (response.status, response.headers["sec-websocket-protocol"]) == (101, "b")
        assert response.headers["x-mine"] == "1"
        assert "transfer-encoding" not in response.headers
        client = WireWebSocket(connection, response)
        for frame, data in ((1, "wörds".encode()), (2, b"\xff\0")):
            await client.send_frame(frame, data)
            assert await client.receive_frame() == Frame(frame, data)
        await client.send_frame(9, b"ping")
        assert await client.receive_frame() == Frame(10, b"ping")
        await client.send_frame(1, b"in ", fin=False)
        await client.send_frame(0, b"two")
        assert await client.receive_frame() == Frame(1, b"in two")
        assert await client.close(4001) == 4001
        await wait_all_tasks_blocked()
    (scope,) = app.seen
    assert (scope["type"], scope["scheme"], scope["path"]) == ("websocket", "ws", "/ws")
    assert (scope["subprotocols"], scope["query_string"]) == (["a", "b"], b"a=1")
    assert [message["code"] for message in app.last] == [4001]


def answers(*messages: Message) -> ASGIApplication:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            await send(dict(message))

    return app


@pytest.mark.parametrize(
    ("messages", "status", "body"),
    [
        ([{"type": "websocket.close"}], 403, None),
        (
            [
                {"type": "websocket.http.response.start", "status": 401, "headers": []},
                {"type": "websocket.http.response.body", "body": b"log in"},
            ],
            401,
            b"log in",
        ),
        ([], 500, None),
        ([{"type": "websocket.send", "text": "a"}], 500, None),
        ([{"type": "websocket.accept", "headers": [(b"a", b"b\r\nc: d")]}], 500, None),
        ([{"type": "websocket.accept", "subprotocol": "unasked"}], 500, None),
    ],
)
async def test_who_is_not_accepted(
    messages: list[Message], status: int, body: bytes | None, autojump_clock: MockClock
) -> None:
    async with wire_to(answers(*messages)) as wire:
        response = await wire.connect().request("GET", "/", handshake_headers())
        assert response.status == status
        assert body is None or response.body == body


@pytest.mark.parametrize("change", [{"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Key": "x"}])
async def test_what_is_no_handshake(change: dict[str, str], autojump_clock: MockClock) -> None:
    async with wire_to(Echo()) as wire:
        response = await wire.connect().request("GET", "/", {**handshake_headers(), **change})
        assert response.status == 400


async def test_a_message_that_is_too_large_ends_it(autojump_clock: MockClock) -> None:
    app = Echo()
    async with wire_to(app) as wire:
        client = await opened(wire, Sec_WebSocket_Protocol="b")
        await client.send_frame(1, b"a" * 1_001)
        assert await client.receive_close() == 1009
        await client.aclose()
        await wait_all_tasks_blocked()
    assert [message["code"] for message in app.last] == [1009]


@pytest.mark.parametrize(
    ("data", "code"), [(frame_bytes(3, b"a"), 1002), (frame_bytes(1, b"\xff"), 1007)]
)
async def test_a_broken_frame_ends_it(data: bytes, code: int, autojump_clock: MockClock) -> None:
    async with wire_to(Echo()) as wire:
        client = await opened(wire, Sec_WebSocket_Protocol="b")
        await client.connection.send(data)
        assert await client.receive_close() == code


async def test_a_client_that_leaves_or_is_silent(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    app = Echo()
    async with wire_to(app) as wire:
        await (await opened(wire, Sec_WebSocket_Protocol="b")).aclose()
        await wait_all_tasks_blocked()
        assert [message["code"] for message in app.last] == [1006]
        await opened(wire, Sec_WebSocket_Protocol="b")
        await trio.sleep(60)
        assert [message["code"] for message in app.last] == [1006, 1006]
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_how_long_a_silent_client_has(autojump_clock: MockClock) -> None:
    app = Echo()
    async with wire_to(app, ping_interval=2.0, ping_timeout=3.0) as wire:
        client = await opened(wire, Sec_WebSocket_Protocol="b")
        assert await client.receive_frame() == Frame(9, b"")
        assert trio.current_time() == pytest.approx(2.0)
        await client.send_frame(10)
        assert await client.receive_frame() == Frame(9, b"")
        last = trio.current_time()
        await app.ended.wait()
        assert trio.current_time() - last == pytest.approx(3.0)
    assert [message["code"] for message in app.last] == [1006]


async def test_how_long_a_client_may_take_nothing(autojump_clock: MockClock) -> None:
    ended = trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "bytes": bytes(100_000)})
        except OSError:
            ended.set()

    async with wire_to(app, answer_timeout=4.0) as wire:
        await opened(wire)
        await ended.wait()
        assert trio.current_time() == pytest.approx(4.0)


async def test_a_client_whose_messages_nobody_wants_is_not_read(
    autojump_clock: MockClock,
) -> None:
    over = trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await over.wait()

    async with wire_to(app) as wire:
        client = await opened(wire)
        frames = frame_bytes(1, b"a" * 900) * 1_000
        with trio.move_on_after(5) as waiting:
            for _ in range(10):
                await client.connection.send(frames)
        assert waiting.cancelled_caught
        over.set()


async def test_sending_to_who_has_left_raises(autojump_clock: MockClock) -> None:
    raised = trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await receive()
        assert (await receive())["type"] == "websocket.disconnect"
        with pytest.raises(OSError, match="closed"):
            await send({"type": "websocket.send", "text": "a"})
        raised.set()

    async with wire_to(app) as wire:
        client = await opened(wire)
        await client.close(1000)
        with trio.fail_after(5):
            await raised.wait()


async def test_its_failure_closes_with_1011_and_is_told_once(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise KeyError("of the application")

    async with wire_to(app) as wire:
        client = await opened(wire)
        assert await client.close(1000) == 1011
    (record,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert record.getMessage().startswith("fallback failed for GET /")


async def test_at_shutdown_it_is_closed_and_the_application_may_clean_up(
    autojump_clock: MockClock,
) -> None:
    app = Echo()
    cleaned = trio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        await trio.sleep(3)
        cleaned.set()

    async with wire_to(slow) as wire:
        client = await opened(wire, Sec_WebSocket_Protocol="b")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wire.engine.aclose)
            assert await client.receive_close() == 1001
    assert cleaned.is_set()
    assert [message["code"] for message in app.last] == [1001]


def starlette() -> ASGIApplication:
    async def hello(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(f"hello, {text}")

    return Starlette(routes=[WebSocketRoute("/hello", hello)])


def fastapi() -> ASGIApplication:
    app = FastAPI()

    @app.websocket("/hello")
    async def hello(websocket: FastAPIWebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(f"hello, {text}")

    return app


def quart() -> QuartTrio:
    app = QuartTrio(__name__)

    @app.websocket("/hello")
    async def hello() -> None:
        while True:
            text = str(await quart_websocket.receive())
            await quart_websocket.send(f"hello, {text}")

    return app


@pytest.mark.parametrize("make", [starlette, fastapi, quart])
async def test_frameworks(
    make: object, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(make)
    async with wire_to(make()) as wire:
        client = await opened(wire, "/hello")
        for name in ("a", "b"):
            await client.send_frame(1, name.encode())
            assert name.encode() in (await client.receive_frame()).payload
        assert await client.close(1000) == 1000
        await wait_all_tasks_blocked()
        response = await wire.connect().request("GET", "/nothing", handshake_headers())
        assert response.status in (403, 404)
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []
