"""Heads as h11 reads them, and what is refused before it does; answers."""

import h11
import pytest
from hypothesis import given, strategies as st

from tests.support.served_connection import undated
from trio_sio.engine.http.h11 import (
    BadRequest,
    count_empty_lines,
    find_head,
    head_too_large,
    read_framing,
    read_head,
)
from trio_sio.http import Response

POST = b"POST /a?b HTTP/1.1\r\nHost: x\r\nX-Y: z\r\nContent-Length: 3\r\n\r\n"


def head(*fields: bytes, line: bytes = b"POST / HTTP/1.1", host: bytes = b"Host: x") -> bytes:
    return b"\r\n".join([line, host, *fields, b"", b""])


def refused(data: bytes) -> tuple[int, str]:
    with pytest.raises(BadRequest) as caught:
        read_head(data)
    return caught.value.status, str(caught.value)


# -- where a head ends ---------------------------------------------------------------------------


def test_a_head_ends_at_its_empty_line() -> None:
    assert find_head(POST + b"abc\n\n", 1000) == len(POST)
    for size in range(len(POST)):
        assert find_head(POST[:size], 1000) == 0


@pytest.mark.parametrize("size", [5, 20, 1000])
def test_the_size_of_a_head(size: int) -> None:
    data = b"x" * (size - 4) + b"\r\n\r\n"
    assert find_head(data + b"more", len(data)) == len(data)
    for sent in (data, data[:-1], data + b"more"):
        with pytest.raises(BadRequest, match=r"\(max_header_size\)") as caught:
            find_head(sent, len(data) - 1)
        assert (caught.value.status, caught.value.option) == (431, "max_header_size")
    assert str(head_too_large(10)) == "a request's head may have 10 bytes (max_header_size)"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\r\nHost: a\n\r\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\n",
        b"\n" + POST,
        b"\r" + POST,
        b" " + POST,
        b"\0",
        b"\x16\x03\x01\x02",
    ],
)
def test_what_will_be_no_head_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        find_head(data, 1000)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("data", "size"), [(b"", 0), (b"\r", 0), (b"\r\n\r\n\r", 4), (b"\n\r\n", 0), (POST, 0)]
)
def test_empty_lines(data: bytes, size: int) -> None:
    assert count_empty_lines(data) == size


# -- framing -------------------------------------------------------------------------------------

CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ((), 0),
        ((b"Content-Length: 3",), 3),
        ((b"content-length:\t 007 ",), 7),
        ((CHUNKED,), None),
        ((b"transfer-encoding:Chunked\t",), None),
    ],
)
def test_the_length_of_a_body(fields: tuple[bytes, ...], length: int | None) -> None:
    exchange = read_head(head(*fields))
    assert exchange.is_chunked == (length is None)
    assert exchange.announced == (length or 0)
    assert bool(exchange.unread) == (length != 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "TRACE", "X"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ((CHUNKED, b"Content-Length: 3"), 400),
        ((b"Content-Length: 3", CHUNKED), 400),
        ((b"Content-Length: 3", b"Content-Length: 3"), 400),
        ((b"Content-Length: 3", b"Content-Length: 4"), 400),
        ((b"Content-Length: 3, 3",), 400),
        ((b"Content-Length: +3",), 400),
        ((b"Content-Length: 0x3",), 400),
        ((b"Content-Length: 3_0",), 400),
        ((b"Content-Length:",), 400),
        ((b"Content-Length: " + b"1" * 21,), 400),
        ((b"Content-Length : 3",), 400),
        ((b"Content-Length: \xb2",), 400),
        ((CHUNKED, CHUNKED), 400),
        ((b"Transfer-Encoding: chunked, chunked",), 400),
        ((b"Transfer-Encoding: chunked, gzip",), 400),
        ((b"Transfer-Encoding: gzip, chunked",), 501),
        ((b"Transfer-Encoding: gzip", CHUNKED), 501),
        ((b"Transfer-Encoding: identity",), 400),
        ((b"Transfer-Encoding: ",), 400),
        ((b"Transfer-Encoding: \x0bchunked",), 400),
        ((b"Transfer-Encoding : chunked",), 400),
        ((b"Transfer-Encoding: chunked;a=b",), 400),
        ((b"X: y", b" folded"), 400),
        ((b"X: y", b"\tTransfer-Encoding: chunked"), 400),
        ((b"X: y", b" "), 400),
        ((b"X: y\rTransfer-Encoding: chunked",), 400),
    ],
)
def test_what_two_readers_may_understand_in_two_ways(
    fields: tuple[bytes, ...], status: int, method: str
) -> None:
    assert refused(head(*fields, line=f"{method} / HTTP/1.1".encode()))[0] == status


def test_http_1_0_knows_no_chunks() -> None:
    assert refused(head(CHUNKED, line=b"POST / HTTP/1.0"))[0] == 400


lines = st.sampled_from(
    [
        *(b"Content-Length: 3", b"Content-Length: 4", b"content-length:3", b"Content-Length: 3,3"),
        *(CHUNKED, b"Transfer-Encoding: gzip", b"transfer-encoding:\tCHUNKED", b"X: y", b" z", b""),
    ]
)


