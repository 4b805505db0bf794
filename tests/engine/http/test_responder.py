"""Noticing that a client leaves, and what it sends meanwhile."""

import pytest
import trio
from trio.testing import MockClock

from tests.support.served_connection import GET, hear, served
from trio_sio.engine.http.connection import MAX_PIPELINED, HTTPConnection
from trio_sio.engine.http.responder import HungUp, unless_hung_up
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
