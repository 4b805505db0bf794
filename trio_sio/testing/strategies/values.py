"""JSON values, and the names of namespaces, events and rooms."""

import math

from hypothesis import strategies as st

from trio_sio.protocol.socketio.packet import JSON, MAX_ATTACHMENTS, RESERVED_EVENTS

# Keys and names that mean something to JavaScript or to the decoders.
_SPECIAL_KEYS = ("", "0", "1", "_placeholder", "num", "__proto__", "constructor", "length")
_BOUNDARY_INTEGERS = (2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**63, 2**64, 10**21, 10**30)


def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Text of any characters, lone surrogates among them."""
    anything = st.text(st.characters(), max_size=max_size)
    with_surrogates = st.text(
        st.one_of(
            st.characters(categories=["Cs"]), st.sampled_from('a\u20ac\U0001f600\u2028\\"\x00')
        ),
        max_size=max_size,
    )
    return st.one_of(anything, with_surrogates).map(_paired)


def _paired(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def json_values(*, binary: bool = False, finite: bool = True) -> st.SearchStrategy[JSON]:
    """Values that can be sent.

    Args:
        binary: whether bytes may be anywhere in them.
        finite: `False` draws NaN and the infinities too, which arrive as null.
    """
    integers = st.one_of(st.integers(), st.sampled_from(_BOUNDARY_INTEGERS).flatmap(_near))
    floats = st.floats(allow_nan=False, allow_infinity=False)
    leaves: st.SearchStrategy[JSON] = st.one_of(st.none(), st.booleans(), integers, floats, texts())
    if not finite:
        leaves = st.one_of(leaves, st.sampled_from((math.nan, math.inf, -math.inf)))
    if binary:
        leaves = st.one_of(leaves, st.binary(max_size=20))
    keys = st.one_of(st.sampled_from(_SPECIAL_KEYS), texts(max_size=5))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)
        ),
        max_leaves=MAX_ATTACHMENTS,
    )


def _near(number: int) -> st.SearchStrategy[int]:
    return st.sampled_from((number, -number, number + 1, number - 1))


def namespaces(*, query: bool = False) -> st.SearchStrategy[str]:
    """Namespaces: "/" often, otherwise a slash and anything but a comma.

    Args:
        query: whether some carry a query, as those of a client's CONNECT packets may.
    """
    characters = st.characters(exclude_categories=["Cs"], exclude_characters=",?")
    names = st.text(characters, max_size=10).map(lambda name: f"/{name}")
    if query:
        queries = st.sampled_from(("", "?", "?token=1234&uid=abcd", "?a=%2C", "?a=1?b=2"))
        names = st.tuples(names, queries).map("".join)
    return st.one_of(st.just("/"), st.just("/chat"), names)


def event_names() -> st.SearchStrategy[str]:
    """Names that an application may emit and a client be heard with."""
    anything = texts(max_size=10).filter(lambda name: name not in RESERVED_EVENTS)
    return st.one_of(st.sampled_from(("a", "message", "")), anything)


def rooms() -> st.SearchStrategy[str]:
    """Rooms: a few that are drawn again and again, so that sockets share them, or any text.

    Among them are names that look like parts of a channel of Redis, or like a socket's id.
    """
    telling = ("a", "b", "", "#", "a#b", "/chat#a", "0", "é", "\U0001f600", "__proto__", "*")
    anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
    return st.one_of(st.sampled_from(telling), anything)
