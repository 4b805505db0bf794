"""Bodies in chunks: what is accepted means the same to h11, and nothing without a limit."""

import re
import tracemalloc

import h11
import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.examples import examples
from trio_sio.http import BodyTooLarge, InvalidBody
from trio_sio.protocol.http.chunked import ChunkedBody
from trio_sio.testing import strategies

PLENTY = 16**16  # more than any size of 15 digits
BODY = b'3\r\nabc\r\nA;b=c ; d = "e\\"f"\r\n0123456789\r\n000\r\nX: y\r\nZ:\r\n\r\n'


def read(data: bytes, cut: int = 0, limit: int = PLENTY) -> tuple[bytes, bytes] | None:
    """Return body and rest, `None` if it is not complete."""
    body = ChunkedBody(1000, 10)
    pieces = [data[at : at + cut] for at in range(0, len(data), cut)] if cut else [data]
    rest = b""
    for piece in pieces:
        if body.is_complete:
            rest += piece
        else:
            assert not rest
            rest = body.receive(piece, limit)
    return (bytes(body.data), rest) if body.is_complete else None


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 7])
def test_chunks_however_they_are_cut(cut: int) -> None:
    assert read(BODY + b"GET", cut) == (b"abc0123456789", b"GET")
    assert read(b"0\r\n\r\n\r\n", cut) == (b"", b"\r\n")
    for size in range(len(BODY)):
        assert read(BODY[:size], cut) is None


MALFORMED = [
    *(
        b"\r\n",
        b"x\r\n",
        b" 3\r\n",
        b"3 \r\n",
        b"3\n",
        b"3\r\r\n",
        b"+3\r\n",
        b"-3\r\n",
        b"0x3\r\n",
    ),
    *(b"3;\r\n", b"3;a=\r\n", b"3;=b\r\n", b"3;a b\r\n", b"3;a\n", b'3;a="b\r\n', b"3 a\r\n"),
    *(b"3;a\x00\r\n", b"3;a\rb\r\n", b"3,3\r\n", b"1_0\r\n", b"1" * 16 + b"\r\n", b"\xb3\r\n"),
    *(b"3\r\nabcd", b"3\r\nabc\n", b"3\r\nabc\r\r", b"3\r\nabc0", b"3\r\nabc \r\n"),
    *(b"0\r\n\n", b"0\r\n \r\n", b"0\r\nX\r\n", b"0\r\nX : y\r\n", b"0\r\nX: y\n", b"0\r\n: y\r\n"),
    *(b"0\r\nX: y\r\n z\r\n", b"0\r\nX: \x00\r\n", b"0\r\nX: y\rz\r\n", b"0\r\n0\r\n"),
]


@pytest.mark.parametrize("cut", [0, 1])
@pytest.mark.parametrize("data", MALFORMED)
def test_what_is_malformed_is_refused_as_soon_as_it_is_seen(data: bytes, cut: int) -> None:
    with pytest.raises(InvalidBody) as caught:
        read(data, cut)
    assert (caught.value.status, caught.value.option) == (400, "")


pieces = st.sampled_from(
    [
        *(b"0", b"1", b"3", b"5", b"a", b"F", b"\r\n", b"\r", b"\n", b" ", b"\t", b";", b"=", b'"'),
        *(b"abc", b"3\r\nabc\r\n", b"0\r\n\r\n", b"X: y\r\n", b";a=b", b"0\r\n", b"\xe9", b"\x00"),
    ]
)


@examples(400)
@given(st.lists(pieces, max_size=12).map(b"".join), st.integers(0, 5))
@example(b"0 ;0\r\n", 0)
def test_what_is_accepted_means_the_same_to_h11(data: bytes, cut: int) -> None:
    """But it refuses blanks before a semicolon, which have to be taken by RFC 9112, 7.1.1."""
    try:
        found = read(data, cut)
    except InvalidBody:
        return
    judge = h11.Connection(h11.SERVER)
    judge.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
    judge.next_event()
    body = b""
    try:
        while isinstance(event := judge.next_event(), h11.Data):
            body += event.data
    except h11.RemoteProtocolError:
        assert re.search(rb"[0-9A-Fa-f][ \t]+;", data)
        return
    if found is None:
        assert event is h11.NEED_DATA
    else:
        assert isinstance(event, h11.EndOfMessage)
        assert (body, judge.trailing_data[0]) == found


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=4), st.data())
def test_chunks_of_any_sizes(chunks: list[bytes], data: st.DataObject) -> None:
    """What is taken on the way and what is left are the whole, for every limit that allows it."""
    extensions = st.sampled_from([b"", b";a", b"; a=b", b';a="b;c"'])
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(one), data.draw(extensions), one) for one in chunks)
    trailers = data.draw(st.sampled_from([b"", b"a: b\r\n", b"a:\r\nb: c\r\n"]))
    whole = b"".join(chunks)
    limit = data.draw(st.integers(0, len(whole) + 1))
    reader, taken = ChunkedBody(100, 2), b""
    for piece in data.draw(strategies.chunks(body + b"0\r\n" + trailers + b"\r\n")):
        rest = attempt(BodyTooLarge, reader.receive, piece, limit)
        if isinstance(rest, BodyTooLarge):
            assert limit < rest.size <= len(whole)
            assert rest.limit == limit
            assert len(taken + reader.data) <= limit
            return
        assert rest == b""
        if data.draw(st.booleans()):
            taken += reader.take()
    assert reader.is_complete
    assert taken + reader.take() == whole
    assert len(whole) <= limit


