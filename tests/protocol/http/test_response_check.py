"""Responses that the application makes: what cannot be sent is told to whoever makes it."""

import re

import pytest
from hypothesis import given, strategies as st

import trio_sio
from tests.support.served_connection import undated
from trio_sio.engine.http.fast_path import read_head
from trio_sio.protocol.http.response_check import check_length

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("200",), TypeError, "status must be an int, not '200'"),
        ((True,), TypeError, "status must be an int, not True"),
        ((200.0,), TypeError, "status must be an int, not 200.0"),
        ((100,), ValueError, "status must be from 200 to 599, not 100"),
        ((101,), ValueError, "not 101"),
        ((600,), ValueError, "not 600"),
        ((200, {"A": "b"}), TypeError, "headers must be a list of pairs"),
        ((200, "A: b"), TypeError, "headers must be a list of pairs"),
        ((200, None), TypeError, "headers must be a list of pairs"),
        ((200, ["A: b"]), TypeError, "must be a name and a value, not 'A: b'"),
        ((200, [("A",)]), TypeError, "must be a name and a value"),
        ((200, [("A", 5)]), TypeError, "must be of type str, not ('A', 5)"),
        ((200, [(b"A", b"b")]), TypeError, "must be of type str"),
        ((200, [("A B", "c")]), ValueError, "'A B' cannot be the name of a field"),
        ((200, [("", "c")]), ValueError, "'' cannot be the name of a field"),
        ((200, [("A", "b\n")]), ValueError, "'b\\n' cannot be the value of field 'A'"),
        ((200, [("A", " b")]), ValueError, "' b' cannot be the value of field 'A'"),
        ((200, [("A", "€")]), ValueError, "'€' cannot be the value of field 'A'"),
        ((200, [("A", "x\n" * 100)]), ValueError, "... cannot be the value of field 'A'"),
        ((200, [("Transfer-Encoding", "chunked")]), ValueError, "'Transfer-Encoding'"),
        ((200, [("Content-Length", "-1")]), ValueError, "must be a number of bytes, not '-1'"),
        (
            (200, [("content-length", "1")], b"ab"),
            ValueError,
            "Content-Length is 1, its body has 2",
        ),
        ((200, [("Content-Length", "2")] * 2, b"ab"), ValueError, "one Content-Length at most"),
        (
            (200, [], "text"),
            TypeError,
            "bytes or an async iterable of bytes, not 'text'",
        ),
        ((200, [], bytearray(b"a")), TypeError, "body must be bytes"),
        ((200, [], None), TypeError, "bytes or an async iterable of bytes, not None"),
        ((204, [], b"a"), ValueError, "of status 204 has no body"),
        ((205, [], b"a"), ValueError, "of status 205 has no body"),
        ((304, [], b"a"), ValueError, "of status 304 has no body"),
    ],
)
def test_what_cannot_be_sent(
    arguments: tuple[object, ...], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=re.escape(sentence)):
        trio_sio.Response(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "status", "length", "body", "is_right"),
    [
        ("GET", 200, "3", b"abc", True),
        ("GET", 200, "3", b"", False),
        ("POST", 404, "0", b"a", False),
        ("HEAD", 200, "3", b"", True),
        ("GET", 304, "3", b"", True),
    ],
)
def test_a_length(method: str, status: int, length: str, body: bytes, is_right: bool) -> None:
    headers = [("Content-length", length)]
    if is_right:
        check_length(method, status, headers, body)
    else:
        with pytest.raises(ValueError, match="Content-Length"):
            check_length(method, status, headers, body)


text = st.text(st.characters(max_codepoint=300), max_size=8)


@given(
    st.integers(190, 610),
    st.lists(st.tuples(text, text) | st.just(("Content-Length", "1")), max_size=3),
    st.binary(max_size=2),
)
def test_what_can_be_made_can_be_sent(
    status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    try:
        response = trio_sio.Response(status, headers, body)
        check_length("GET", status, headers, body)
    except ValueError:
        return
    found = read_head(GET)
    assert found is not None
    head, _, sent = undated(found[0].render(response)).partition(b"\r\n\r\n")
    assert sent == body
    assert len(head.split(b"\r\n")) in range(1 + len(headers) - 1, 3 + len(headers))
