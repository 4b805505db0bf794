"""A WebSocket client by hand, against frames written out by hand."""

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    Frame,
    WebSocketClosed,
    WireWebSocket,
    frame_bytes,
    handshake_headers,
    open_websocket,
    packet_frames,
)

ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX: y\r\n\r\n"
NO_MASK = bytes(4)


async def opened(sent: bytes) -> tuple[WireWebSocket, trio.abc.Stream]:
    ours, theirs = memory_stream_pair()
    await theirs.send_all(ACCEPTED + sent)
    return await open_websocket(WireConnection(ours), "/"), theirs


@pytest.mark.parametrize(
    ("frame", "sent"),
    [
        (frame_bytes(TEXT, b"Hello", mask=b"\x37\xfa\x21\x3d"), "8185 37fa213d 7f9f4d5158"),
        (frame_bytes(TEXT, b"Hello", mask=None), "8105 48656c6c6f"),  # both of RFC 6455, 5.7
        (frame_bytes(PING), "8980 01800fff"),
        (frame_bytes(BINARY, b"\0", fin=False, rsv=4, mask=NO_MASK), "4281 00000000 00"),
        (frame_bytes(TEXT, b"", rsv=1, mask=NO_MASK), "9180 00000000"),
    ],
)
def test_frames(frame: bytes, sent: str) -> None:
    assert frame == bytes.fromhex(sent)


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (125, "82fd"),
        (126, "82fe 007e"),
        (65535, "82fe ffff"),
        (65536, "82ff 0000000000010000"),
    ],
)
def test_lengths(size: int, head: str) -> None:
    frame = frame_bytes(BINARY, b"x" * size, mask=NO_MASK)
    assert frame == bytes.fromhex(head) + NO_MASK + b"x" * size


def test_fragments() -> None:
    whole = packet_frames("4é", fragment=1)
    assert whole == (
        frame_bytes(TEXT, b"4", fin=False)
        + frame_bytes(0, b"\xc3", fin=False)
        + frame_bytes(0, b"\xa9")
    )
    assert packet_frames(b"\4ab", fragment=10) == packet_frames(b"\4ab")
    assert packet_frames("\ud800") == frame_bytes(TEXT, b"\xed\xa0\x80")


async def test_the_handshake(autojump_clock: MockClock) -> None:
    websocket, server = await opened(b"")
    request = bytes(await server.receive_some()).decode()
    assert request.startswith("GET / HTTP/1.1\r\nHost: wire\r\nConnection: Upgrade\r\n")
    assert websocket.headers["x"] == "y"
    first, second = handshake_headers(), handshake_headers({"Upgrade": "x"})
    assert first["Sec-WebSocket-Key"] != second["Sec-WebSocket-Key"]
    assert second["Upgrade"] == "x"


async def test_a_handshake_that_is_refused(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    await theirs.send_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno")
    with pytest.raises(AssertionError, match="status=400"):
        await open_websocket(WireConnection(ours), "/")


async def test_frames_that_are_received(autojump_clock: MockClock) -> None:
    long = b"\x82\x7e\x00\x7e" + b"x" * 126 + b"\x82\x7f" + (65536).to_bytes(8) + b"y" * 65536
    websocket, _ = await opened(b"\x81\x02hi\x02\x01a\xc1\x01z" + long)
    assert await websocket.receive_frame() == Frame(TEXT, b"hi")
    assert await websocket.receive_frame() == Frame(BINARY, b"a", fin=False)
    assert await websocket.receive_frame() == Frame(TEXT, b"z", rsv=4)
    assert await websocket.receive() == b"x" * 126
    assert await websocket.receive() == b"y" * 65536


async def test_a_server_masks_nothing(autojump_clock: MockClock) -> None:
    websocket, _ = await opened(frame_bytes(TEXT, b"a"))
    with pytest.raises(AssertionError, match="masks nothing"):
        await websocket.receive()


@pytest.mark.parametrize(("payload", "code"), [(b"", None), (b"\x03\xe8bye", 1000)])
async def test_close_frames(payload: bytes, code: int | None, autojump_clock: MockClock) -> None:
    frame = frame_bytes(CLOSE, payload, mask=None)
    websocket, _ = await opened(frame)
    with pytest.raises(WebSocketClosed) as caught:
        await websocket.receive()
    assert caught.value.code == code
    websocket, server = await opened(frame)
    await server.aclose()
    assert await websocket.receive_close() == code


async def test_receive_close_wants_it_to_be_the_end(autojump_clock: MockClock) -> None:
    for rest, text in ((b"\x81\x00", "a close frame was due"), (b"\x88\x00\x81\x00", "behind")):
        websocket, server = await opened(rest)
        await server.aclose()
        with pytest.raises(AssertionError, match=text):
            await websocket.receive_close()


async def test_closing(autojump_clock: MockClock) -> None:
    websocket, server = await opened(b"\x88\x00")
    await server.receive_some()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def answer() -> None:
            data = bytes(await server.receive_some())
            assert data == frame_bytes(CLOSE, b"\x03\xe9going")
            await server.aclose()

        await websocket.send_close(1001, "going")
        assert await websocket.receive_close() is None
    await websocket.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await websocket.send("4a")
