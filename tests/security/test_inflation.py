"""Compressed messages: small on the wire, huge behind it."""

import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.security.clients import end_of, joined, opened
from tests.security.neighbour import beside
from tests.support.servers import MakeServer
from trio_sio.testing.wire_websocket import BINARY, CONTINUATION, TEXT, WireWebSocket

DEFLATE = {"Sec-WebSocket-Extensions": "permessage-deflate"}
COMPRESSED = 4
BOMB = 50_000_000


def deflated(size: int) -> bytes:
    """Return a message of so many zeros, compressed a thousandfold."""
    compressor = zlib.compressobj(9, wbits=-15)
    data = compressor.compress(b"4" + b"0" * (size - 1)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(b"\0\0\xff\xff")


@pytest.fixture(scope="module")
def bomb() -> bytes:
    data = deflated(BOMB)
    assert len(data) < 60_000
    return data


@pytest.fixture
def memory() -> Iterator[None]:
    """Counts what Python allocates."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def allocated(limit: int) -> bool:
    """Whether no more than `limit` bytes were in use at any time since the last call."""
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    return peak < limit


async def _send(websocket: WireWebSocket, data: bytes, pieces: int, opcode: int = TEXT) -> None:
    size = -(-len(data) // pieces)
    for number in range(pieces):
        await websocket.send_frame(
            CONTINUATION if number else opcode,
            data[number * size : (number + 1) * size],
            fin=number == pieces - 1,
            rsv=0 if number else COMPRESSED,
        )


@pytest.mark.parametrize("pieces", [1, 50])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_cve_2018_1000518_a_bomb_is_inflated_up_to_the_limit_of_a_message(
    eio: int,
    opcode: int,
    pieces: int,
    bomb: bytes,
    memory: None,
    autojump_clock: MockClock,
    make_server: MakeServer,
) -> None:
    io = make_server(per_message_deflate=True, max_http_buffer_size=1_000_000)
    async with beside(io) as wire:
        websocket = await joined(wire, headers=DEFLATE, eio=eio)
        assert websocket.headers["sec-websocket-extensions"] == "permessage-deflate"
        tracemalloc.reset_peak()
        await _send(websocket, bomb, pieces, opcode)
        assert await end_of(websocket) == 1009
        assert allocated(10_000_000)
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"max_http_buffer_size": 1}


@pytest.mark.parametrize("pieces", [1, 50])
async def test_cve_2018_1000518_a_strangers_is_inflated_up_to_the_limit_of_strangers(
    eio: int,
    pieces: int,
    bomb: bytes,
    memory: None,
    autojump_clock: MockClock,
    make_server: MakeServer,
) -> None:
    """Who has not been let in may send 100 kB, not 100 kB that become 100 MB."""
    io = make_server(per_message_deflate=True)
    gates = iter([True])

    @io.use
    async def wait(_: object) -> None:
        if not next(gates, False):
            await trio.sleep_forever()

    async with beside(io) as wire:
        websocket = await opened(wire, DEFLATE, eio=eio)
        if eio == 4:
            await websocket.send("40")
        await wait_all_tasks_blocked()
        tracemalloc.reset_peak()
        await _send(websocket, bomb, pieces)
        assert await end_of(websocket) == 1009
        assert allocated(10_000_000)
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"handshake_buffer_size": 1}


async def test_cve_2018_1000518_who_has_been_let_in_may_send_what_the_option_says(
    eio: int, bomb: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """So it was the size that was refused above."""
    io = make_server(per_message_deflate=True)
    io.on("long", lambda _, text: len(text))
    async with beside(io) as wire:
        websocket = await joined(wire, headers=DEFLATE, eio=eio)
        for size in (10, 1_000_000):
            compressor = zlib.compressobj(9, wbits=-15)
            text = f'420["long","{"0" * size}"]'.encode()
            data = compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH)
            await _send(websocket, data.removesuffix(b"\0\0\xff\xff"), 1)
            assert await websocket.receive() == f"430[{size}]"
