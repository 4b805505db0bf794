"""The same conversations through each library."""

import json

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.raw_websocket import (
    ACCEPT,
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
    frame,
    websockets,
)
from tests.support.refusals import told

DIRECT = "/engine.io/?EIO=3&transport=websocket"

pytestmark = pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])


async def opened(client: RawWebSocket) -> str:
    """Go through the handshake; return the session id."""
    await client.upgrade(DIRECT)
    assert client.status == "HTTP/1.1 101 Switching Protocols"
    opening = await client.receive()
    assert isinstance(opening, str)
    assert opening[0] == "0"
    sid = json.loads(opening[1:])["sid"]
    assert isinstance(sid, str)
    return sid


async def test_the_handshake(ws_engine: str, autojump_clock: MockClock) -> None:
    async with websockets(ws_engine=ws_engine) as (engine, (client,)):
        await client.upgrade(DIRECT, Sec_WebSocket_Protocol="one, two")
        assert client.status.startswith("HTTP/1.1 101")
        assert client.headers["upgrade"].lower() == "websocket"
        assert client.headers["connection"].lower() == "upgrade"
        assert client.headers["sec-websocket-accept"] == ACCEPT
        assert client.headers["sec-websocket-protocol"] == "one"
        assert "sec-websocket-extensions" not in client.headers
        assert "set-cookie" not in client.headers
        opening = str(await client.receive())
        (sid,) = engine.sessions
        assert json.loads(opening[1:]) == {
            "sid": sid,
            "upgrades": [],
            "pingInterval": 25000,
            "pingTimeout": 5000,
        }


async def test_version_8_has_the_same_frames(ws_engine: str, autojump_clock: MockClock) -> None:
    async with websockets(ws_engine=ws_engine) as (_, (client,)):
        await client.upgrade(DIRECT, Sec_WebSocket_Version="8")
        assert client.status.startswith("HTTP/1.1 101")
        await client.receive()
        await client.send("4a")
        assert await client.receive() == "4a"


@pytest.mark.parametrize(
    "message", ["4", "4text", "4😀", "4" + "x" * 70_000, b"\x04", b"\x04\x00\xff", b"\x04" * 300]
)
async def test_messages_both_ways(
    message: str | bytes, ws_engine: str, autojump_clock: MockClock
) -> None:
    async with websockets(ws_engine=ws_engine) as (_, (client,)):
        await opened(client)
        await client.send(message)
        assert await client.receive() == message


async def test_a_message_in_fragments(ws_engine: str, autojump_clock: MockClock) -> None:
    async with websockets(ws_engine=ws_engine) as (_, (client,)):
        await opened(client)
        data = "4é€😀".encode()
        parts = [frame(TEXT if i == 0 else 0, data[i : i + 1], fin=False) for i in range(len(data))]
        parts.insert(3, frame(PING, b"between"))
        await client.stream.send_all(b"".join([*parts, frame(0, b"")]))
        assert await client.receive_frame() == (PONG, b"between")
        assert await client.receive() == "4é€😀"


async def test_byte_by_byte(ws_engine: str, autojump_clock: MockClock) -> None:
    async with websockets(ws_engine=ws_engine) as (_, (client,)):
        await opened(client)
        for byte in frame(TEXT, b"4abc") + frame(BINARY, b"\x04abc"):
            await client.stream.send_all(bytes((byte,)))
        assert await client.receive() == "4abc"
        assert await client.receive() == b"\x04abc"


async def test_pings_of_both_layers(ws_engine: str, autojump_clock: MockClock) -> None:
    async with websockets(ws_engine=ws_engine) as (_, (client,)):
        await opened(client)
        await client.stream.send_all(frame(PING, b"data") + frame(PONG, b"unasked"))
        assert await client.receive_frame() == (PONG, b"data")
        await client.send("2probe")  # no probe here, so the data is not echoed
        assert await client.receive() == "3"


def reasons(into: list[object]) -> object:
    async def handler(session: trio_sio.Session) -> None:
        try:
            while True:
                await session.receive()
        finally:
            into.append(session.reason)

    return handler


BROKEN = {
    "unmasked": (frame(TEXT, b"4a", mask=False), 1002, "transport error"),
    "reserved bit": (frame(TEXT, b"4a", rsv=0x40), 1002, "transport error"),
    "reserved opcode": (frame(3, b""), 1002, "transport error"),
    "fragmented ping": (frame(PING, b"", fin=False), 1002, "transport error"),
    "continuation of nothing": (frame(0, b"a"), 1002, "transport error"),
    "invalid text": (frame(TEXT, b"4\xff\xff"), 1007, "transport error"),
    "too big": (frame(TEXT, b"4" + b"x" * 2000), 1009, "transport error"),
    "no packet": (frame(TEXT, b"x"), None, "parse error"),
    "empty text": (frame(TEXT, b""), None, "parse error"),
    "close packet": (frame(TEXT, b"1"), None, "transport close"),
}


