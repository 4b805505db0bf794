"""RESP: what coredis's parser reads, ours reads, too, however the bytes are cut."""

from typing import Any

import pytest
from coredis.exceptions import RedisError
from coredis.parser import NotEnoughData, Parser
from hypothesis import given, strategies as st

from trio_sio.adapters.redis.link.resp import (
    MAX_DEPTH,
    NOT_YET,
    ErrorReply,
    InvalidReply,
    Message,
    NotYet,
    Push,
    Reader,
    Reply,
    pack,
    pack_publish,
)

MAX = 2**20
MESSAGE = b">3\r\n$7\r\nmessage\r\n$3\r\na#b\r\n$4\r\n\r\n\x00\xff\r\n"


def replies(data: bytes, *, size: int = MAX, max_bytes: int = MAX) -> list[Reply]:
    """All replies in some bytes that come in pieces of a size."""
    reader = Reader(max_bytes)
    found = []
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
        while not isinstance(reply := reader.take(), NotYet):
            found.append(reply)
    return found


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"+OK\r\n", b"OK"),
        (b":-12\r\n", -12),
        (b"(123456789012345678901234567890\r\n", 123456789012345678901234567890),
        (b",1.5\r\n", 1.5),
        (b"#t\r\n", True),
        (b"#f\r\n", False),
        (b"_\r\n", None),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"$0\r\n\r\n", b""),
        (b"$4\r\n\r\n\r\n\r\n", b"\r\n\r\n"),
        (b"=7\r\ntxt:abc\r\n", b"abc"),
        (b"-NOPERM no\r\n", ErrorReply("NOPERM", "NOPERM no")),
        (b"!6\r\nERR \r\n\r\n", ErrorReply("ERR", "ERR \r\n")),
        (b"*0\r\n", []),
        (b"*2\r\n:1\r\n*1\r\n+a\r\n", [1, [b"a"]]),
        (b"%1\r\n+a\r\n:1\r\n", {b"a": 1}),
        (b"~2\r\n+a\r\n+b\r\n", (b"a", b"b")),
        (b">2\r\n+a\r\n:1\r\n", Push([b"a", 1])),
        (MESSAGE, Message(b"", b"a#b", b"\r\n\x00\xff")),
        (
            b">4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$0\r\n\r\n",
            Message(b"a*", b"ab", b""),
        ),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, MAX])
def test_a_reply_is_read(data: bytes, reply: Reply, size: int) -> None:
    for read in replies(data * 3, size=size):
        assert read == reply
        assert type(read) is type(reply)
    assert len(replies(data * 3, size=size)) == 3


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"?\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b":a\r\n",
        b"$a\r\n",
        b"#x\r\n",
        b"$3\r\nabcde\r\n",
        b"%1\r\n*0\r\n:1\r\n",  # a list cannot be a key
        b">3\r\n$7\r\nmessage\r\n:1\r\n:2\r\n",
        b">3\r\n$7\r\nmessage\r\n$-1\r\n$1\r\na\r\n",
        b"*1\r\n" * (MAX_DEPTH + 1),
    ],
)
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidReply, match="not RESP 3"):
        replies(data)


@pytest.mark.parametrize("size", [1, 7, MAX])
def test_a_reply_that_is_too_large_is_refused_before_it_has_come(size: int) -> None:
    assert replies(b"$100\r\n%b\r\n" % bytes(100), size=size, max_bytes=108)
    with pytest.raises(InvalidReply, match="more than 107 bytes"):
        replies(b"$100\r\n", size=size, max_bytes=107)
    with pytest.raises(InvalidReply, match="more than 107 bytes"):
        replies(b"+" + b"a" * 200, size=size, max_bytes=107)
    with pytest.raises(InvalidReply, match="more than 107 bytes"):
        replies(b"*1000\r\n" + b":1\r\n" * 200, size=size, max_bytes=107)


def test_many_replies_that_are_small_are_not_too_large() -> None:
    assert len(replies(MESSAGE * 1000, size=1000, max_bytes=len(MESSAGE))) == 1000


def test_a_long_string_is_joined_once() -> None:
    reader = Reader(MAX)
    reader.feed(b"$1000\r\n")
    assert reader.take() is NOT_YET
    for _ in range(999):
        reader.feed(b"a")
        assert reader.take() is NOT_YET
    reader.feed(b"a\r\n+")
    assert reader.take() == b"a" * 1000
    assert reader.take() is NOT_YET


# -- as another parser reads it --------------------------------------------------------------------

scalars = st.one_of(
    st.binary(max_size=20).map(lambda text: b"$%d\r\n%b\r\n" % (len(text), text)),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b":%d\r\n" % number),
    st.sampled_from([b"_\r\n", b"#t\r\n", b"#f\r\n", b"+OK\r\n", b",2.5\r\n", b"$-1\r\n"]),
)
texts = st.binary(max_size=300).map(lambda text: b"$%d\r\n%b\r\n" % (len(text), text))


def collection(kind: bytes, items: list[bytes]) -> bytes:
    count = len(items) // 2 if kind == b"%" else len(items)
    return b"%b%d\r\n%b" % (kind, count, b"".join(items))


def lists(items: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(items, min_size=1, max_size=4).map(lambda some: collection(b"*", some))


streams = st.lists(
    st.one_of(
        scalars,
        st.recursive(scalars, lists, max_leaves=8),
        st.tuples(texts, texts).map(
            lambda pair: collection(b">", [b"$7\r\nmessage\r\n", *pair]),
        ),
        st.tuples(st.just(b"$2\r\na*\r\n"), texts, texts).map(
            lambda three: collection(b">", [b"$8\r\npmessage\r\n", *three]),
        ),
        st.lists(st.tuples(texts, scalars), max_size=3).map(
            lambda pairs: collection(b"%", [one for pair in pairs for one in pair])
        ),
        st.sampled_from([b"-ERR no\r\n", b"-NOPERM channel\r\n"]),
    ),
    max_size=6,
).map(b"".join)


def as_coredis_reads(data: bytes) -> list[Any]:
    parser = Parser()
    parser.feed(data)
    found = []
    while not isinstance(read := parser.parse(), NotEnoughData):
        found.append(read[1])
    return found


def comparable(reply: Any) -> Any:  # noqa: ANN401
    if isinstance(reply, (RedisError, ErrorReply)):
        return "error"
    if isinstance(reply, Message):
        return [b"pmessage", *reply] if reply.pattern else [b"message", *reply[1:]]
    return reply


@given(streams, st.integers(1, 50))
def test_coredis_reads_the_same(data: bytes, size: int) -> None:
    ours = [comparable(reply) for reply in replies(data, size=size)]
    assert ours == [comparable(reply) for reply in as_coredis_reads(data)]


@given(st.binary(max_size=60), st.integers(1, 10))
def test_nothing_else_is_raised(data: bytes, size: int) -> None:
    try:
        replies(data, size=size)
    except InvalidReply:
        return


# -- commands --------------------------------------------------------------------------------------


@given(st.lists(st.binary(), min_size=1))
def test_a_command_is_a_list_of_strings(words: list[bytes]) -> None:
    assert replies(pack(*words)) == [words]


@given(st.binary(), st.binary())
def test_publish_is_packed_as_every_command(channel: bytes, payload: bytes) -> None:
    assert pack_publish(channel, payload) == pack(b"PUBLISH", channel, payload)
