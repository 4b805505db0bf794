"""Plain requests: what is one means the same to h11, and what is not is left to it."""

import h11
import pytest
from hypothesis import given, strategies as st

from tests.support.served_connection import undated
from trio_sio.engine.http.fast_path import NO_FIELDS, read_head
from trio_sio.http import EngineResponse, Response

POLL = (
    b"GET /socket.io/?EIO=3&transport=polling&sid=abc HTTP/1.1\r\n"
    b"Host: here:3000\r\nConnection: keep-alive\r\nX-Y:  \xe9 z \t\r\nX-Empty:\r\n\r\n"
)
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"


def head(*fields: bytes, line: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join([line, b"Host: a", *fields, b"", b""])


def test_a_poll() -> None:
    found = read_head(POLL + b"rest")
    assert found is not None
    request, _, end = found
    assert end == len(POLL)
    assert request.method == "GET"
    assert request.target == "/socket.io/?EIO=3&transport=polling&sid=abc"
    assert request.fields == [
        ("host", "here:3000"),
        ("connection", "keep-alive"),
        ("x-y", "é z"),
        ("x-empty", ""),
    ]
    assert (request.announced, request.unread) == (0, 0)


def test_a_post() -> None:
    found = read_head(POST + b"abc")
    assert found is not None
    assert (found[0].method, found[0].announced, found[0].unread) == ("POST", 3, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        POLL[:-1],
        POLL.replace(b"\r\n", b"\n"),
        head(line=b"HEAD / HTTP/1.1"),
        head(line=b"PUT / HTTP/1.1"),
        head(line=b"GET / HTTP/1.0"),
        head(line=b"GET  / HTTP/1.1"),
        head(line=b"GET http://a/ HTTP/1.1"),
        head(line=b"GET /\x00 HTTP/1.1"),
        head(line=b"GET /\xe9 HTTP/1.1"),
        b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
        head(b"Host: b"),
        head(b"Connection: close"),
        head(b"Connection: keep-alive, close"),
        head(b"Connection: Upgrade", b"Upgrade: h2c"),
        head(b"Upgrade: websocket"),
        head(b"Connection: Upgrade"),
        head(b"Transfer-Encoding: chunked"),
        head(b"Expect: 100-continue"),
        head(b"Content-Length: 1", b"Content-Length: 1"),
        head(b"Content-Length: +1"),
        head(b"Content-Length: 1, 1"),
        head(b"Content-Length:"),
        head(b"Content-Length: " + b"1" * 16),
        head(b"A B: c"),
        head(b"A : c"),
        head(b": c"),
        head(b"A: b", b" folded"),
        head(b"A: b\x00c"),
        head(b"A: b\rc"),
        head(b"A: b\nc"),
        head(b"A: " + b"x" * 16 * 1024),
        b"\r\n" + POLL,
    ],
)
def test_what_is_not_plain_is_left_alone(data: bytes) -> None:
    assert read_head(data) is None