@pytest.mark.parametrize("name", list(BROKEN))
async def test_how_a_broken_client_ends(
    name: str, ws_engine: str, autojump_clock: MockClock
) -> None:
    data, code, reason = BROKEN[name]
    seen: list[object] = []
    options = {"ws_engine": ws_engine, "max_http_buffer_size": 2000}
    async with websockets(reasons(seen), count=2, **options) as (engine, (client, other)):  # type: ignore[arg-type]
        await opened(client)
        await other.upgrade(DIRECT)
        await client.stream.send_all(data)
        opcode, payload = await client.receive_frame()
        assert opcode == CLOSE
        assert payload[:2] == (b"" if code is None else code.to_bytes(2, "big"))
        await client.stream.aclose()
        await trio.sleep(1)
        assert seen == [reason]
        assert len(engine.sessions) == 1


@pytest.mark.parametrize("payload", [b"", (1000).to_bytes(2, "big"), (1009).to_bytes(2, "big")])
async def test_a_client_that_closes(
    payload: bytes, ws_engine: str, autojump_clock: MockClock
) -> None:
    seen: list[object] = []
    async with websockets(reasons(seen), ws_engine=ws_engine) as (_, (client,)):  # type: ignore[arg-type]
        await opened(client)
        await client.stream.send_all(frame(CLOSE, payload))
        assert await client.receive_frame() == (CLOSE, payload)
        assert await client.rest() == b""
        assert seen == ["transport close"]


async def test_a_connection_that_goes_away(ws_engine: str, autojump_clock: MockClock) -> None:
    seen: list[object] = []
    async with websockets(reasons(seen), ws_engine=ws_engine) as (engine, (client,)):  # type: ignore[arg-type]
        await opened(client)
        await client.stream.aclose()
        await trio.sleep(1)
        assert seen == ["transport close"]
        assert engine.sessions == {}


async def test_a_large_message_before_joining(ws_engine: str, autojump_clock: MockClock) -> None:
    message = "4" + "x" * 50_000
    options: dict[str, object] = {"ws_engine": ws_engine, "handshake_buffer_size": 10_000}
    async with websockets(**options) as (engine, (client,)):  # type: ignore[arg-type]
        sid = await opened(client)
        engine.sessions[sid].lift_limits()
        await client.send(message)
        assert await client.receive() == message
    async with websockets(**options) as (_, (client,)):  # type: ignore[arg-type]
        await opened(client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send, message)
            assert await client.receive_frame() == (CLOSE, (1009).to_bytes(2, "big"))
            nursery.cancel_scope.cancel()


async def test_nobody_takes_over_a_session_that_began_here(
    ws_engine: str, autojump_clock: MockClock
) -> None:
    async with websockets(count=2, ws_engine=ws_engine) as (_, (client, thief)):
        sid = await opened(client)
        await thief.upgrade(f"{DIRECT}&sid={sid}")
        assert await thief.receive_frame() == (CLOSE, b"")
        await client.send("4still here")
        assert await client.receive() == "4still here"


async def test_an_upgrade_for_polling_is_closed_at_once(
    ws_engine: str, autojump_clock: MockClock
) -> None:
    async with websockets(ws_engine=ws_engine) as (engine, (client,)):
        await client.upgrade("/engine.io/?transport=polling")
        assert client.status.startswith("HTTP/1.1 101")
        assert await client.receive_frame() == (CLOSE, b"")
        assert engine.sessions == {}


@pytest.mark.parametrize(
    ("target", "fields", "text"),
    [
        ("/engine.io/?transport=x", {}, b"Transport unknown"),
        (DIRECT + "&sid=nobody", {}, b"Session ID unknown"),
        (DIRECT, {"Sec_WebSocket_Key": "short"}, b"Bad Request"),
        (DIRECT, {"Sec_WebSocket_Key": None}, b"Bad Request"),
        (DIRECT, {"Sec_WebSocket_Version": "7"}, b"Bad Request"),
        (DIRECT, {"method": "POST"}, b"Bad handshake method"),
    ],
)
async def test_refused_requests(
    target: str,
    fields: dict[str, str | None],
    text: bytes,
    ws_engine: str,
    autojump_clock: MockClock,
) -> None:
    async with websockets(ws_engine=ws_engine) as (engine, (client,)):
        await client.upgrade(target, **fields)  # type: ignore[arg-type]
        assert client.status == "HTTP/1.1 400 Bad Request"
        body = await client.rest()
        assert body == told(text)
        assert client.headers.pop("date").endswith(" GMT")
        assert client.headers == {
            "cache-control": "no-store",
            "connection": "close",
            "content-type": "text/html",
            "content-length": str(len(body)),
        }
        assert engine.sessions == {}


async def test_the_application_refuses(ws_engine: str, autojump_clock: MockClock) -> None:
    async def allow(request: trio_sio.Request) -> bool:
        if "x" in request.query_string:
            raise trio_sio.RequestRefused("no key")
        return False

    options: dict[str, object] = {"ws_engine": ws_engine, "allow_request": allow}
    async with websockets(count=2, **options) as (_, (first, second)):  # type: ignore[arg-type]
        await first.upgrade(DIRECT)
        assert await first.rest() == b"\nallow_request refused\n"
        await second.upgrade(DIRECT + "&x")
        assert await second.rest() == b"no key"
