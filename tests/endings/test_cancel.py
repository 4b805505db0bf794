"""A server that is cancelled is over at once, whatever its clients do, or do not do.

Time is virtual and passes only when everybody waits for it, so each second that is measured is
one that the server waited for. No client reads what comes; in lockstep no send to it returns.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from tests.endings.client_states import STATES, State, in_disconnect_handler
from tests.support.stage import (
    GRACE,
    Guest,
    Listener,
    Open,
    Stage,
    by_tcp,
    in_lockstep,
    until,
)
from trio_sio.engine.engine import GOODBYE
from trio_sio.options import WSEngine

AT_ONCE = 0.1
FAR = 1000.0

Streams = Callable[[], Awaitable[tuple[Listener, Open]]]
every_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
every_stream = pytest.mark.parametrize("streams", [by_tcp, in_lockstep])


@pytest.fixture(params=["websockets", "trio-websocket"])
def ws_engine(request: pytest.FixtureRequest) -> WSEngine:
    name: WSEngine = request.param
    return name


@pytest.fixture(autouse=True)
def no_records(caplog: pytest.LogCaptureFixture) -> None:
    """Handlers that are cut off are reported, rightly."""
    caplog.set_level(logging.CRITICAL, "trio_sio")


@asynccontextmanager
async def guests(stage: Stage, state: State, open_stream: Open) -> AsyncIterator[None]:
    """Two clients in a state, who are cut off at the end."""
    here = [Guest(open_stream) for _ in range(2)]
    try:
        for guest in here:
            await state.enter(stage, guest)
        await until(lambda: state.count(stage) == 2, lambda: f"{state.count(stage)} are there")
        yield
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + FAR):
            for guest in here:
                await guest.cut()


async def seconds(clock: MockClock, stage: Stage, over: trio.Event) -> float:
    """Return how long it takes until all is over, and look whether it is."""
    begun = trio.current_time()
    clock.autojump_threshold = 0
    with trio.fail_after(FAR):
        await over.wait()
    statistics = stage.io.statistics()
    assert (stage.halted, statistics.connections, statistics.sessions) == (0, 0, 0)
    return trio.current_time() - begun


@every_state
@every_stream
async def test_serving_is_cancelled(
    state: State, streams: Streams, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    stage, over = Stage(ws_engine), trio.Event()
    state.prepare(stage)
    listener, open_stream = await streams()
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[trio.CancelScope]) -> None:
            with trio.CancelScope() as scope:
                task_status.started(scope)
                await stage.io.serve_listeners([listener])
            over.set()

        scope = await nursery.start(serve)
        async with guests(stage, state, open_stream):
            scope.cancel()
            limit = GRACE if state.shielded else AT_ONCE
            assert await seconds(mock_clock, stage, over) <= limit


@every_state
@every_stream
async def test_an_open_server_is_cancelled(
    state: State, streams: Streams, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    """What is around `async with io` is cancelled, and its body with it."""
    stage, over = Stage(ws_engine), trio.Event()
    state.prepare(stage)
    listener, open_stream = await streams()
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[trio.CancelScope]) -> None:
            with trio.CancelScope() as scope:
                async with stage.io, trio.open_nursery() as inner:
                    await inner.start(stage.io.serve_listeners, [listener])
                    task_status.started(scope)
            over.set()

        scope = await nursery.start(serve)
        async with guests(stage, state, open_stream):
            scope.cancel()
            limit = GRACE if state.shielded else AT_ONCE
            assert await seconds(mock_clock, stage, over) <= limit


@every_state
@every_stream
async def test_an_open_server_is_left(
    state: State, streams: Streams, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    """The application gets `grace`, and the clients a moment behind it."""
    stage, over, leave = Stage(ws_engine), trio.Event(), trio.Event()
    state.prepare(stage)
    listener, open_stream = await streams()
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[None]) -> None:
            async with stage.io, trio.open_nursery() as inner:
                await inner.start(stage.io.serve_listeners, [listener])
                task_status.started()
                await leave.wait()
                inner.cancel_scope.cancel()
            over.set()

        await nursery.start(serve)
        async with guests(stage, state, open_stream):
            grace = GRACE if stage.halted else 0
            leave.set()
            assert await seconds(mock_clock, stage, over) <= grace + GOODBYE


@every_stream
async def test_disconnect_handlers_get_as_long_as_grace_says(
    streams: Streams, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    stage, over = Stage(ws_engine, grace=AT_ONCE), trio.Event()
    listener, open_stream = await streams()
    (state,) = [one for one in STATES if one.enter is in_disconnect_handler]
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[trio.CancelScope]) -> None:
            with trio.CancelScope() as scope:
                task_status.started(scope)
                await stage.io.serve_listeners([listener])
            over.set()

        scope = await nursery.start(serve)
        async with guests(stage, state, open_stream):
            scope.cancel()
            assert await seconds(mock_clock, stage, over) == pytest.approx(AT_ONCE)
