"""What a client has had the server keep goes when the client does.

It goes at once: the garbage collector may not come by for a long time, since it looks at numbers of
objects and not at their size. Here it does not come at all.
"""

import gc
import logging
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable, Iterator

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.endings.test_kills import pass_time
from tests.support.stage import (
    PING,
    WEBSOCKET,
    Guest,
    Listener,
    Open,
    Stage,
    by_tcp,
    in_lockstep,
    serving,
)
from trio_sio.options import WSEngine
from trio_sio.testing.wire_websocket import (
    BINARY,
    CONTINUATION,
    TEXT,
    frame_bytes,
    open_websocket,
)

MUCH = 4_000_000
LITTLE = MUCH // 10
"""What the small objects of a client, and a piece of the network's, may take until the collector
comes."""

COMPRESSED = 4
"""The reserved bit of permessage-deflate."""

Enter = Callable[[Stage, Guest], Awaitable[object]]
Connections = Callable[[], Awaitable[tuple[Listener, Open]]]

each_engine = pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])


@pytest.fixture(autouse=True)
def no_records(caplog: pytest.LogCaptureFixture) -> None:
    """A record that pytest keeps holds its socket."""
    caplog.set_level(logging.CRITICAL, "trio_sio")


@pytest.fixture(autouse=True)
def measured() -> Iterator[None]:
    """Count bytes, and let nothing be collected."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


# -- what a client leaves behind ----------------------------------------------------------------


async def half_a_body(stage: Stage, guest: Guest) -> None:
    connection = await guest.poll()
    request = connection.request_bytes("POST", guest.target, body=b"4" * MUCH)
    await connection.send(request[:-9])


async def a_body_that_nobody_takes(stage: Stage, guest: Guest) -> None:
    connection = await guest.poll()
    await connection.request("POST", guest.target, body=b'10:42["work"]' * 4)
    event = b'42["work","' + b"x" * (MUCH // 4) + b'"]'
    body = (str(len(event)).encode() + b":" + event) * 4
    await connection.send_request("POST", guest.target, body=body)


async def half_a_frame(stage: Stage, guest: Guest) -> None:
    websocket = await guest.join()
    await websocket.connection.send(frame_bytes(TEXT, b"4" * MUCH)[:-9])


async def half_a_message(stage: Stage, guest: Guest) -> None:
    websocket = await guest.join()
    for opcode in (BINARY, CONTINUATION):
        await websocket.send_frame(opcode, b"\x04" * (MUCH // 2), fin=False)


async def half_a_packet(stage: Stage, guest: Guest) -> None:
    websocket = await guest.join()
    await websocket.send('452-["work",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    await websocket.send(bytes(MUCH))


async def half_a_compressed_frame(stage: Stage, guest: Guest) -> None:
    await _join_compressed(guest)
    data = frame_bytes(TEXT, _deflated(b"4" * MUCH), rsv=COMPRESSED)
    await guest.connections[0].send(data[:-9])


async def half_a_compressed_message(stage: Stage, guest: Guest) -> None:
    await _join_compressed(guest)
    data = _deflated(b"\x04" * MUCH)
    first = frame_bytes(BINARY, data[: MUCH // 2], fin=False, rsv=COMPRESSED)
    second = frame_bytes(CONTINUATION, data[MUCH // 2 :], fin=False)
    await guest.connections[0].send(first + second)


async def a_full_inbox(stage: Stage, guest: Guest) -> None:
    websocket = await guest.join()
    for _ in range(4):
        await websocket.send('42["work","' + "x" * (MUCH // 4) + '"]')


async def a_full_outbox(stage: Stage, guest: Guest) -> None:
    await guest.join()
    for _ in range(8):
        stage.io.sockets.connected[guest.sid].emit_nowait("large", "x" * (MUCH // 4))


async def an_answer_not_taken(stage: Stage, guest: Guest) -> None:
    connection = await guest.poll()
    stage.io.sockets.connected[guest.sid].emit_nowait("large", "x" * MUCH)
    await connection.send_request("GET", guest.target)


async def an_answer_not_fetched(stage: Stage, guest: Guest) -> None:
    await guest.poll()
    stage.io.sockets.connected[guest.sid].emit_nowait("large", "x" * MUCH)


async def _join_compressed(guest: Guest) -> None:
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate"}
    websocket = await open_websocket(await guest.connect(), WEBSOCKET, offer)
    while await websocket.receive() != "40":
        pass


def _deflated(data: bytes) -> bytes:
    """Compress as permessage-deflate does, at the level that makes nothing smaller."""
    compressor = zlib.compressobj(0, wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


# -- and what is left of it ---------------------------------------------------------------------


async def leave_behind(
    enter: Enter, connections: Connections, stage: Stage, clock: MockClock
) -> tuple[int, int]:
    """Have a client come and be cut off; return the bytes that it took and that are left."""
    async with serving(stage, connections) as open_stream:
        await (await Guest(open_stream).connect()).aclose()  # what is made once, has been
        await wait_all_tasks_blocked()
        before, _ = tracemalloc.get_traced_memory()
        guest = Guest(open_stream)
        await enter(stage, guest)
        await wait_all_tasks_blocked()
        among, _ = tracemalloc.get_traced_memory()
        await guest.cut()
        del guest
        await pass_time(clock, 2 * PING)
        assert stage.io.statistics().sessions == 0
        after, _ = tracemalloc.get_traced_memory()
    return among - before, after - before


@each_engine
@pytest.mark.parametrize(
    ("enter", "connections"),
    [
        (half_a_body, by_tcp),
        (half_a_body, in_lockstep),
        (a_body_that_nobody_takes, by_tcp),
        (half_a_frame, by_tcp),
        (half_a_frame, in_lockstep),
        (half_a_message, by_tcp),
        (half_a_message, in_lockstep),
        (half_a_packet, by_tcp),
        (half_a_packet, in_lockstep),
        (a_full_inbox, by_tcp),
        (a_full_outbox, by_tcp),
        (a_full_outbox, in_lockstep),
        (an_answer_not_taken, by_tcp),
        (an_answer_not_fetched, by_tcp),
        (an_answer_not_fetched, in_lockstep),
    ],
)
async def test_it_goes_with_the_client(
    enter: Enter, connections: Connections, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    taken, left = await leave_behind(enter, connections, Stage(ws_engine), mock_clock)
    assert taken > MUCH * 0.9
    assert left < LITTLE


@pytest.mark.parametrize("enter", [half_a_compressed_frame, half_a_compressed_message])
async def test_the_library_keeps_nothing_either(enter: Enter, mock_clock: MockClock) -> None:
    stage = Stage("websockets", per_message_deflate=True)
    taken, left = await leave_behind(enter, by_tcp, stage, mock_clock)
    assert taken > MUCH * 0.9
    assert left < LITTLE


# -- what breaks the protocol is not kept either, though an error tells of it --------------------


async def a_malformed_packet(stage: Stage, guest: Guest) -> None:
    websocket = await guest.join()
    await websocket.send('42["work",' + '"x",' * (MUCH // 8))


async def a_malformed_body(stage: Stage, guest: Guest) -> None:
    connection = await guest.poll()
    body = b"2:4x" * (MUCH // 8) + b"x"
    await connection.request("POST", guest.target, body=body)


async def text_in_place_of_an_attachment(stage: Stage, guest: Guest) -> None:
    await half_a_packet(stage, guest)
    assert guest.websocket is not None
    await guest.websocket.send('42["work"]')


@each_engine
@pytest.mark.parametrize(
    "enter", [a_malformed_packet, a_malformed_body, text_in_place_of_an_attachment]
)
async def test_what_is_malformed_is_not_kept(
    enter: Enter, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    _, left = await leave_behind(enter, by_tcp, Stage(ws_engine), mock_clock)
    assert left < LITTLE
