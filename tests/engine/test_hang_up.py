"""Noticing that a client leaves, and what it sends meanwhile."""

import trio
from trio.testing import MockClock

from tests.engine.serving import GET, hear, served
from trio_sio.engine.connection import MAX_PIPELINED, HTTPConnection
from trio_sio.engine.hang_up import wait_unless_hung_up
from trio_sio.engine.message import Request, Response


async def test_who_waits_hears_of_a_client_that_hangs_up(autojump_clock: MockClock) -> None:
    heard: list[str] = []

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        try:
            await wait_unless_hung_up(connection, trio.Event())
        except trio.BrokenResourceError:
            heard.append("hung up")
            raise
        raise AssertionError

    async with served(answer) as stream:
        await stream.send_all(GET)
        await trio.sleep(1)
        await stream.aclose()
        await trio.sleep(1)
    assert heard == ["hung up"]


async def test_what_is_pipelined_meanwhile_is_kept_up_to_a_limit(
    autojump_clock: MockClock,
) -> None:
    go = trio.Event()

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        await wait_unless_hung_up(connection, go)
        return Response(200)

    async with served(answer) as stream:
        count = 3 * MAX_PIPELINED // len(GET)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, GET * count)
            await trio.sleep(1)
            go.set()
            assert (await hear(stream)).count(b"HTTP/1.1 200 OK") == count
