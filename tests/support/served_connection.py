"""A connection that is served, and what comes of it; the limits that it reaches are noted."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
from trio.testing import memory_stream_pair

from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.engine.http.timeouts import HTTPLimits, Phase
from trio_sio.engine.runtime.timers import Timers
from trio_sio.http import Ends, Request, Response
from trio_sio.logs.throttle import LogThrottle

Answer = Callable[[Request, HTTPConnection], Awaitable[Response | None]]

GET = b"GET /a?b=c HTTP/1.1\r\nHost: here\r\n\r\n"

reached: list[str] = []
"""The limits that were reached in the present test."""

LIMITS = HTTPLimits(
    {Phase.HEAD: 10.0, Phase.BODY: 100.0, Phase.IDLE: 1000.0, Phase.ANSWER: 50.0},
    max_headers=100,
    max_header_size=4000,
    count_limit=reached.append,
)


def _limits(timers: Timers) -> HTTPLimits:
    return LIMITS._replace(log=LogThrottle(timers.call_at))


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[trio.abc.HalfCloseableStream]:
    reached.clear()
    ours, theirs = memory_stream_pair()
    timers = Timers()
    connection = HTTPConnection(
        theirs, Ends("1.2.3.4", 5), secure=True, timers=timers, limits=_limits(timers)
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        nursery.start_soon(connection.serve, answer)
        yield ours
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def served_by_tcp(answer: Answer) -> AsyncIterator[trio.abc.HalfCloseableStream]:
    """As `served`, over a real socket, where reading is interrupted in another way."""
    reached.clear()
    timers = Timers()
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener, trio.open_nursery() as nursery:
        client = await trio.open_tcp_stream(*listener.socket.getsockname())
        async with client:
            stream = await listener.accept()
            connection = HTTPConnection(
                stream, Ends("1.2.3.4", 5), timers=timers, limits=_limits(timers)
            )
            nursery.start_soon(timers.run)
            nursery.start_soon(connection.serve, answer)
            yield client
            nursery.cancel_scope.cancel()


async def hear(
    stream: trio.abc.ReceiveStream, patience: float = 5, beginning: bytes = b""
) -> bytes:
    """Return what comes behind a beginning until nothing more does, without dates of answers."""
    data = beginning
    with trio.move_on_after(patience):
        while more := await stream.receive_some():
            data += more
        return undated(data) + b"<end>"
    return undated(data)


def undated(answers: bytes) -> bytes:
    """Return answers without their dates, of which each has exactly one."""
    assert answers.count(b"\r\nDate: ") == len(re.findall(rb"HTTP/1\.1 [2-5]", answers))
    return re.sub(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", b"", answers)
