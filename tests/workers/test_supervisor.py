"""The parent: restarts, signals, and the end."""

import signal
import time

import pytest
import trio

from tests.support.peers import QUICKLY_BACK, peer
from tests.support.raw import raw
from tests.support.raw_websocket import RawWebSocket
from tests.support.worker_program import program, wait_gone

pytestmark = pytest.mark.slow


async def test_a_worker_that_dies_is_started_again_and_the_others_go_on() -> None:
    async with program(workers=2) as running, raw(running.url) as wire:
        first = await running.serving()
        websockets = [await wire.joined() for _ in range(10)]
        victim = websockets[0]
        await victim.send(f'42["die",{signal.SIGKILL}]')
        again = await running.serving(1)
        ((number, pid),) = again.items()
        assert pid != first[number]
        await running.wait_log("was killed by SIGKILL")
        answers = [await is_alive(websocket) for websocket in websockets]
        assert 0 < answers.count(True) < 10
        (other,) = set(first) - {number}
        await wait_gone(first[number])
        running.signal(signal.SIGTERM)
        assert await running.wait() == 0
        assert f"worker w{other} (process {first[other]}) ended with exit code 0" in running.log


async def is_alive(websocket: RawWebSocket) -> bool:
    try:
        await websocket.send("2")
        return await websocket.receive() == "3"
    except (AssertionError, trio.BrokenResourceError):  # the connection has ended
        return False


@pytest.mark.parametrize(
    ("fail", "ending"), [("return", "ended with exit code 0"), ("error", "ended with exit code 1")]
)
async def test_it_gives_up_when_a_worker_dies_at_once_each_time(fail: str, ending: str) -> None:
    async with program(workers=2, fail=fail) as running:
        assert await running.wait() == 1
    sentence = "ended within 10 s of its start 5 times in a row; the last one"
    assert f"{sentence} {ending}. Its own log says why" in running.log
    assert "WorkersFailed: worker w" in running.log


@pytest.mark.node
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_all_workers(number: signal.Signals) -> None:
    async with program(workers=2, grace=30.0) as running, peer() as process:
        await running.serving()
        clients = [
            await process.connect(running.url, hear=["working"], transports=["websocket"])
            for _ in range(6)
        ]
        for client in clients:
            await client.order("call", 1000, "work", 0.5)
            await client.hear("working")
        running.signal(number)
        for client in clients:
            assert await client.hear("answer 1000") == ["done"]
            assert await client.hear("disconnect") == ["transport close"]
        assert await running.wait() == 0


async def test_a_second_signal_does_not_wait_for_clients() -> None:
    async with program(workers=2, grace=1000.0, stop_timeout=1000.0) as running:
        async with raw(running.url) as wire:
            await running.serving()
            websockets = [await wire.joined() for _ in range(6)]
            for websocket in websockets:
                await websocket.send('420["work",1000]')
                assert await websocket.receive() == '42["working"]'
            running.signal(signal.SIGTERM)
            await running.wait_log("SIGTERM: ending")
            running.signal(signal.SIGTERM)
            assert await running.wait() == 0
    assert "SIGTERM: ending at once" in running.log


async def test_a_worker_that_does_not_end_is_killed_and_named() -> None:
    async with program(workers=1, stop_timeout=0.5) as running, raw(running.url) as wire:
        await running.serving()
        websocket = await wire.joined()
        await websocket.send('42["hold"]')
        assert await running.line() == "held"
        running.signal(signal.SIGTERM)
        assert await running.wait() == 1
    assert "worker w1 has not ended in time and is killed" in running.log
    assert "was killed by SIGKILL after" in running.log


@pytest.mark.node
async def test_sighup_restarts_one_worker_after_the_other() -> None:
    async with program(workers=2) as running, peer() as process:
        first = await running.serving()
        clients = [
            await process.connect(running.url, transports=["websocket"], **QUICKLY_BACK)
            for _ in range(10)
        ]
        running.signal(signal.SIGHUP)
        again = await running.serving()
        assert sorted(again) == [1, 2]
        assert not {*first.values()} & {*again.values()}
        for client in clients:
            await client.hear("disconnect")
            await client.hear("connect")
            assert (await client.call("who"))[0][1] in again.values()
        log = running.log
        assert log.index(f"w2 (process {first[2]}) ended") > log.index(f"w1: process {again[1]}")
        running.signal(signal.SIGTERM)
        assert await running.wait() == 0


async def test_the_port_is_open_all_the_time_of_a_rolling_restart() -> None:
    """Even with one worker: what comes meanwhile waits for the next one."""
    async with program(workers=1) as running, raw(running.url) as wire:
        await running.serving()
        running.signal(signal.SIGHUP)
        await running.wait_log("restarting one worker after the other")
        answers = [(await wire.get("/socket.io/?EIO=3&transport=polling")).status]
        await running.serving()
        answers.append((await wire.get("/socket.io/?EIO=3&transport=polling")).status)
        assert set(answers) <= {200, 503}  # never a connection refused
        assert answers[-1] == 200


async def test_a_rolling_restart_that_is_interrupted_by_the_end() -> None:
    async with program(workers=2) as running:
        await running.serving()
        running.signal(signal.SIGHUP)
        await running.wait_log("SIGHUP")
        running.signal(signal.SIGTERM)
        assert await running.wait() == 0


async def test_a_worker_that_dies_during_a_rolling_restart() -> None:
    async with program(workers=2) as running, raw(running.url) as wire:
        first = await running.serving()
        websocket = await wire.joined()
        await websocket.send('42["work",0.2]')
        running.signal(signal.SIGHUP)
        await running.wait_log("SIGHUP")
        await websocket.send(f'42["die",{signal.SIGKILL}]')
        begun = time.monotonic()
        seen: dict[int, int] = {}
        while len(seen) < 2 or set(seen.values()) & set(first.values()):
            seen |= await running.serving(1)
            assert time.monotonic() - begun < 60
        running.signal(signal.SIGTERM)
        assert await running.wait() == 0
