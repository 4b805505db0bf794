"""Handshakes that were under way when the server stopped taking clients do not slip in."""

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.endings import client_states
from tests.support.stage import Guest, Stage, in_lockstep, serving, until
from trio_sio.options import WSEngine
from trio_sio.testing.wire_websocket import WireWebSocket


async def drain(stage: Stage) -> None:
    await stage.io.drain(spread=0)


async def close(stage: Stage) -> None:
    await stage.io.aclose()


@pytest.mark.parametrize("stop", [drain, close])
@pytest.mark.parametrize(
    "ask", [client_states.in_allow_request, client_states.websocket_in_allow_request]
)
@pytest.mark.parametrize("asked", ["allow_request", "generate_id"])
async def test_the_application_answers_too_late(
    stop: Callable[[Stage], Awaitable[None]],
    ask: Callable[[Stage, Guest], Awaitable[object]],
    asked: str,
    autojump_clock: MockClock,
) -> None:
    stage = Stage()
    if asked == "allow_request":
        stage.io.engine.set_options(allow_request=stage.halt)
    else:
        stage.io.engine.set_options(generate_id=stage.halt)
    async with serving(stage, in_lockstep) as open_stream:
        guest = Guest(open_stream)
        await ask(stage, guest)
        await wait_all_tasks_blocked()
        assert stage.halted == 1
        await stop(stage)
        stage.gate.set()
        response = await guest.connections[0].receive_response()
        assert (response.status, response.headers["connection"]) == (503, "close")
        assert response.body == b"the server takes no new clients\n"
        await guest.cut()
        await wait_all_tasks_blocked()
        assert stage.io.statistics().ended == {}


@pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])
async def test_the_client_takes_the_answer_too_late(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    stage = Stage(ws_engine)
    async with serving(stage, in_lockstep) as open_stream:
        guest = Guest(open_stream)
        await client_states.mid_websocket_handshake(stage, guest)
        await wait_all_tasks_blocked()
        await stage.io.aclose()
        (connection,) = guest.connections
        response = await connection.receive_response()
        assert response.status == 101
        with trio.fail_after(1):
            assert await WireWebSocket(connection, response).receive_close() is None
        assert stage.io.statistics().ended == {}


@pytest.mark.parametrize(
    "ask", [client_states.in_allow_request, client_states.websocket_in_allow_request]
)
async def test_more_are_asked_about_at_once_than_there_may_be(
    ask: Callable[[Stage, Guest], Awaitable[object]], autojump_clock: MockClock
) -> None:
    stage = Stage(max_sessions=2)
    stage.io.engine.set_options(allow_request=stage.halt)
    async with serving(stage, in_lockstep) as open_stream:
        guests = [Guest(open_stream) for _ in range(5)]
        for guest in guests:
            await ask(stage, guest)
        await until(lambda: stage.halted == 5, lambda: stage.halted)
        stage.gate.set()
        for guest in guests:
            await guest.connections[0].receive_response()
        await wait_all_tasks_blocked()
        assert stage.io.statistics().sessions == 2
        for guest in guests:
            await guest.cut()
