"""Why sockets leave, over WebSocket: each way to break the rules, and the frame that answers.

Reasons and wire together; `test_endings_websocket.py` has the ordinary case of each reason.
"""

import pytest
import trio

import trio_sio
from tests.api.watched import Watched
from tests.support.peers import served
from tests.support.raw import POLLING, Raw, raw
from tests.support.raw_websocket import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
    frame,
)
from tests.support.refusals import told
from tests.support.servers import MakeServer

ALL = ("/", "/admin")
EMPTY_CLOSE = (CLOSE, b"")

pytestmark = pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])


def closing(code: int, words: bytes = b"") -> bytes:
    return code.to_bytes(2, "big") + words


async def in_both(wire: Raw, watched: Watched) -> RawWebSocket:
    websocket = await wire.joined("/admin")
    await watched.came(*ALL)
    return websocket


async def is_over(websocket: RawWebSocket) -> bool:
    """Whether nothing more comes, once both sides have said goodbye."""
    await websocket.stream.send_eof()
    return await websocket.rest() == b""


# -- the client closes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [b"", closing(1000), closing(1000, b"bye"), closing(1001), closing(3000), closing(4999, b"x")],
)
async def test_a_close_frame_is_echoed(payload: bytes, make_server: MakeServer) -> None:
    """Whatever its code, the client has gone: "transport close"."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        await websocket.stream.send_all(frame(CLOSE, payload))
        opcode, echo = await websocket.receive_frame()
        assert (opcode, echo[:2]) == (CLOSE, payload[:2])
        await watched.all_left("transport close", *ALL)
        assert await is_over(websocket)


@pytest.mark.parametrize("is_within_a_message", [False, True])
async def test_an_end_of_the_stream_without_a_close_frame(
    is_within_a_message: bool, make_server: MakeServer
) -> None:
    """No close frame came, so none is echoed."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        if is_within_a_message:
            await websocket.stream.send_all(frame(TEXT, b'42["say"]')[:5])
        await websocket.stream.send_eof()
        await watched.all_left("transport close", *ALL)
        assert await websocket.rest() == b""


async def test_disconnect_and_a_close_frame(make_server: MakeServer) -> None:
    """That is how the JavaScript client takes its leave."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await watched.came("/")
        await websocket.stream.send_all(frame(TEXT, b"41") + frame(CLOSE, b""))
        assert await websocket.receive_frame() == EMPTY_CLOSE
        await watched.all_left("client namespace disconnect", "/")
        assert watched.session.reason == "transport close"


# -- the client breaks the rules -----------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(TEXT, b"2", mask=False), id="unmasked"),
        pytest.param(frame(3, b"2"), id="unknown opcode"),
        pytest.param(frame(TEXT, b"2", rsv=0x40), id="reserved bit"),
        pytest.param(frame(0, b"2"), id="continuation of nothing"),
        pytest.param(frame(TEXT, b"4", fin=False) + frame(TEXT, b"2"), id="message in a message"),
        pytest.param(frame(PING, b"x", fin=False), id="ping in parts"),
        pytest.param(frame(PING, b"x" * 126), id="ping that is too long"),
        pytest.param(frame(CLOSE, closing(1005)), id="close frame with a code that is none"),
        pytest.param(frame(CLOSE, b"\x03"), id="close frame with half a code"),
    ],
)
async def test_a_frame_against_the_protocol(data: bytes, make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        await websocket.stream.send_all(data)
        opcode, payload = await websocket.receive_frame()
        assert (opcode, payload[:2]) == (CLOSE, closing(1002))
        await watched.all_left("transport error", *ALL)
        assert await is_over(websocket)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(TEXT, b"4\xc3"), id="cut short"),
        pytest.param(frame(TEXT, b"4\xed\xa0\x80"), id="surrogate"),
        pytest.param(frame(TEXT, b"4\xc0\x80"), id="overlong"),
        pytest.param(frame(TEXT, b"4\xc3", fin=False) + frame(0, b"("), id="in two frames"),
    ],
)
async def test_text_that_is_no_utf_8(data: bytes, make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        await websocket.stream.send_all(data)
        opcode, payload = await websocket.receive_frame()
        assert (opcode, payload[:2]) == (CLOSE, closing(1007))
        await watched.all_left("transport error", *ALL)
        assert await is_over(websocket)


@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize("is_fragmented", [False, True])
async def test_a_message_over_the_limit(
    is_binary: bool, is_fragmented: bool, make_server: MakeServer
) -> None:
    """Exactly the limit is welcome, a byte more is not, be it in parts or not."""
    watched = Watched(make_server(max_http_buffer_size=1000))
    opcode = BINARY if is_binary else TEXT
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        await websocket.send("2" + "x" * 999)
        assert await websocket.receive() == "3"
        message = b"4" + b"x" * 1000
        if is_fragmented:
            parts = frame(opcode, message[:600], fin=False) + frame(0, message[600:])
            await websocket.stream.send_all(parts)
        else:
            await websocket.stream.send_all(frame(opcode, message))
        kind, payload = await websocket.receive_frame()
        assert (kind, payload[:2]) == (CLOSE, closing(1009))
        await watched.all_left("transport error", *ALL)
        assert await is_over(websocket)


@pytest.mark.parametrize("packet", ["", "7", "x", "é"])
async def test_text_that_is_no_packet(packet: str, make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        await websocket.send(packet)
        assert await websocket.receive_frame() == EMPTY_CLOSE
        await watched.all_left("parse error", *ALL)


async def test_what_costs_nobody_anything(make_server: MakeServer) -> None:
    """What the reference ignores: nothing is answered, and nobody leaves."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        ignored = ["0", "3", "5", "6", '47["x"]', "41/nowhere,", '42/nowhere,["x"]', "b", "42"]
        odd: list[str | bytes] = [*ignored, b"", b"\x07"]
        for packet in odd:
            await websocket.send(packet)
        await websocket.stream.send_all(frame(PING, b"hi"))
        assert await websocket.receive_frame() == (PONG, b"hi")
        await websocket.send("2bye")
        assert await websocket.receive() == "3"
        assert watched.order == []


