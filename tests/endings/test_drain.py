"""A server that goes in peace loses nothing that is in flight, and waits for nobody for ever."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.endings import client_states
from tests.endings.client_states import STATES, State
from tests.support.stage import (
    GRACE,
    SMALL,
    Guest,
    Listener,
    Open,
    Stage,
    by_tcp,
    in_lockstep,
    serving,
    until,
)
from trio_sio.engine.engine import GOODBYE
from trio_sio.engine.polling.transport import LATE
from trio_sio.options import WSEngine
from trio_sio.testing.wire import packets_of
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import CLOSE, TEXT, WireWebSocket, frame_bytes

TURN = 10.0
"""Seconds that each client gets."""

every_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)


@pytest.fixture(autouse=True)
def no_records(caplog: pytest.LogCaptureFixture) -> None:
    """Handlers that are cut off are reported, rightly."""
    caplog.set_level(logging.CRITICAL, "trio_sio")


@asynccontextmanager
async def drained(
    enter: Callable[[Stage, Guest], Awaitable[object]], stage: Stage
) -> AsyncIterator[Guest]:
    """A client in a state, of a server that drains by now; at the end it has closed."""
    async with serving(stage, in_lockstep) as open_stream, trio.open_nursery() as nursery:
        guest = Guest(open_stream)
        await enter(stage, guest)
        await wait_all_tasks_blocked()
        begun = trio.current_time()
        over = trio.Event()

        @nursery.start_soon
        async def drain() -> None:
            await stage.io.drain(grace=TURN, spread=0)
            over.set()

        await wait_all_tasks_blocked()
        yield guest
        await over.wait()
        assert trio.current_time() - begun <= LATE  # nobody waited for a time to run out
        assert stage.io.statistics().sessions == 0


async def rest(websocket: WireWebSocket) -> list[str | bytes]:
    """Read until the server closes, and agree to that."""
    messages: list[str | bytes] = []
    while (frame := await websocket.receive_frame()).opcode != CLOSE:
        messages.append(frame.payload.decode() if frame.opcode == TEXT else frame.payload)
    await websocket.send_close()
    await websocket.aclose()
    return messages


async def polled(connection: WireConnection, guest: Guest) -> list[str | bytes]:
    """Poll until the server closes."""
    packets: list[str | bytes] = []
    while "1" not in packets:
        packets += packets_of(await connection.request("GET", guest.target))
    return [packet for packet in packets if packet not in ("1", "6")]


def websocket_of(guest: Guest) -> WireWebSocket:
    """Return the WebSocket that a state has opened, to go on with it."""
    assert guest.websocket is not None
    return guest.websocket


@pytest.mark.parametrize(
    ("enter", "handlers", "answers"),
    [
        (client_states.in_event_handler, 1, ['431["done"]']),
        (client_states.in_packet_middleware, 1, []),
        (client_states.in_connection_handler, 1, []),
        (client_states.in_disconnect_handler, 1, []),
        (client_states.inbox_full, 4, []),
    ],
)
async def test_handlers_finish(
    enter: Callable[[Stage, Guest], Awaitable[object]],
    handlers: int,
    answers: list[str],
    autojump_clock: MockClock,
) -> None:
    stage = Stage()
    async with drained(enter, stage) as guest:
        assert stage.halted == 1
        stage.gate.set()
        assert await rest(websocket_of(guest)) == answers
    assert stage.done == handlers
    assert stage.reasons == ["server shutting down"]


async def test_what_is_queued_reaches_a_client_that_reads(autojump_clock: MockClock) -> None:
    stage = Stage()
    async with drained(client_states.not_reading, stage) as guest:
        messages = await rest(websocket_of(guest))
        assert stage.emitted > stage.io.options.max_outbox
        assert messages == ['42["drop","' + "x" * SMALL + '"]'] * stage.emitted


async def test_what_is_queued_reaches_a_client_that_polls(autojump_clock: MockClock) -> None:
    async def behind(stage: Stage, guest: Guest) -> None:
        await client_states.between_polls(stage, guest)
        for number in range(5):
            await stage.io.emit("news", number)

    async with drained(behind, Stage()) as guest:
        packets = await polled(guest.connections[0], guest)
        assert packets == [f'42["news",{number}]' for number in range(5)]


async def test_the_answer_to_a_poll_is_taken_late(autojump_clock: MockClock) -> None:
    async with drained(client_states.poll_answer_not_taken, Stage()) as guest:
        (packet,) = packets_of(await guest.connections[0].receive_response())
        assert len(packet) > 1_000_000
        assert await polled(guest.connections[0], guest) == []


async def test_an_answer_in_flight_arrives(autojump_clock: MockClock) -> None:
    stage = Stage()
    async with drained(client_states.answer_awaited, stage) as guest:
        websocket = websocket_of(guest)
        question = str(await websocket.receive())
        number = question.removeprefix("42").partition("[")[0]
        await websocket.send(f'43{number}["yes"]')
        assert await rest(websocket) == ['437["asked"]']
    assert stage.answers == ["yes"]


async def test_a_body_that_is_being_uploaded_is_handled(autojump_clock: MockClock) -> None:
    stage = Stage()
    stage.gate.set()
    async with drained(client_states.mid_upload, stage) as guest:
        connection = guest.connections[0]
        await connection.send(client_states.BODY[client_states.HALF :])
        assert (await connection.receive_response(to="POST")).body == b"ok"
        assert await polled(connection, guest) == ['431["done"]']
    assert stage.done == 1


async def test_a_message_of_which_half_is_here_is_handled(autojump_clock: MockClock) -> None:
    stage = Stage()
    stage.gate.set()
    async with drained(client_states.mid_fragmented_message, stage) as guest:
        assert stage.done == 0
        websocket = websocket_of(guest)
        await websocket.connection.send(client_states.FRAGMENT[client_states.FRAGMENT_HALF :])
        assert await rest(websocket) == []
    assert stage.done == 1


async def test_a_packet_whose_attachments_are_still_to_come_is_handled(
    autojump_clock: MockClock,
) -> None:
    stage = Stage()
    stage.gate.set()
    async with drained(client_states.half_binary_packet, stage) as guest:
        assert stage.done == 0
        websocket = websocket_of(guest)
        await websocket.send(b"\x04the other half")
        assert await rest(websocket) == []
    assert stage.done == 1


async def test_what_is_left_by_who_leaves_in_the_middle_is_not_waited_for(
    autojump_clock: MockClock,
) -> None:
    for enter in (
        client_states.mid_fragmented_message,
        client_states.half_binary_packet,
        client_states.mid_upload,
    ):
        async with drained(enter, Stage()) as guest:
            await guest.cut()


@pytest.mark.parametrize("connections", [by_tcp, in_lockstep])
@pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])
async def test_all_that_came_at_once_is_handled(
    ws_engine: WSEngine,
    connections: Callable[[], Awaitable[tuple[Listener, Open]]],
    autojump_clock: MockClock,
) -> None:
    """Though it is read by turns, and every event has been handled before the next one is read."""
    stage = Stage(ws_engine)
    stage.gate.set()
    async with serving(stage, connections) as open_stream:
        guest = Guest(open_stream)
        websocket = await guest.join()
        await websocket.connection.send(frame_bytes(TEXT, b'42["work"]') * 1000)
        await stage.io.drain(grace=TURN, spread=0)
        assert stage.done == 1000
        assert stage.reasons == ["server shutting down"]
        await guest.cut()


async def test_an_event_that_a_limit_holds_up_is_handled(autojump_clock: MockClock) -> None:
    stage = Stage(max_events_per_second=1, event_burst=1, on_flood="wait")
    stage.gate.set()
    async with serving(stage, in_lockstep) as open_stream:
        websocket = await Guest(open_stream).join()
        for _ in range(5):
            await websocket.send('42["work"]')
        begun = trio.current_time()
        await stage.io.drain(grace=TURN, spread=0)
        assert stage.done == 5
        assert 4 <= trio.current_time() - begun <= TURN + GOODBYE  # the client answers nothing


@pytest.mark.parametrize(
    "asks", [client_states.in_allow_request, client_states.websocket_in_allow_request]
)
async def test_new_clients_are_refused(
    asks: Callable[[Stage, Guest], Awaitable[object]], autojump_clock: MockClock
) -> None:
    stage = Stage()
    async with drained(client_states.in_event_handler, stage) as guest:
        other = Guest(guest.open_stream)
        await asks(stage, other)
        response = await other.connections[0].receive_response()
        assert response.status == 503
        await other.cut()
        stage.gate.set()
        assert await rest(websocket_of(guest)) == ['431["done"]']


@every_state
async def test_who_does_nothing_holds_it_no_longer_than_grace(
    state: State, autojump_clock: MockClock
) -> None:
    stage = Stage()
    state.prepare(stage)
    async with serving(stage, in_lockstep) as open_stream:
        guest = Guest(open_stream)
        await state.enter(stage, guest)
        await until(lambda: state.count(stage) == 1, lambda: "there")
        begun = trio.current_time()
        handlers = GRACE if stage.halted else 0
        with trio.fail_after(1000):
            await stage.io.drain(grace=TURN, spread=0)
        assert trio.current_time() - begun <= TURN + handlers + GOODBYE
        await guest.cut()