@given(st.lists(lines, max_size=4), st.sampled_from([b"1.0", b"1.1"]))
def test_what_is_framed_is_framed_so_for_h11(fields: list[bytes], version: bytes) -> None:
    """And h11 refuses nothing that is not refused here."""
    block = b"".join(line + b"\r\n" for line in fields)
    judge = h11.Connection(h11.SERVER)
    judge.receive_data(b"POST / HTTP/%b\r\nHost: a\r\n%b\r\n" % (version, block))
    try:
        length = read_framing(block + b"\r\n", version)
    except BadRequest:
        return
    if b"" in fields:
        return
    event = judge.next_event()
    assert isinstance(event, h11.Request)
    seen = dict(event.headers)
    assert (b"transfer-encoding" in seen) == (length is None)
    assert int(seen.get(b"content-length", b"0")) == (length or 0)


# -- the request line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"PRI * HTTP/2.0", 505),
        (b"GET / HTTP/9.9", 505),
        (b"GET / HTTP/0.9", 505),
        (b"GET / HTTP/3.0", 505),
        (b"CONNECT a:443 HTTP/1.1", 501),
        (b"CONNECT / HTTP/1.1", 501),
        (b"GET /", 400),
        (b"GET / HTTP/1", 400),
        (b"GET / HTTP/1.10", 400),
        (b"GET / HTTP/11.1", 400),
        (b"GET / http/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET /  HTTP/1.1", 400),
        (b"GET\t/ HTTP/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET  HTTP/1.1", 400),
        (b"GET /\xe9 HTTP/1.1", 400),
        (b"G(T / HTTP/1.1", 400),
        (b"GET a:443 HTTP/1.1", 400),
        (b"GET * HTTP/1.1", 400),
        (b"GET ?a=b HTTP/1.1", 400),
        (b"GET ftp://a/ HTTP/1.1", 400),
        (b"GET http:///a HTTP/1.1", 400),
    ],
)
def test_request_lines_that_are_refused(line: bytes, status: int) -> None:
    assert refused(head(line=line))[0] == status


@pytest.mark.parametrize(
    ("version", "seen"), [(b"1.0", "1.0"), (b"1.1", "1.1"), (b"1.2", "1.1"), (b"1.9", "1.1")]
)
def test_a_later_http_1_is_read_as_1_1(version: bytes, seen: str) -> None:
    exchange = read_head(head(line=b"GET / HTTP/" + version))
    assert exchange.version == seen
    exchange.render(Response(200))
    assert exchange.closes == (seen == "1.0")


@pytest.mark.parametrize("version", [b"1.1", b"1.7"])
@pytest.mark.parametrize(
    "host", [b"A: b", b"Host: a b", b"Host: a/b", b"Host: a@b", b"Host: a:x", b"Host: a\r\nHost: a"]
)
def test_a_host_must_be_there_once_and_be_one(version: bytes, host: bytes) -> None:
    for target in (b"/", b"http://a/"):
        assert refused(head(line=b"GET %b HTTP/%b" % (target, version), host=host))[0] == 400


def test_the_host_of_an_absolute_target_takes_the_place_of_the_field() -> None:
    for line in (b"GET http://There:80/a?b HTTP/1.1", b"GET http://There:80/a?b#c HTTP/1.0"):
        seen = read_head(head(b"X: y", line=line))
        assert seen.target == "/a?b"
        assert seen.fields == [("Host", "There:80"), ("X", "y")]
    assert read_head(b"GET https://there HTTP/1.0\r\n\r\n").fields == [("Host", "there")]


# -- answers -------------------------------------------------------------------------------------


def test_a_request_and_its_answer() -> None:
    exchange = read_head(POST)
    assert exchange.fields == [("Host", "x"), ("X-Y", "z"), ("Content-Length", "3")]
    assert (exchange.method, exchange.target) == ("POST", "/a?b")
    assert not exchange.is_answered
    exchange.unread = 0
    answer = exchange.render(Response(200, [("A", "b")], b"ok"))
    assert undated(answer) == b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok"
    assert exchange.is_answered
    assert not exchange.closes


@pytest.mark.parametrize("fields", [b"Content-Length: 3", CHUNKED])
def test_a_body_that_was_not_read_ends_the_connection(fields: bytes) -> None:
    exchange = read_head(head(fields))
    assert b"\r\nConnection: close\r\n" in exchange.render(Response(413))
    assert exchange.closes


METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "M-SEARCH"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "fields", [(), (b"Content-Length: 3",), (CHUNKED,), (b"Connection: upgrade", b"Upgrade: h2c")]
)
@pytest.mark.parametrize("status", [200, 204, 304, 404])
def test_whatever_the_method_there_is_an_answer(
    status: int, fields: tuple[bytes, ...], method: str
) -> None:
    for version in ("1.0", "1.1"):
        if version == "1.0" and fields == (CHUNKED,):
            continue
        exchange = read_head(head(*fields, line=f"{method} / HTTP/{version}".encode()))
        body = b"" if status in (204, 304) else b"ok"
        answer = exchange.render(Response(status, [], body))
        expected = b"\r\n\r\n" if method == "HEAD" else b"\r\n\r\n" + body
        assert answer.endswith(expected)
        assert exchange.is_answered


def test_who_expects_it_is_told_to_go_on_once() -> None:
    exchange = read_head(head(b"Content-Length: 3", b"Expect: 100-continue"))
    assert exchange.go_on() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert exchange.go_on() == b""
    assert read_head(POST).go_on() == b""
    old = head(b"Content-Length: 3", b"Expect: 100-continue", line=b"POST / HTTP/1.0")
    assert read_head(old).go_on() == b""
