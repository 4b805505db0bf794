"""Heads that are too large, and answers that nobody takes."""

import logging

import pytest
import trio
from trio.testing import (
    MockClock,
    lockstep_stream_pair,
    memory_stream_pair,
    wait_all_tasks_blocked,
)

from tests.support.served_connection import GET, LIMITS, hear, reached, served, served_by_tcp
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.engine.runtime.timers import Timers
from trio_sio.http import Ends, Request, Response


async def ok(request: Request, connection: HTTPConnection) -> Response:
    return Response(200)


@pytest.mark.parametrize("fields", [b"", b"TE: trailers\r\n"])
@pytest.mark.parametrize("surplus", [0, 1])
async def test_the_size_of_a_head(
    fields: bytes, surplus: int, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """However it is read."""
    caplog.set_level(logging.INFO)
    begin, end = b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"X: ", b"\r\n\r\n"
    size = LIMITS.max_header_size + surplus
    async with served(ok) as stream:
        await stream.send_all(begin + b"x" * (size - len(begin) - len(end)) + end)
        data = await hear(stream)
    if not surplus:
        assert data.startswith(b"HTTP/1.1 200 ")
        assert (reached, caplog.messages) == ([], [])
        return
    assert data.startswith(b"HTTP/1.1 431 ")
    sentence = "a request's head may have 4000 bytes (max_header_size)"
    assert f"\r\n\r\n{sentence}\n<end>".encode() in data
    assert caplog.messages == [f"1.2.3.4: no request: {sentence}"]
    assert reached == ["max_header_size"]


LARGE = b"x" * 20_000_000
"""More than what lies between two sockets that nobody reads from."""


async def large(request: Request, connection: HTTPConnection) -> Response:
    return Response(200, [], LARGE)


async def test_an_answer_that_nobody_takes(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for fields in (b"", b"TE: trailers\r\n"):
        caplog.clear()
        async with served_by_tcp(large) as stream:
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
            await trio.sleep(49)
            assert reached == []
            await trio.sleep(2)
            assert reached == ["answer_timeout"]
            assert caplog.messages == [
                "1.2.3.4: an answer was not taken within 50.0 s (answer_timeout)"
            ]
            assert len(await hear(stream, patience=1000)) < len(LARGE)


async def test_an_answer_that_is_taken_slowly_in_memory(autojump_clock: MockClock) -> None:
    """Over TLS, say: a stream that takes no more until its peer reads."""
    reached.clear()
    ours, theirs = lockstep_stream_pair()
    timers = Timers()
    connection = HTTPConnection(theirs, Ends("1.2.3.4"), timers=timers, limits=LIMITS)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        nursery.start_soon(connection.serve, large)
        await ours.send_all(GET)
        await trio.sleep(49)
        assert reached == []
        await trio.sleep(2)
        assert reached == ["answer_timeout"]
        await wait_all_tasks_blocked()
        with pytest.raises(trio.BrokenResourceError):
            await ours.send_all(GET)
        nursery.cancel_scope.cancel()


async def test_an_answer_on_its_way_is_finished_though_the_server_closes() -> None:
    connections: list[HTTPConnection] = []

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        connections.append(connection)
        return Response(200, [], LARGE)

    async with served_by_tcp(answer) as stream:
        await stream.send_all(GET)
        await wait_all_tasks_blocked()
        connections[0].close_when_idle()
        data = await hear(stream, patience=60)
        assert data.endswith(b"x<end>")
        assert data.count(b"x") >= len(LARGE)


async def test_the_first_request_and_those_behind_another_wait_for_their_turn(
    autojump_clock: MockClock,
) -> None:
    log: list[str] = []

    async def turn() -> None:
        await trio.lowlevel.checkpoint()
        log.append("turn")

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        log.append("request")
        return Response(200)

    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(HTTPConnection(theirs, turn=turn).serve, answer)
        for requests in (2, 1):
            await ours.send_all(GET * requests)
            await wait_all_tasks_blocked()
        assert log == ["turn", "request", "turn", "request", "request"]
        await ours.aclose()