@given(st.integers(0, 3), st.integers(0, 3), st.integers(1, 40), st.integers(0, 40))
@example(0, 3, 1, 40)
def test_extensions_and_trailers_of_any_sizes(
    extensions: int, trailers: int, size: int, limit: int
) -> None:
    name = b"x" * size
    data = b"".join(b"1;%b\r\na\r\n" % name for _ in range(extensions))
    data += b"0\r\n" + b"".join(b"%b:\r\n" % name for _ in range(trailers)) + b"\r\n"
    total = extensions * (size + 1) + trailers * (size + 3)
    body = ChunkedBody(limit, 2)
    rest = attempt(InvalidBody, body.receive, data, PLENTY)
    if isinstance(rest, InvalidBody):
        assert rest.status == 431
        if rest.option == "max_headers":
            assert rest.limit == 2 < trailers
        else:
            assert (rest.option, rest.limit) == ("max_header_size", limit)
            assert total > limit
    else:
        assert rest == b""
        assert body.is_complete
        assert total <= limit
        assert trailers <= 2


# -- limits --------------------------------------------------------------------------------------


def test_a_chunk_that_would_be_too_much_is_refused_before_it_is_read() -> None:
    body = ChunkedBody(1000, 10)
    body.receive(b"3\r\nabc\r\n", 5)
    with pytest.raises(BodyTooLarge) as caught:
        body.receive(b"FFFFFFFFFFF\r\nx", 5)
    assert (caught.value.size, caught.value.limit) == (3 + 0xFFFFFFFFFFF, 5)
    assert body.data == b"abc"


def test_who_allows_more_then_reads_on() -> None:
    body = ChunkedBody(1000, 10)
    with pytest.raises(BodyTooLarge):
        body.receive(b"3\r\nabc\r\n3;x\r\nde", 5)
    assert body.receive(b"f\r\n0\r\n\r\nGET", 6) == b"GET"
    assert body.data == b"abcdef"


@pytest.mark.parametrize("cut", [0, 1, 5])
@pytest.mark.parametrize("where", ["in one extension", "in many", "in one trailer", "in many more"])
@pytest.mark.parametrize("surplus", [0, 1])
def test_extensions_and_trailers_have_one_limit(surplus: int, where: str, cut: int) -> None:
    size = 1000 + surplus
    match where:
        case "in one extension":
            data = b"1;" + b"x" * (size - 1) + b"\r\na\r\n0\r\n\r\n"
        case "in many":
            each = b"1;" + b"x" * 99 + b"\r\na\r\n"
            data = each * 9 + b"1;" + b"x" * (99 + surplus) + b"\r\na\r\n0\r\n\r\n"
        case "in one trailer":
            data = b"0\r\nX:" + b"x" * (size - 4) + b"\r\n\r\n"
        case _:
            data = b"0;" + b"x" * 499 + b"\r\nX:" + b"x" * (size - 504) + b"\r\n\r\n"
    if not surplus:
        assert read(data, cut) is not None
        return
    with pytest.raises(InvalidBody, match="max_header_size") as caught:
        read(data, cut)
    error = caught.value
    assert (error.status, error.option, error.limit) == (431, "max_header_size", 1000)


@given(st.integers(0, 50), st.integers(16, 19), st.sampled_from([b"", b"0\r\n"]))
def test_a_line_without_end_may_be_as_long_as_a_size_and_the_limit(
    limit: int, surplus: int, before: bytes
) -> None:
    found = attempt(
        InvalidBody, ChunkedBody(limit, 1).receive, before + b"x" * (limit + surplus), 9
    )
    assert isinstance(found, InvalidBody) == (surplus > 15 + 2)


def test_lines_without_end_are_not_kept() -> None:
    for begin in (b"1;", b"0\r\nX:", b"x"):
        body = ChunkedBody(1000, 10)
        assert body.receive(begin, PLENTY) == b""
        for _ in range(900):
            assert body.receive(b"x", PLENTY) == b""
        with pytest.raises(InvalidBody, match="max_header_size"):
            body.receive(b"x" * 150, PLENTY)


def test_the_number_of_trailers() -> None:
    assert read(b"0\r\n" + b"a:\r\n" * 10 + b"\r\n") == (b"", b"")
    with pytest.raises(InvalidBody) as caught:
        read(b"0\r\n" + b"a:\r\n" * 11 + b"\r\n")
    error = caught.value
    assert (error.status, error.option, error.limit) == (431, "max_headers", 10)


@pytest.mark.slow
def test_small_chunks_take_no_more_memory_than_large_ones() -> None:
    body = ChunkedBody(1000, 10)
    data = b"2\r\nab\r\n" * 2000
    tracemalloc.start()
    for _ in range(50):
        body.receive(data, PLENTY)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(body.data) == 200_000
    assert peak < 3 * len(body.data)
