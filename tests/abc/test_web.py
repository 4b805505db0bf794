"""A web application that is written for the seam, and knows no ASGI."""

from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.abc import WebApplication, WebReply
from trio_sio.testing.wire import open_wire


async def _pieces() -> AsyncIterator[bytes]:
    for piece in (b"a", b"bc"):
        await trio.lowlevel.checkpoint()
        yield piece


RETURNED = {
    "/whole": trio_sio.Response(200, [], b"abc"),
    "/streamed": trio_sio.Response(200, [], _pieces()),
    "/none": "abc",
}


class Site:
    """Streams what it is sent, returns responses, and takes connections over.

    Attributes:
        told: what happened to it.
    """

    def __init__(self) -> None:
        self.told: list[str] = []

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self.told.append("runs")
        task_status.started()
        await trio.sleep_forever()

    async def answer(self, request: trio_sio.Request, reply: WebReply) -> trio_sio.Response | None:
        if request.path in RETURNED:
            return RETURNED[request.path]  # type: ignore[return-value]  # one is none
        if request.path == "/over":
            stream = reply.take_over()
            await stream.write(b"no HTTP: " + await stream.read())
            if request.query_string:
                raise KeyError("after that")
            return None
        body = await reply.begin(trio_sio.Response(200))
        async for piece in request.stream(limit=1_000_000):
            await body.write(piece)
        await body.finish()
        return None

    def close(self) -> None:
        self.told.append("closes")


async def _serve_nothing(session: trio_sio.abc.Session) -> None:
    await trio.sleep_forever()


async def test_it_streams_both_ways_and_has_a_life(autojump_clock: MockClock) -> None:
    site = Site()
    assert isinstance(site, WebApplication)
    engine = trio_sio.Engine(fallback=site, raise_errors=True)
    async with open_wire(engine, _serve_nothing, streams=socket_pair) as wire:
        assert site.told == ["runs"]
        connection = wire.connect()
        chunked = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        await connection.send(chunked)
        assert (await connection._receive_head()).startswith(b"HTTP/1.1 200")
        for piece in (b"3\r\nabc\r\n", b"2\r\nde\r\n"):
            await connection.send(piece)
            assert await connection.receive_exactly(len(piece)) == piece
        await connection.send(b"0\r\n\r\n")
        assert await connection.receive_exactly(5) == b"0\r\n\r\n"
        assert await connection.receive_rest() == b""  # it was not known to be read when it began
    assert site.told == ["runs", "closes"]


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/whole", 200, b"abc"),
        ("/streamed", 200, b"abc"),
        ("/none", 500, b""),
    ],
)
async def test_it_may_return_a_response_of_either_kind(
    path: str, status: int, body: bytes, autojump_clock: MockClock
) -> None:
    async with open_wire(trio_sio.Engine(fallback=Site()), _serve_nothing) as wire:
        response = await wire.connect().request("GET", path)
        assert (response.status, response.body) == (status, body)
        assert ("transfer-encoding" in response.headers) == (path == "/streamed")


@pytest.mark.parametrize("query", ["", "?fails"])
async def test_it_takes_a_connection_over_which_is_closed_behind_it(
    query: str, autojump_clock: MockClock
) -> None:
    engine = trio_sio.Engine(fallback=Site())
    async with open_wire(engine, _serve_nothing, streams=socket_pair) as wire:
        connection = wire.connect()
        await connection.send_request("GET", f"/over{query}")
        await connection.send(b"words")
        assert await connection.receive_rest() == b"no HTTP: words"
