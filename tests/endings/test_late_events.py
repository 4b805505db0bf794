"""What a client sends before it hears that a drain lets it go is handled."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.stage import GRACE, Guest, Stage, by_tcp, in_lockstep, serving
from trio_sio.engine.polling.transport import LATE
from trio_sio.options import WSEngine
from trio_sio.testing.wire import packets_of
from trio_sio.testing.wire_websocket import CLOSE, WireWebSocket, open_websocket

TURN = 60.0
"""Seconds that each client gets, in these tests."""


@asynccontextmanager
async def let_go(
    stage: Stage, join: Callable[[Guest], Awaitable[object]]
) -> AsyncIterator[tuple[Guest, trio.CancelScope]]:
    """A client whose turn in a drain has come; the scope is the drain's, which ends in the end."""
    async with serving(stage, in_lockstep) as open_stream, trio.open_nursery() as nursery:
        guest = Guest(open_stream)
        await join(guest)
        await wait_all_tasks_blocked()
        scope = trio.CancelScope()

        @nursery.start_soon
        async def drain() -> None:
            with scope:
                await stage.io.drain(grace=TURN, spread=0)

        await wait_all_tasks_blocked()
        yield guest, scope


async def close_frame(websocket: WireWebSocket) -> None:
    """Read the server's close frame, which is next."""
    assert (await websocket.receive_frame()).opcode == CLOSE


def websocket_of(guest: Guest) -> WireWebSocket:
    assert guest.websocket is not None
    return guest.websocket


@pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])
async def test_events_behind_our_close_frame(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    stage = Stage(ws_engine)
    stage.gate.set()
    async with let_go(stage, Guest.join) as (guest, _):
        websocket = websocket_of(guest)
        await close_frame(websocket)
        for message in ('42["work"]', '421["work"]', '42["work"]'):
            await websocket.send(message)
        await websocket.send_close()
        assert await websocket.connection.receive_rest() == b""  # and no second close frame
        await websocket.aclose()
    assert stage.done == 3
    assert stage.reasons == ["server shutting down"]


async def test_events_that_wait_for_a_handler_are_handled_too(autojump_clock: MockClock) -> None:
    """The client's connection is closed meanwhile: it need not wait."""
    stage = Stage()
    async with let_go(stage, Guest.join) as (guest, _):
        websocket = websocket_of(guest)
        await close_frame(websocket)
        for _ in range(3):
            await websocket.send('42["work"]')
        await websocket.send_close()
        assert await websocket.connection.receive_rest() == b""
        assert (stage.halted, stage.done, stage.reasons) == (1, 0, [])
        stage.gate.set()
        await websocket.aclose()
    assert stage.done == 3
    assert stage.reasons == ["server shutting down"]


async def test_a_handler_of_a_late_event_gets_grace_and_no_more(autojump_clock: MockClock) -> None:
    stage = Stage()
    begun = trio.current_time()
    async with let_go(stage, Guest.join) as (guest, _):
        websocket = websocket_of(guest)
        await close_frame(websocket)
        await websocket.send('42["work"]')
        await websocket.send_close()
        await websocket.aclose()
    assert stage.done == 0
    assert stage.reasons == ["server shutting down"]
    assert trio.current_time() - begun <= TURN + 2 * GRACE


async def test_what_is_emitted_to_it_is_dropped_and_ends_nothing(autojump_clock: MockClock) -> None:
    """Neither the handlers of late events nor tasks beside them, in the socket's nursery."""
    stage = Stage()
    emitted: list[str] = []

    @stage.io.on("echo")
    async def echo(socket: trio_sio.Socket, word: str) -> str:
        await socket.emit("echo", word)
        await stage.io.emit("all", word)
        emitted.append(word)
        return word

    @stage.io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        async def tell() -> None:
            while True:
                await trio.sleep(LATE / 4)
                await socket.emit("time")

        socket.nursery.start_soon(tell)

    async with let_go(stage, Guest.join) as (guest, _):
        websocket = websocket_of(guest)
        await close_frame(websocket)
        await websocket.send('420["echo","one"]')
        await trio.sleep(LATE / 2)
        await websocket.send('421["echo","two"]')
        await websocket.send_close()
        assert await websocket.connection.receive_rest() == b""
        await websocket.aclose()
    assert emitted == ["one", "two"]


async def test_a_post_that_crosses_the_close_packet(autojump_clock: MockClock) -> None:
    stage = Stage()
    stage.gate.set()

    async def join(guest: Guest) -> None:
        connection = await guest.poll()
        await connection.send_request("GET", guest.target)

    async with let_go(stage, join) as (guest, _):
        answer = await guest.connections[0].receive_response()
        assert packets_of(answer) == ["1"]
        connection = await guest.connect()
        for _ in range(2):
            answer = await connection.request("POST", guest.target, body=b'10:42["work"]')
            assert (answer.status, answer.body) == (200, b"ok")
            await trio.sleep(LATE / 3)
        assert stage.done == 2
        # Another poll is told once more.
        assert "1" in packets_of(await guest.connections[0].request("GET", guest.target))
        await trio.sleep(LATE)
        connection = await guest.connect()
        answer = await connection.request("POST", guest.target, body=b'10:42["work"]')
        assert answer.status == 503  # the drain is over
    assert stage.done == 2
    assert stage.reasons == ["server shutting down"]


async def test_a_client_that_does_not_poll_at_that_moment(autojump_clock: MockClock) -> None:
    stage = Stage()
    stage.gate.set()
    async with let_go(stage, Guest.poll) as (guest, _):
        connection = guest.connections[0]
        answer = await connection.request("POST", guest.target, body=b'10:42["work"]')
        assert (answer.status, answer.body) == (200, b"ok")
        assert "1" in packets_of(await connection.request("GET", guest.target))
    assert stage.done == 1


async def test_an_upgrade_in_the_middle_of_it(autojump_clock: MockClock) -> None:
    stage = Stage()
    stage.gate.set()

    async def join(guest: Guest) -> None:
        await guest.poll()
        guest.websocket = await open_websocket(
            await guest.connect(), guest.target.replace("polling", "websocket")
        )
        await guest.websocket.send("2probe")
        assert await guest.websocket.receive() == "3probe"

    async with let_go(stage, join) as (guest, _):
        websocket = websocket_of(guest)
        await websocket.send("5")
        await websocket.send('42["work"]')
        await close_frame(websocket)
        await websocket.send('42["work"]')
        await websocket.send_close()
        assert await websocket.connection.receive_rest() == b""
        await websocket.aclose()
    assert stage.done == 2
    assert stage.reasons == ["server shutting down"]


async def test_a_drain_that_is_cancelled_leaves_nobody_half_gone(
    autojump_clock: MockClock,
) -> None:
    stage = Stage()
    async with let_go(stage, Guest.join) as (guest, scope):
        websocket = websocket_of(guest)
        await close_frame(websocket)
        await websocket.send('42["work"]')
        scope.cancel()
        await websocket.send_close()
        await websocket.aclose()
        await trio.sleep(TURN)
        assert stage.io.statistics().sessions == 0
    assert stage.reasons == ["server shutting down"]


async def test_by_tcp(autojump_clock: MockClock) -> None:
    stage = Stage()
    stage.gate.set()
    async with serving(stage, by_tcp) as open_stream, trio.open_nursery() as nursery:
        guest = Guest(open_stream)
        websocket = await guest.join()

        @nursery.start_soon
        async def drain() -> None:
            await stage.io.drain(grace=TURN, spread=0)

        await close_frame(websocket)
        for _ in range(200):
            await websocket.send('42["work"]')
        await websocket.send_close()
        await websocket.aclose()
    assert stage.done == 200
