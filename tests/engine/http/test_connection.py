"""One connection, as bytes: what is sent, what comes back."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

import pytest
import trio
from trio.testing import (
    MockClock,
    memory_stream_pair,
    wait_all_tasks_blocked,
)

from tests.support.served_connection import GET, Answer, hear, served, served_by_tcp
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.http import BodyTooLarge, BodyTooSlow, Request, Response


async def echo(request: Request, connection: HTTPConnection) -> Response:
    return Response(200, [("X-Method", request.method)], await request.body(10))


def response(body: str, *fields: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


POST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc"
GOT = response("", "X-Method: GET")
POSTED = response("abc", "X-Method: POST")


async def test_a_request_is_what_was_sent(autojump_clock: MockClock) -> None:
    seen: list[Request] = []

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        seen.append(request)
        return Response(204)

    async with served(answer) as stream:
        await stream.send_all(b"GET /a?b=c HTTP/1.0\r\nHost: here\r\nX-Y: \xe9\r\n\r\n")
        assert (await hear(stream)).startswith(b"HTTP/1.1 204 No Content\r\n")
    (request,) = seen
    assert (request.method, request.target, request.http_version) == ("GET", "/a?b=c", "1.0")
    assert (request.remote, request.secure) == ("1.2.3.4", True)
    assert list(request.headers) == [("host", "here"), ("x-y", "é")]


@pytest.mark.parametrize("cut", [1, 2, 7, 1000])
async def test_keep_alive_and_pipelining_however_it_is_cut(
    cut: int, autojump_clock: MockClock
) -> None:
    requests = GET + POST + GET
    async with served(echo) as stream:
        for start in range(0, len(requests), cut):
            await stream.send_all(requests[start : start + cut])
            await wait_all_tasks_blocked()
        assert await hear(stream) == GOT + POSTED + GOT


@pytest.mark.parametrize(
    "request_line",
    [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
)
async def test_the_client_may_want_to_close(request_line: bytes, autojump_clock: MockClock) -> None:
    async with served(echo) as stream:
        await stream.send_all(request_line)
        data = await hear(stream)
        assert data.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Connection: close\r\n" in data
        assert data.endswith(b"<end>")


async def test_expect_continue(autojump_clock: MockClock) -> None:
    async with served(echo) as stream:
        await stream.send_all(
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
        assert await hear(stream) == b"HTTP/1.1 100 Continue\r\n\r\n"
        await stream.send_all(b"abc")
        assert await hear(stream) == POSTED


async def test_an_empty_body_is_none_to_be_read(autojump_clock: MockClock) -> None:
    async def answer(request: Request, connection: HTTPConnection) -> Response:
        return Response(204)

    empty = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    async with served(answer) as stream:
        await stream.send_all(empty + empty)
        assert (await hear(stream)).count(b"HTTP/1.1 204 ") == 2


async def test_header_values_are_latin_1_both_ways(autojump_clock: MockClock) -> None:
    async def answer(request: Request, connection: HTTPConnection) -> Response:
        return Response(200, [("X-Origin", request.headers["origin"])])

    async with served(answer) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://\xe9\r\n\r\n")
        assert b"X-Origin: http://\xe9\r\n" in await hear(stream)


async def test_head_has_no_body(autojump_clock: MockClock) -> None:
    async def answer(request: Request, connection: HTTPConnection) -> Response:
        return Response(200, [], b"page")

    async with served(answer) as stream:
        await stream.send_all(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
        assert await hear(stream) == head + head + b"page"


@pytest.mark.parametrize("status", [204, 304])
async def test_some_statuses_have_no_body(status: int, autojump_clock: MockClock) -> None:
    async def answer(request: Request, connection: HTTPConnection) -> Response:
        return Response(status)

    async with served(answer) as stream:
        await stream.send_all(GET + GET)
        assert (await hear(stream)).count(b"HTTP/1.1 %d " % status) == 2


async def test_a_large_body_is_refused_before_it_is_kept(autojump_clock: MockClock) -> None:
    async def answer(request: Request, connection: HTTPConnection) -> Response:
        try:
            await request.body(10)
        except BodyTooLarge as error:
            return Response(413, [], str(error).encode())
        raise AssertionError

    async with served(answer) as stream:
        await stream.send_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
        data = await hear(stream)
        assert b"a body of 11 bytes; 10 are allowed" in data
        assert b"Connection: close\r\n" in data
        assert data.endswith(b"<end>")


async def test_an_unread_body_ends_the_connection(autojump_clock: MockClock) -> None:
    async def answer(request: Request, connection: HTTPConnection) -> Response:
        return Response(200)

    async with served(answer) as stream:
        await stream.send_all(POST + GET)
        data = await hear(stream)
        assert data.count(b"HTTP/1.1") == 1
        assert data.endswith(b"<end>")


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431),
    ],
)
async def test_what_is_no_request_gets_an_answer(
    garbage: bytes, status: int, autojump_clock: MockClock
) -> None:
    async with served(echo) as stream:
        await stream.send_all(garbage)
        data = await hear(stream)
        assert data.startswith(b"HTTP/1.1 %d " % status)
        assert data.endswith(b"<end>")


async def test_a_client_that_leaves_in_the_middle(autojump_clock: MockClock) -> None:
    for sent in (b"", b"GET / HT", POST[:-1]):
        async with served(echo) as stream:
            await stream.send_all(sent)
            await stream.aclose()
            await wait_all_tasks_blocked()


# -- time limits ---------------------------------------------------------------------------------


both = pytest.mark.parametrize("serve", [served, served_by_tcp])
Serve = Callable[[Answer], AbstractAsyncContextManager[trio.abc.HalfCloseableStream]]
SLOW = b"a request's head may take 10.0 s (head_timeout)\n"


@both
@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: a\r\n", b"G"])
async def test_a_head_that_does_not_end(sent: bytes, serve: Serve, mock_clock: MockClock) -> None:
    mock_clock.autojump_threshold = 0.02
    async with serve(echo) as stream:
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def drip() -> None:  # that it goes on does not help it
                await stream.send_all(sent)
                for _ in range(30):
                    await trio.sleep(1)
                    with suppress(trio.BrokenResourceError):
                        await stream.send_all(b"x")

            heard = await hear(stream, 60)
            nursery.cancel_scope.cancel()
    assert heard.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"\r\nConnection: close\r\n" in heard
    assert heard.endswith(SLOW + b"<end>")


@both
async def test_who_says_nothing_is_not_answered(serve: Serve, mock_clock: MockClock) -> None:
    mock_clock.autojump_threshold = 0.02
    async with serve(echo) as stream:
        begun = trio.current_time()
        assert await hear(stream, 60) == b"<end>"
        assert trio.current_time() - begun == pytest.approx(10, abs=0.1)


@both
async def test_who_sends_no_further_request(serve: Serve, mock_clock: MockClock) -> None:
    mock_clock.autojump_threshold = 0.02
    async with serve(echo) as stream:
        for _ in range(3):  # the time between two requests is not added up
            await stream.send_all(GET + POST)
            assert await hear(stream, 600) == GOT + POSTED
        begun = trio.current_time()
        assert await hear(stream, 2000) == b"<end>"
        assert trio.current_time() - begun == pytest.approx(400, abs=1)


@pytest.mark.slow
@both
@pytest.mark.parametrize("by_h11", [False, True])
async def test_a_body_that_does_not_end(by_h11: bool, serve: Serve, mock_clock: MockClock) -> None:
    mock_clock.autojump_threshold = 0.02
    errors: list[BodyTooSlow] = []

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        try:
            body = await request.body(1000)
        except BodyTooSlow as error:
            errors.append(error)
            return Response(408, [("Connection", "close")], b"slow")
        return Response(200, [], body)

    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
    async with serve(answer) as stream:
        await stream.send_all(head + (b"TE: x\r\n\r\n" if by_h11 else b"\r\n"))
        for _ in range(99):
            await trio.sleep(1)
            await stream.send_all(b"x")
        await trio.sleep(0.5)
        await stream.send_all(b"x")  # just in time
        assert (await hear(stream)).endswith(b"\r\n\r\n" + b"x" * 100)
        await stream.send_all(head + (b"TE: x\r\n\r\n" if by_h11 else b"\r\n") + b"y")
        begun = trio.current_time()
        heard = await hear(stream, 300)
        assert heard.startswith(b"HTTP/1.1 408 ")
        assert heard.endswith(b"slow<end>")
        assert trio.current_time() - begun == pytest.approx(100, abs=0.5)
    assert [error.limit for error in errors] == [100.0]
    assert "body_timeout" in str(errors[0])


@both
async def test_while_an_answer_is_due_no_time_runs(serve: Serve, mock_clock: MockClock) -> None:
    mock_clock.autojump_threshold = 0.02

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        await trio.sleep(5000)
        return Response(200)

    async with serve(answer) as stream:
        await stream.send_all(GET)
        assert await hear(stream, 6000) == response("")


@both
@pytest.mark.parametrize("empty", [b"\r\n", b"\r\n\r\n", b"\r"])
async def test_an_empty_line_behind_a_request_is_not_the_next(
    empty: bytes, serve: Serve, mock_clock: MockClock
) -> None:
    """Some clients send one behind a body; the time of a head has not begun."""
    mock_clock.autojump_threshold = 0.02
    async with serve(echo) as stream:
        for _ in range(2):
            await stream.send_all(POST + empty)
            assert await hear(stream, 500) == POSTED
            await stream.send_all(b"\n" * (empty == b"\r") + GET)
            assert await hear(stream) == GOT
        await stream.send_all(empty)
        assert await hear(stream, 2000) == b"<end>"


@pytest.mark.parametrize(
    "request_",
    [
        b"HEAD / HTTP/1.1\r\n\r\n",
        b"HEAD / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"HEAD / HTTP/1.1\nHost: a\n\n",
        b"\r\nHEAD / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5000 + b"\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: a\r\n" + b"X:\r\n" * 200 + b"\r\n",
        b"HEAD / HTTP/1.1\r\nHost: a\r\n",
    ],
)
async def test_a_refused_head_gets_no_body(request_: bytes, autojump_clock: MockClock) -> None:
    async with served(echo) as stream:
        await stream.send_all(request_)
        data = await hear(stream, 60)
        assert data.startswith(b"HTTP/1.1 ")
        assert b"\r\nContent-Length: " in data
        assert data.endswith(b"\r\n\r\n<end>")


async def test_closing_when_idle(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    connection = HTTPConnection(theirs)
    go = trio.Event()

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        await go.wait()
        return Response(200)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.serve, answer)
        await ours.send_all(GET)
        await trio.sleep(1)
        connection.close_when_idle()  # it is busy, and finishes that
        go.set()
        assert (await hear(ours)).endswith(b"Content-Length: 0\r\n\r\n<end>")


async def test_closing_while_idle(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    connection = HTTPConnection(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.serve, echo)
        await ours.send_all(GET)
        assert b"200" in await hear(ours)
        assert not connection.is_new
        connection.close_when_idle()
        assert await hear(ours) == b"<end>"


async def test_closing_before_the_first_request(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    connection = HTTPConnection(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.serve, echo)
        await trio.sleep(1)
        assert connection.is_new
        connection.close_when_idle()
        await trio.sleep(1)
        await ours.send_all(GET + GET)
        answers = await hear(ours)
        assert answers.count(b"HTTP/1.1 200 ") == 1
        assert answers.endswith(b"<end>")


async def test_taking_over_gives_back_what_was_read_ahead(autojump_clock: MockClock) -> None:
    rest: list[bytes] = []

    async def answer(request: Request, connection: HTTPConnection) -> None:
        pipe = connection.take_over()
        rest.append(await pipe.read())
        rest.append(await pipe.read())

    upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    async with served(answer) as stream:
        await stream.send_all(upgrade + b"ahead")
        await wait_all_tasks_blocked()
        await stream.send_all(b"later")
        assert await hear(stream) == b"<end>"
    assert rest == [b"ahead", b"later"]
