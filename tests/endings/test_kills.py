"""Clients that are cut off, in every state they can be in, leave nothing behind.

The clock stands still except where a test moves it, so "at once" is exactly that.
"""

import logging
import math
import sys
import time

import pytest
import trio
from trio.testing import MockClock

from tests.endings.client_states import STATES, State
from tests.support.remains import Remains
from tests.support.stage import Guest, Open, Stage, serving, until
from trio_sio.options import WSEngine

BATCH = 200
"""Clients that are there at a time: each may have two connections with two ends in this process."""


@pytest.fixture(autouse=True)
def no_records(caplog: pytest.LogCaptureFixture) -> None:
    """A record that pytest keeps holds its socket."""
    caplog.set_level(logging.CRITICAL, "trio_sio")


every_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)


async def kill(
    state: State, stage: Stage, open_stream: Open, clock: MockClock, count: int
) -> Remains:
    """Bring clients into a state and cut them off; return what there was in between."""
    guests = [Guest(open_stream) for _ in range(count)]
    try:
        for guest in guests:
            await state.enter(stage, guest)
        await until(lambda: state.count(stage) == count, lambda: f"{state.count(stage)} are there")
        among = stage.remains()
    finally:
        for guest in guests:
            await guest.cut()
    if state.held:
        stage.gate.set()
    await pass_time(clock, state.lasts)
    await until(lambda: _is_empty(stage), lambda: stage.remains())
    stage.gate = trio.Event()
    return among


async def pass_time(clock: MockClock, seconds: float) -> None:
    """Let time pass in steps, since one thing may begin when another is over."""
    for _ in range(math.ceil(seconds)):
        await trio.testing.wait_all_tasks_blocked()
        clock.jump(1)
    await trio.testing.wait_all_tasks_blocked()


def _is_empty(stage: Stage) -> bool:
    numbers = stage.io.statistics()
    return not (numbers.connections or numbers.sessions or stage.halted)


async def open_and_kill(
    state: State, clock: MockClock, ws_engine: WSEngine, count: int
) -> tuple[Remains, Remains, Remains]:
    """Return what there was before, with the first batch of clients, and after all of them."""
    stage = Stage(ws_engine)
    state.prepare(stage)
    async with serving(stage) as open_stream:
        await kill(state, stage, open_stream, clock, 2)  # what is made once, is made
        before = stage.remains()
        among = before
        for begin in range(0, count, BATCH):
            batch = min(BATCH, count - begin)
            there = await kill(state, stage, open_stream, clock, batch)
            among = there if begin == 0 else among
        after = stage.remains()
    return before, among, after


@every_state
@pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])
async def test_nothing_is_left_of_clients_cut_off(
    state: State, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    before, among, after = await open_and_kill(state, mock_clock, ws_engine, 25)
    assert among.beyond(before)  # it can be seen
    assert after.beyond(before) == ""


@pytest.mark.long
@every_state
async def test_nothing_is_left_of_a_thousand_clients(
    state: State, mock_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.perf_counter()
    before, among, after = await open_and_kill(state, mock_clock, "websockets", 1000)
    with capsys.disabled():
        sys.stdout.write(f"\n{state.name}: {time.perf_counter() - begun:.1f} s\n")
        for when, remains in (("before", before), ("200", among), ("after", after)):
            sys.stdout.write(f"  {when:>6} {remains}\n")
    assert after.beyond(before) == ""
