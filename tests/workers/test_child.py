"""How one worker's process lives and ends."""

import os
import signal

import pytest

from tests.support.peers import peer
from tests.support.raw import raw
from tests.support.worker_program import program, wait_gone

pytestmark = pytest.mark.slow


async def test_workers_end_when_their_parent_is_killed() -> None:
    async with program() as running, raw(running.url) as wire:
        pids = await running.serving()
        websockets = [await wire.joined() for _ in range(10)]
        running.process.kill()
        for websocket in websockets:
            await websocket.rest()  # they are closed as by any drain
        for pid in pids.values():
            await wait_gone(pid)
        await running.wait_log("the parent process is gone, so this worker ends")


async def test_so_does_one_that_does_not_listen() -> None:
    async with program(workers=1, stop_timeout=0.5) as running, raw(running.url) as wire:
        pids = await running.serving()
        websocket = await wire.joined()
        await websocket.send('42["hold"]')
        assert await running.line() == "held"
        running.process.kill()
        await wait_gone(pids[1])


async def test_what_a_worker_logs_has_its_name() -> None:
    async with program(workers=2, fail="error") as running:
        assert await running.wait() == 1
    for name in ("w1", "w2"):
        assert f"{name} ERROR worker {name} failed\n" in running.log
    assert "LookupError: no such setting" in running.log
    assert "MainProcess CRITICAL worker w" in running.log


async def test_what_the_parent_had_not_flushed_is_printed_once() -> None:
    async with program(workers=2) as running:
        await running.serving()
        running.signal(signal.SIGTERM)
        assert await running.wait() == 0
    assert running.log.count("not to be printed again") == 1


async def test_an_exit_code_of_its_own() -> None:
    async with program(workers=1, fail="exit") as running:
        assert await running.wait() == 1
    assert "ended with exit code 3" in running.log


@pytest.mark.node
async def test_ctrl_c_in_a_terminal_reaches_workers_by_their_parent() -> None:
    """The terminal sends it to them as well, which changes nothing."""
    async with program(workers=1, grace=30.0) as running, peer() as process:
        pids = await running.serving()
        client = await process.connect(running.url, hear=["working"])
        await client.order("call", 1000, "work", 0.5)
        await client.hear("working")
        for number in (signal.SIGINT, signal.SIGHUP):
            os.kill(pids[1], number)
        running.signal(signal.SIGINT)
        assert await client.hear("answer 1000") == ["done"]
        assert await running.wait() == 0
