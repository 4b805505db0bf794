"""Frames of WebSockets: their bits, size and number, what they swell to, and floods of them."""

import gc
import zlib

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.security.clients import end_of, is_served_by_polling, joined, polling
from tests.security.neighbour import beside
from tests.support.servers import MakeServer
from trio_sio.testing.wire import WireClient
from trio_sio.testing.wire_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    WireWebSocket,
    frame_bytes,
    open_websocket,
)

LIBRARIES = pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])


def head(first: int, size: int) -> bytes:
    """The head of a masked frame that announces a size, which need not come."""
    if size < 126:
        return bytes((first, 0x80 | size)) + b"mask"
    if size < 65536:
        return bytes((first, 0xFE)) + size.to_bytes(2, "big") + b"mask"
    return bytes((first, 0xFF)) + size.to_bytes(8, "big") + b"mask"


BROKEN: dict[str, tuple[bytes, set[int]]] = {
    **{f"rsv {bits}": (frame_bytes(TEXT, b"2", rsv=bits), {1002}) for bits in range(1, 8)},
    **{f"opcode {code}": (frame_bytes(code), {1002}) for code in (3, 4, 5, 6, 7, 11, 12, 13, 15)},
    "unmasked": (frame_bytes(TEXT, b"2", mask=None), {1002}),
    "cut control": (frame_bytes(PING, b"x", fin=False), {1002}),
    "long control": (frame_bytes(PING, b"x" * 126), {1002}),
    "close of one byte": (frame_bytes(CLOSE, b"\x03"), {1002}),
    "close of a code that nobody may send": (frame_bytes(CLOSE, b"\x03\xed"), {1002}),
    "close with a reason that is no text": (frame_bytes(CLOSE, b"\x03\xe8\xff"), {1002, 1007}),
    "continuation of nothing": (frame_bytes(CONTINUATION, b"2"), {1002}),
    "message in a message": (frame_bytes(TEXT, b"2", fin=False) * 2, {1002}),
    "no text": (frame_bytes(TEXT, b"2\xff"), {1007}),
    "a negative length": (head(0x82, 2**63), {1002, 1009}),
    "the longest length": (head(0x82, 2**64 - 1), {1002, 1009}),
}