# -- silence -------------------------------------------------------------------------------------


async def test_pings_of_the_websocket_are_no_sign_of_life(make_server: MakeServer) -> None:
    """Only packets are; a client that pings otherwise is timed out all the same."""
    watched = Watched(make_server(ping_interval=0.1, ping_timeout=0.2))
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        while True:
            await websocket.stream.send_all(frame(PING, b"hi"))
            received = await websocket.receive_frame()
            if received != (PONG, b"hi"):
                break
            await trio.sleep(0.02)
        assert received == EMPTY_CLOSE
        await watched.all_left("ping timeout", *ALL)


# -- the server closes ---------------------------------------------------------------------------


async def test_what_was_said_before_the_connection_is_closed_arrives(
    make_server: MakeServer,
) -> None:
    """In order, before the close frame; and what is said afterwards does not."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        for number in range(3):
            await watched.sockets["/"].emit("said", number)
        await watched.sockets["/"].disconnect(close=True)
        await watched.io.emit("late")
        frames = [await websocket.receive_frame() for _ in range(6)]
        said = [(TEXT, b'42["said",%d]' % number) for number in range(3)]
        assert frames == [*said, (TEXT, b"41"), (TEXT, b"41/admin,"), EMPTY_CLOSE]
        await watched.all_left("server namespace disconnect", *ALL)
        assert await is_over(websocket)


async def test_sockets_leave_before_the_client_has_answered(make_server: MakeServer) -> None:
    """Nobody waits for the client's own close frame."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        watched.session.close()
        await watched.all_left("forced close", *ALL)
        assert await websocket.receive_frame() == EMPTY_CLOSE
        await websocket.stream.send_all(frame(TEXT, b'42["say"]') + frame(CLOSE, b""))
        assert await is_over(websocket)


async def test_a_session_that_was_closed_is_unknown_at_once(make_server: MakeServer) -> None:
    """Even before the client has answered the close frame."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        watched.session.close()
        assert await websocket.receive_frame() == EMPTY_CLOSE
        response = await wire.get(f"{POLLING}&sid={watched.session.id}")
        assert response.status == 400
        assert response.body == told(b'{"code":1,"message":"Session ID unknown"}')


async def test_whoever_does_not_keep_up_loses_what_was_queued(make_server: MakeServer) -> None:
    """A client that reads again finds whole frames, fewer than were sent, and no DISCONNECT."""
    watched = Watched(make_server(max_outbox=4))
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await in_both(wire, watched)
        flood = b"x" * 100_000
        for _ in range(400):
            await watched.io.emit("flood", flood.decode())
        await watched.all_left("slow consumer", *ALL)
        with pytest.raises(trio_sio.Disconnected):
            await watched.sockets["/"].emit("late")
        rest = await websocket.rest()
        assert 0 < rest.count(b'42["flood"') < 400
        assert b"41" not in rest.replace(flood, b"")
