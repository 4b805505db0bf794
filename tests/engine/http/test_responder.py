"""Noticing that a client leaves, and what it sends meanwhile."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.memory_responder import MemoryResponder
from tests.support.served_connection import GET, hear, served
from trio_sio.engine.http.connection import MAX_PIPELINED, HTTPConnection
from trio_sio.engine.http.responder import WATCH_AFTER, HungUp, unless_hung_up
from trio_sio.engine.runtime.timers import Timers
from trio_sio.http import Request, Response


async def test_who_waits_hears_of_a_client_that_hangs_up(autojump_clock: MockClock) -> None:
    heard: list[str] = []

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        try:
            await unless_hung_up(connection, trio.Event().wait())
        except HungUp:
            heard.append("hung up")
            raise
        raise AssertionError

    async with served(answer) as stream:
        await stream.send_all(GET)
        await trio.sleep(1)
        await stream.aclose()
        await trio.sleep(1)
    assert heard == ["hung up"]


@pytest.mark.slow
async def test_what_is_pipelined_meanwhile_is_kept_up_to_a_limit(
    autojump_clock: MockClock,
) -> None:
    go = trio.Event()

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        await unless_hung_up(connection, go.wait())
        return Response(200)

    async with served(answer) as stream:
        count = 3 * MAX_PIPELINED // len(GET)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, GET * count)
            await trio.sleep(1)
            go.set()
            assert (await hear(stream)).count(b"HTTP/1.1 200 OK") == count


async def test_what_it_returns_and_raises_comes_out_as_it_is(autojump_clock: MockClock) -> None:
    """Also what looks as if the client had left, but is a connection of the application's own."""
    seen: list[object] = []

    async def think(failure: Exception | None) -> str:
        await trio.sleep(1)
        if failure is not None:
            raise failure
        return "thought"

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        seen.append(await unless_hung_up(connection, think(None)))
        for failure in (KeyError("a"), trio.BrokenResourceError("a database")):
            try:
                await unless_hung_up(connection, think(failure))
            except Exception as error:
                seen.append(error is failure)
        return Response(200)

    async with served(answer) as stream:
        await stream.send_all(GET)
        assert (await hear(stream)).startswith(b"HTTP/1.1 200 ")
    assert seen == ["thought", True, True]


async def test_with_timers_only_what_takes_its_time_is_watched(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    timers, responder = Timers(), MemoryResponder()
    nursery.start_soon(timers.run)

    async def tasks() -> int:
        await wait_all_tasks_blocked()
        return trio.lowlevel.current_statistics().tasks_living

    before = await tasks()
    assert await unless_hung_up(responder, tasks(), timers) == before
    assert len(timers) == 0  # nothing happens later

    async def slow() -> int:
        await trio.sleep(WATCH_AFTER + 0.1)
        return await tasks()

    assert await unless_hung_up(responder, slow(), timers) == before + 1
    responder.leave()
    with pytest.raises(HungUp):
        await unless_hung_up(responder, trio.Event().wait(), timers)
    assert trio.current_time() == pytest.approx(2 * WATCH_AFTER + 0.1)