@LIBRARIES
@pytest.mark.parametrize("name", BROKEN)
async def test_cve_2022_21676_a_broken_frame_ends_its_own_connection_with_a_code(
    eio: int, name: str, ws_engine: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """On an open session, on one that has yet to be upgraded, and behind one that probes."""
    data, codes = BROKEN[name]
    io = make_server(ws_engine=ws_engine)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.connection.send(data)
        assert await end_of(websocket) in codes
        session = await polling(wire, eio=eio)
        for probe in (session.open_websocket, session.probe):
            websocket = await probe()
            await websocket.connection.send(data)
            await websocket.connection.receive_rest()
        assert await is_served_by_polling(session)


# -- size and number -----------------------------------------------------------------------------


@LIBRARIES
@pytest.mark.parametrize("size", [10_001, 70_000, 2**31, 2**40, 2**63 - 1])
async def test_cve_2016_10542_a_huge_frame_is_refused_by_its_head(
    eio: int, size: int, ws_engine: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Not a byte of what it announces has come."""
    io = make_server(ws_engine=ws_engine, max_http_buffer_size=10_000)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.connection.send(head(0x82, size))
        assert await end_of(websocket) == 1009
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"max_http_buffer_size": 1}


@LIBRARIES
async def test_cve_2016_10542_so_is_the_message_that_grows_beyond_by_fragments(
    eio: int, ws_engine: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(ws_engine=ws_engine, max_http_buffer_size=10_000)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send_frame(BINARY, b"x" * 9000, fin=False)
        await websocket.connection.send(head(CONTINUATION, 1001))
        assert await end_of(websocket) == 1009


@LIBRARIES
@pytest.mark.parametrize("payload", [b"", b"x"])
async def test_cve_2026_48779_tiny_fragments_are_counted(
    eio: int, payload: bytes, ws_engine: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(ws_engine=ws_engine, max_fragments=100)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send_frame(BINARY, payload, fin=False)
        await websocket.connection.send(frame_bytes(CONTINUATION, payload, fin=False) * 10_000)
        assert await end_of(websocket) == 1009
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"max_fragments": 1}


@LIBRARIES
async def test_cve_2026_48779_tiny_chunks_of_a_frame_leave_nothing_behind(
    eio: int, ws_engine: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Each byte comes by itself, and what the server keeps of a thousand is about a thousand."""
    io = make_server(ws_engine=ws_engine)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.connection.send(head(0x82, 90_000))
        await wait_all_tasks_blocked()
        gc.collect()
        before = len(gc.get_objects())
        await websocket.connection.send(b"x" * 1000, cut=1)
        await wait_all_tasks_blocked()
        gc.collect()
        assert len(gc.get_objects()) - before < 200


# -- what it swells to ---------------------------------------------------------------------------

BOMB = zlib.compressobj(9, zlib.DEFLATED, -15)
SWOLLEN = 50_000_000
SMALL = (BOMB.compress(b"4" + bytes(SWOLLEN)) + BOMB.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def test_cve_2018_1000518_a_message_that_swells_beyond_the_limit_is_refused(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """49 kB in, 50 MB out, if nobody stopped it: whole or in fragments."""
    assert len(SMALL) < 60_000
    io = make_server(per_message_deflate=True, max_http_buffer_size=100_000)
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate"}
    async with beside(io) as wire:
        for _ in range(2):
            websocket = await joined(wire, headers=offer, eio=eio)
            assert "sec-websocket-extensions" in websocket.headers
            await websocket.send_frame(BINARY, SMALL, rsv=4)
            assert await end_of(websocket) == 1009
        websocket = await joined(wire, headers=offer, eio=eio)
        middle = len(SMALL) // 2
        await websocket.send_frame(BINARY, SMALL[:middle], fin=False, rsv=4)
        await websocket.send_frame(CONTINUATION, SMALL[middle:])
        assert await end_of(websocket) == 1009


async def test_cve_2018_1000518_nobody_swells_who_has_not_agreed_to_it(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server(per_message_deflate=True)) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send_frame(BINARY, SMALL, rsv=4)
        assert await end_of(websocket) == 1002


@pytest.mark.parametrize("data", [b"\xff" * 50, SMALL[:7] + b"\0\xff\0\xff" + SMALL[7:99]])
async def test_cve_2018_1000518_what_does_not_inflate_is_refused(
    eio: int, data: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate"}
    async with beside(make_server(per_message_deflate=True)) as wire:
        websocket = await joined(wire, headers=offer, eio=eio)
        await websocket.send_frame(TEXT, data, rsv=4)
        assert await end_of(websocket) in (1002, 1007)


# -- what comes back -----------------------------------------------------------------------------


@LIBRARIES
async def test_cve_2016_10518_a_pong_has_what_the_ping_had(
    eio: int, ws_engine: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Of each length, behind longer ones of others: nothing of anybody else's memory."""
    async with beside(make_server(ws_engine=ws_engine)) as wire:
        websocket, other = await joined(wire, eio=eio), await joined(wire, eio=eio)
        for size in range(126):
            await other.send_frame(PING, b"secret" * 20)
            await other.receive_frame()
            await websocket.send_frame(PING, bytes(range(size)))
            frame = await websocket.receive_frame()
            assert (frame.opcode, frame.payload) == (PONG, bytes(range(size)))


@LIBRARIES
@pytest.mark.parametrize("size", [0, 1, 60, 123])
async def test_cve_2026_45736_a_close_frame_has_nothing_that_the_clients_had_not(
    eio: int, size: int, ws_engine: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server(ws_engine=ws_engine)) as wire:
        websocket, other = await joined(wire, eio=eio), await joined(wire, eio=eio)
        await other.send_close(1000, "s" * 123)
        await end_of(other)
        reason = "b" * size
        await websocket.send_close(1000, reason)
        frame = await websocket.receive_frame()
        assert frame.opcode == CLOSE
        assert frame.payload in (b"", b"\x03\xe8", b"\x03\xe8" + reason.encode())


# -- floods --------------------------------------------------------------------------------------


@LIBRARIES
@pytest.mark.parametrize(
    "unit", [frame_bytes(PING), frame_bytes(PONG), frame_bytes(PING, b"x" * 9)]
)
@pytest.mark.parametrize("is_joined", [True, False])
async def test_cve_2026_48802_floods_of_frames_start_no_tasks(
    eio: int,
    is_joined: bool,
    unit: bytes,
    ws_engine: str,
    autojump_clock: MockClock,
    make_server: MakeServer,
) -> None:
    async with beside(make_server(ws_engine=ws_engine)) as wire:
        websocket = await joined(wire, eio=eio) if is_joined else await _stranger(wire, eio)
        await wait_all_tasks_blocked()
        living = trio.lowlevel.current_statistics().tasks_living
        for _ in range(10):
            await websocket.connection.send(unit * 100)
            await wait_all_tasks_blocked()
            assert trio.lowlevel.current_statistics().tasks_living <= living + 1


async def _stranger(wire: WireClient, eio: int) -> WireWebSocket:
    return await open_websocket(wire.connect(), wire.target("websocket", eio=eio))
