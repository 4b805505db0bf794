"""What the head of a response says, whichever reader has read the request."""

from collections.abc import Callable

import pytest

from tests.support.served_connection import undated
from trio_sio.engine.http import fast_path, h11
from trio_sio.engine.http.exchange import Exchange, render_refusal
from trio_sio.http import EngineResponse, Response

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"


def plain(data: bytes) -> Exchange:
    found = fast_path.read_head(data)
    assert found is not None
    return found[0]


READERS = pytest.mark.parametrize("read", [plain, h11.read_head])
RESPONSES = [
    Response(200, [("A", "b")], b"ok"),
    Response(204, [("Content-Length", "0")]),
    Response(304, [("ETag", '"a"')]),
    Response(299),
    Response(200, [("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("content-length", "2")], b"ok"),
    Response(503, [("Connection", "close")], b"x"),
    Response(503, [("connection", "X-Y, Close")], b"x"),
    Response(200, [("Connection", "keep-alive")]),
]


@pytest.mark.parametrize("data", [GET, POST])
@pytest.mark.parametrize("response", RESPONSES)
def test_both_readers_give_the_same_answer(response: Response, data: bytes) -> None:
    fast, slow = plain(data), h11.read_head(data)
    assert undated(fast.render(response)) == undated(slow.render(response))
    assert (fast.is_answered, fast.closes) == (slow.is_answered, slow.closes)
    assert (fast.is_fast, slow.is_fast) == (True, False)


@READERS
@pytest.mark.parametrize(
    ("given", "sent"),
    [([], "close"), (["keep-alive"], "close"), (["Keep-Alive, X-Y"], "close, x-y")],
)
def test_a_connection_that_has_to_end_says_so(
    given: list[str], sent: str, read: Callable[[bytes], Exchange]
) -> None:
    exchange = read(POST)
    fields = [("Connection", value) for value in given]
    rendered = exchange.render(Response(413, fields, b"x")).decode()
    lines = [line for line in rendered.split("\r\n") if line.startswith("Connection")]
    assert lines == [f"Connection: {sent}"]
    assert exchange.closes


@READERS
def test_a_response_that_cannot_be_sent_is_none(read: Callable[[bytes], Exchange]) -> None:
    exchange = read(GET)
    with pytest.raises(ValueError, match="a header field would end the head"):
        exchange.render(EngineResponse(200, [("A", "b\r\nC: d")]))
    assert not exchange.is_answered


def test_a_body_that_has_been_read_does_not_end_the_connection() -> None:
    exchange = plain(POST)
    exchange.end_body()
    assert b"Connection" not in exchange.render(Response(200))
    assert not exchange.closes


def test_a_response_may_be_rendered_elsewhere() -> None:
    exchange = plain(GET)
    exchange.end()
    assert (exchange.is_answered, exchange.closes) == (True, True)


def test_a_refusal_ends_the_connection() -> None:
    head = (
        b"HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Cache-Control: no-store\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
    )
    assert undated(render_refusal(408, "too slow")) == head + b"too slow\n"
    assert undated(render_refusal(408, "too slow", "HEAD")) == head


@pytest.mark.parametrize(("status", "phrase"), [(200, b"OK"), (404, b"Not Found"), (299, b"")])
def test_the_phrase_of_a_status(status: int, phrase: bytes) -> None:
    line, _, _ = plain(GET).render(Response(status)).partition(b"\r\n")
    assert line == b"HTTP/1.1 %d %b" % (status, phrase)
