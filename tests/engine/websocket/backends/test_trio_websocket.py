"""What only the library trio-websocket does: it reads a connection that we have begun."""

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.raw_websocket import FIELDS, TEXT, frame, websockets

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


@pytest.mark.parametrize(
    "fields",
    [
        {"X_Custom": "a, b", "Cookie": "c=d"},
        {"Host": "b%FCcher.example"},
        {"Host": "[::1]:80"},
        {"Sec_WebSocket_Protocol": "\xe9, b"},
        {"Sec_WebSocket_Extensions": 'a;b="\xe9"'},
        {"Connection": "keep-alive, Upgrade, close"},
    ],
)
async def test_the_library_never_reads_a_strangers_head(
    fields: dict[str, str], autojump_clock: MockClock
) -> None:
    async with websockets(ws_engine="trio-websocket") as (_, (client,)):
        await client.upgrade(TARGET + "&a=%20b&c=%C3%A9", **fields)
        assert client.status.startswith("HTTP/1.1 101")
        assert str(await client.receive()).startswith("0{")


async def test_a_client_that_leaves_during_the_handshake_is_nobodys_mistake(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(session: trio_sio.Session) -> None:
        await session.receive()

    lines = [f"GET {TARGET} HTTP/1.1", *[f"{name}: {value}" for name, value in FIELDS.items()]]
    request = "\r\n".join([*lines, "", ""]).encode()
    engine = trio_sio.Engine(ws_engine="trio-websocket", raise_errors=True)
    async with engine, trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with listener:
            for _ in range(20):
                client = await trio.open_tcp_stream(*listener.socket.getsockname())
                stream = await listener.accept()
                await client.send_all(request)
                reset = b"\1\0\0\0\0\0\0\0"  # SO_LINGER with no time: the peer gets a RST
                client.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, reset)
                await client.aclose()
                nursery.start_soon(engine.serve_stream, stream, handler)
    assert caplog.records == []
    assert engine.sessions == {}