pieces = st.sampled_from(
    [
        *(b"GET", b"POST", b"OPTIONS", b"HEAD", b" ", b"/", b"?a=b", b" HTTP/1.1", b" HTTP/1.0"),
        *(b"\r\n", b"\r\n\r\n", b"\n", b":", b"Host: a\r\n", b"Content-Length: 5\r\n", b"\t", b"0"),
        *(b"Connection: keep-alive\r\n", b"Connection: close\r\n", b"X-Y: z\r\n", b"\xe9", b"\x00"),
        *(
            b"Transfer-Encoding: chunked\r\n",
            b"Expect: 100-continue\r\n",
            b"content-length:007\r\n",
        ),
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Heads that are right, or nearly."""
    fields = b"".join(draw(st.lists(pieces, max_size=6)))
    line = draw(st.sampled_from([b"GET /a HTTP/1.1\r\n", b"POST /b?c=d HTTP/1.1\r\n"]))
    return line + b"Host: here\r\n" + fields + draw(st.sampled_from([b"\r\n", b"", b"hello"]))


@given(st.lists(requests(), min_size=2, max_size=3))
def test_fields_may_be_those_of_the_request_before(heads: list[bytes]) -> None:
    before = NO_FIELDS
    for data in heads * 2:
        found, again = read_head(data), read_head(data, before)
        assert again == found
        if again is not None:
            before = again[1]


def test_the_same_fields_are_not_read_again() -> None:
    first = read_head(POST)
    assert first is not None
    second = read_head(POST.replace(b"sid=abc", b"sid=def"), first[1])
    assert second is not None
    assert second[1] is first[1]
    assert (second[0].target, second[0].unread) != (first[0].target, 0)
    third = read_head(POST.replace(b"Content-Length: 3", b"Content-Length: 4"), first[1])
    assert third is not None
    assert third[0].announced == 4


@given(st.one_of(requests(), st.lists(pieces, max_size=12).map(b"".join)))
def test_what_is_plain_means_the_same_to_h11(data: bytes) -> None:
    found = read_head(data)
    if found is None:
        return
    request, _, end = found
    judge = h11.Connection(h11.SERVER)
    judge.receive_data(data[:end] + b"x" * request.announced)
    event = judge.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method, event.target) == (request.method.encode(), request.target.encode())
    fields = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in request.fields]
    assert [*event.headers] == fields
    size = 0
    while isinstance(body := judge.next_event(), h11.Data):
        size += len(body.data)
    assert isinstance(body, h11.EndOfMessage)
    assert size == request.announced
    assert judge.trailing_data == (b"", False)
    judge.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
    judge.send(h11.EndOfMessage())
    assert judge.our_state is h11.DONE  # the connection goes on


def answered(data: bytes, response: Response) -> bytes:
    found = read_head(data)
    assert found is not None
    request, _, _ = found
    made = request.render(response)
    assert request.is_answered
    assert request.closes == (b"connection: close" in made.lower())
    return undated(made)


def test_answers() -> None:
    fields = [("Content-Type", "text/plain"), ("X-Origin", "http://é")]
    assert answered(POLL, Response(200, fields, b"ok")) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Origin: http://\xe9\r\n"
        b"Content-Length: 2\r\n\r\nok"
    )
    assert answered(POLL, Response(299)) == b"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"
    assert answered(POLL, Response(205)).endswith(b"Content-Length: 0\r\n\r\n")
    close = answered(POLL, Response(503, [("Connection", "close")], b"x"))
    assert close.endswith(b"Connection: close\r\nContent-Length: 1\r\n\r\nx")
    assert b"Connection: close\r\n" in answered(POST, Response(413))
    given_length = answered(POLL, Response(200, [("content-length", "1")], b"x"))
    assert given_length == b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"


@pytest.mark.parametrize("field", [("A", "b\r\nC: d"), ("A\n", "b"), ("A", "\0")])
def test_no_field_breaks_the_head(field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="a header field would end the head"):
        answered(POLL, EngineResponse(200, [field]))


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("length", [[], [("content-length", "0")], [("Content-Length", "9")]])
def test_what_ends_with_its_head_has_no_length(status: int, length: list[tuple[str, str]]) -> None:
    fields = [("ETag", '"a"'), *length]
    made = answered(POLL, Response(status, fields))
    assert made.partition(b"\r\n")[2] == b'ETag: "a"\r\n\r\n'


@pytest.mark.parametrize("value", ["close", "Close", "CLOSE"])
def test_what_says_that_it_closes_does(value: str) -> None:
    assert answered(POLL, Response(200, [("connection", value)]))


def test_a_date_of_the_application_is_the_only_one() -> None:
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    found = read_head(POLL)
    assert found is not None
    made = found[0].render(Response(200, [("date", date)]))
    assert made == f"HTTP/1.1 200 OK\r\ndate: {date}\r\nContent-Length: 0\r\n\r\n".encode()
