"""Responses that the application makes: what cannot be sent is told to whoever makes it."""

import re
from collections.abc import AsyncIterator

import pytest
from hypothesis import example, given, strategies as st

import trio_sio
from tests.support.attempt import attempt
from tests.support.served_connection import undated
from trio_sio.engine.http.fast_path import read_head
from trio_sio.protocol.http.response_check import check_length, check_response

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
        ((200, [("A", "b", "c")]), TypeError, "must be a name and a value"),
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
        ((200, [(" " * 78, "a")]), ValueError, f"'{' ' * 78}' cannot be the name"),
        ((200, [(" " * 79, "a")]), ValueError, f"'{' ' * 76}... cannot be the name"),
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


@pytest.mark.parametrize("name", ["Accept-Ranges", "Vary", "X-Custom"])
def test_other_fields_may_be_repeated_and_say_anything(name: str) -> None:
    headers = [(name, "a"), (name, "b")]
    check_response(200, headers, b"body")
    check_length("GET", 200, headers, b"body")


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


class Stream:
    """A body that comes in pieces."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"piece"


STATUSES: st.SearchStrategy[object] = st.integers(198, 208) | st.sampled_from(
    [304, 599, 600, True, "200", None, 200.0]
)
NAMES: st.SearchStrategy[object] = st.sampled_from(
    ["A", "Content-Length", "content-length", "Transfer-Encoding", "X", "a b", "", 5, b"A"]
)
FIELDS: st.SearchStrategy[object] = st.tuples(
    NAMES, st.sampled_from(["1", "2", "0", "-1", "", "x y", " x", "x\n", "\xe9", "€", 5, "1" * 16])
) | st.sampled_from(["A: b", ("A",), ("A", "b", "c"), ["A", "b"]])
BODIES: st.SearchStrategy[object] = st.sampled_from([b"", b"a", b"ab", Stream(), "a", None])


def why_not(status: object, headers: object, body: object) -> type[Exception] | None:
    """Return the error that a response deserves."""
    is_streamed = isinstance(body, Stream)
    if type(status) is not int or not (isinstance(body, bytes) or is_streamed):
        return TypeError if type(status) is not int or 200 <= status <= 599 else ValueError
    if not 200 <= status <= 599 or (body and status in (204, 205, 304) and not is_streamed):
        return ValueError
    if not isinstance(headers, (list, tuple)):
        return TypeError
    lengths = []
    for field in headers:
        if not isinstance(field, (list, tuple)) or [type(one) for one in field] != [str, str]:
            return TypeError
        name, value = field
        if name in ("a b", "", "Transfer-Encoding") or value in (" x", "x\n", "€"):
            return ValueError
        if name.lower() == "content-length":
            if not value.isdigit() or len(value) > 15:
                return ValueError
            lengths.append(value)
    if len(lengths) > 1 or (
        lengths and isinstance(body, bytes) and body and int(lengths[0]) != len(body)
    ):
        return ValueError
    return None


@given(
    STATUSES, st.lists(FIELDS, max_size=3) | st.sampled_from(["A: b", None, {"A": "b"}, ()]), BODIES
)
@example(200, [("Content-Length", "1")] * 2, b"a")
@example(200, [("Content-Length", "2")], b"a")
@example(304, [], b"a")
@example(200, None, b"a")
@example(200, [("a b", "x")], b"")
@example(200, [("A", " x")], b"")
@example(200, [("Transfer-Encoding", "1")], b"")
@example(200, [("Content-Length", "-1")], b"")
@example(200, [], "a")
def test_any_parts_are_a_response_or_an_error(
    status: object, headers: object, body: object
) -> None:
    found = attempt(Exception, check_response, status, headers, body)
    assert type(found) is (why_not(status, headers, body) or type(None))
    assert len(str(found)) < 250


@given(
    st.sampled_from(["GET", "HEAD", "POST"]),
    st.sampled_from([200, 204, 304, 404]),
    st.lists(
        st.tuples(
            st.sampled_from(["Content-Length", "content-length", "A", "X"]),
            st.sampled_from(["0", "1", "2"]),
        ),
        max_size=2,
    ),
    st.sampled_from([b"", b"a"]) | st.just(Stream()),
)
def test_any_length_is_that_of_the_body(
    method: str, status: int, headers: list[tuple[str, str]], body: bytes | Stream
) -> None:
    found = attempt(ValueError, check_length, method, status, headers, body)
    is_exempt = isinstance(body, Stream) or method == "HEAD" or status in (204, 304)
    wrong = [
        value
        for name, value in headers
        if name not in ("A", "X") and isinstance(body, bytes) and int(value) != len(body)
    ]
    assert isinstance(found, ValueError) == bool(wrong and not is_exempt)
    assert found is None or f"is {wrong[0]}, its body has {len(body)} bytes" in str(found)  # type: ignore[arg-type]
