"""Hypothesis strategies for what travels in Engine.IO 3 and Socket.IO 4.

What is drawn can be sent and comes back equal. That took decisions, each of which holds for all
strategies here:

* NaN and the infinities are not drawn unless asked for: JSON has no word for them, and both
  JavaScript and we write null.
* Lone surrogates are drawn in JSON, where they travel as escapes. They are not drawn in
  namespaces and in Engine.IO text, where UTF-8 turns them into U+FFFD. Two surrogates that make
  a pair are drawn as the one character they are.
* Integers beyond 2**53 are drawn and come back exact; a JavaScript peer rounds them.
* A dict with `"_placeholder": True` is drawn, but not beside bytes: a decoder would take it for
  an attachment, so the encoder refuses it.
* `""` is an event name. Names that belong to the library are none.
* The data of an ERROR is no number: behind a namespace, digits are an id.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple, TypeVar

from hypothesis import strategies as st

from trio_sio.protocol.engineio.codec_v3 import encode_binary_payload, encode_text_payload
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import (
    JSON,
    MAX_ATTACHMENTS,
    RESERVED_EVENTS,
    Packet,
    PacketType,
)
from trio_sio.testing.conversations import NAMESPACES, Conversation, Say, Turn

__all__ = (
    "chunks",
    "conversations",
    "engineio_packets",
    "event_names",
    "garbage",
    "json_values",
    "namespaces",
    "payloads",
    "says",
    "socketio_packets",
)

_Sliceable = TypeVar("_Sliceable", bytes, str)

# Keys and names that mean something to JavaScript or to the decoders.
_SPECIAL_KEYS = ("", "0", "1", "_placeholder", "num", "__proto__", "constructor", "length")
_BOUNDARY_INTEGERS = (2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**63, 2**64, 10**21, 10**30)


def _paired(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Text of any characters, lone surrogates among them."""
    anything = st.text(st.characters(), max_size=max_size)
    with_surrogates = st.text(
        st.one_of(
            st.characters(categories=["Cs"]), st.sampled_from('a\u20ac\U0001f600\u2028\\"\x00')
        ),
        max_size=max_size,
    )
    return st.one_of(anything, with_surrogates).map(_paired)


def json_values(*, binary: bool = False, finite: bool = True) -> st.SearchStrategy[JSON]:
    """Values that can be sent.

    Args:
        binary: whether bytes may be anywhere in them.
        finite: `False` draws NaN and the infinities too, which arrive as null.
    """
    integers = st.one_of(st.integers(), st.sampled_from(_BOUNDARY_INTEGERS).flatmap(_near))
    floats = st.floats(allow_nan=False, allow_infinity=False)
    leaves: st.SearchStrategy[JSON] = st.one_of(
        st.none(), st.booleans(), integers, floats, _texts()
    )
    if not finite:
        leaves = st.one_of(leaves, st.sampled_from((math.nan, math.inf, -math.inf)))
    if binary:
        leaves = st.one_of(leaves, st.binary(max_size=20))
    keys = st.one_of(st.sampled_from(_SPECIAL_KEYS), _texts(max_size=5))
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
    return _texts(max_size=10).filter(lambda name: name not in RESERVED_EVENTS)


@st.composite
def socketio_packets(draw: st.DrawFn, *, finite: bool = True) -> Packet:
    """Packets of which `decode(encode(packet)) == packet` holds.

    The binary types are drawn exactly when the data holds bytes, at most `MAX_ATTACHMENTS`.

    Args:
        draw: given by Hypothesis.
        finite: as for `json_values`; without it packets come back with null for NaN.
    """
    kind = draw(st.sampled_from((*_PLAIN_TYPES, PacketType.EVENT, PacketType.ACK)))
    namespace = draw(namespaces(query=kind is PacketType.CONNECT))
    data = draw(_data(kind, finite=finite))
    if kind not in _BINARY_TYPES:
        return Packet(kind, namespace, data)
    ids = st.one_of(st.none(), st.integers(0, 1000), st.integers(0, 2**63 - 1))
    contents = _contents(data)
    if contents.attachments:
        kind = _BINARY_TYPES[kind]
    return Packet(kind, namespace, data, draw(ids))


_PLAIN_TYPES = tuple(kind for kind in PacketType if kind < PacketType.BINARY_EVENT)
_BINARY_TYPES = {
    PacketType.EVENT: PacketType.BINARY_EVENT,
    PacketType.ACK: PacketType.BINARY_ACK,
}


@cache  # making them anew would be most of a draw's cost
def _data(kind: PacketType, *, finite: bool) -> st.SearchStrategy[JSON]:
    """What a packet of `kind` may carry."""
    values = json_values(finite=finite)
    maps = st.dictionaries(_texts(max_size=5), values, max_size=3)
    if kind is PacketType.DISCONNECT:
        return st.none()
    if kind is PacketType.CONNECT:
        return st.one_of(st.none(), maps, st.lists(values, max_size=3))
    if kind is PacketType.ERROR:
        return st.one_of(st.none(), _texts(), maps, st.lists(values, max_size=3))
    arguments = st.one_of(values, json_values(binary=True, finite=finite), st.binary(max_size=20))
    if kind is PacketType.ACK:
        return st.lists(arguments, max_size=4).filter(_is_sendable)
    names = st.one_of(event_names(), st.integers())
    events = st.tuples(names, st.lists(arguments, max_size=4)).map(lambda e: [e[0], *e[1]])
    return events.filter(_is_sendable)


def _is_sendable(data: JSON) -> bool:
    contents = _contents(data)
    if contents.attachments > MAX_ATTACHMENTS:
        return False
    return not (contents.attachments and contents.placeholders)


class _Contents(NamedTuple):
    attachments: int
    placeholders: int


def _contents(data: JSON) -> _Contents:
    """Count the bytes in `data`, and the dicts that look like placeholders for them."""
    if isinstance(data, bytes):
        return _Contents(1, 0)
    if not isinstance(data, (list, dict)):
        return _Contents(0, 0)
    values = data if isinstance(data, list) else data.values()
    inner = [_contents(value) for value in values]
    own = isinstance(data, dict) and data.get("_placeholder") is True
    return _Contents(sum(i.attachments for i in inner), sum(i.placeholders for i in inner) + own)


def engineio_packets(*, binary: bool = True) -> st.SearchStrategy[EnginePacket]:
    """Engine.IO packets of all types, with text or bytes.

    Args:
        binary: whether some have bytes.
    """
    # What begins like a length, a base64 packet or a type must not be taken for one.
    tricky = st.sampled_from(
        ("", "b4", "2:40", ":", "4", "\ufeff", "\u2028\n\r\\n\\\\n", "\U0001f600")
    )
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    data: st.SearchStrategy[str | bytes] = st.one_of(text, tricky)
    if binary:
        data = st.one_of(data, st.binary(max_size=30))
    return st.builds(EnginePacket, st.sampled_from(EnginePacketType), data)


def payloads(*, binary: bool = True) -> st.SearchStrategy[list[EnginePacket]]:
    """What one HTTP body carries: at least one packet."""
    return st.lists(engineio_packets(binary=binary), min_size=1, max_size=8)


def chunks(data: _Sliceable) -> st.SearchStrategy[list[_Sliceable]]:
    """Cuts of `data`: non-empty pieces that make it up again, down to single bytes."""
    if not data:
        return st.just([])
    every_cut = list(range(1, len(data)))
    cuts: st.SearchStrategy[list[int]] = st.one_of(
        st.just([]), st.just(every_cut), st.lists(st.integers(1, len(data)), max_size=8)
    )
    return cuts.map(lambda at: _cut(data, sorted({*at, len(data)})))


def _cut(data: _Sliceable, ends: list[int]) -> list[_Sliceable]:
    return [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


@cache
def _portable_values() -> st.SearchStrategy[JSON]:
    """JSON values that every implementation repeats as they are."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    integers = st.integers(-(2**53) + 1, 2**53 - 1)
    leaves: st.SearchStrategy[JSON] = st.one_of(
        st.none(), st.booleans(), integers, text, st.binary(max_size=5)
    )
    keys = st.sampled_from(("a", "b", "é", "_placeholder"))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)
        ),
        max_leaves=4,
    )


@cache
def says() -> st.SearchStrategy[Say]:
    """Events of the application that `docs/conformance.md` describes."""
    args = st.lists(_portable_values(), max_size=2).filter(_is_sendable).map(tuple)
    rooms = st.sampled_from(("kitchen", "hall"))
    with_room = st.tuples(st.sampled_from(("tell", "tell others")), rooms, args).map(
        lambda one: (one[0], (one[1], *one[2]))
    )
    contents = st.one_of(
        st.tuples(st.sampled_from(("echo", "ack")), args),
        st.tuples(st.sampled_from(("join", "leave")), rooms.map(lambda room: (room,))),
        with_room,
        st.tuples(st.just("burst"), st.integers(0, 5).map(lambda count: (count,))),
    )
    namespaces_of_it = st.sampled_from(NAMESPACES)
    return st.builds(lambda one, name: Say(one[0], one[1], name), contents, namespaces_of_it)


def conversations(transports: Sequence[str]) -> st.SearchStrategy[Conversation]:
    """Conversations of one to three clients.

    Args:
        transports: what each may talk by.
    """

    def of(hows: tuple[str, ...]) -> st.SearchStrategy[Conversation]:
        turn = st.builds(
            Turn,
            st.integers(0, len(hows) - 1),
            st.lists(says(), min_size=1, max_size=5).map(tuple),
        )
        turns = st.lists(turn, min_size=1, max_size=6).map(tuple)
        return st.builds(Conversation, st.just(hows), turns)

    return st.lists(st.sampled_from(transports), min_size=1, max_size=3).map(tuple).flatmap(of)


def garbage() -> st.SearchStrategy[bytes]:
    """What nobody should send: noise, and valid payloads and messages with a few bytes wrong."""
    valid = st.one_of(
        payloads().map(encode_text_payload),
        payloads().map(encode_binary_payload),
        socketio_packets().flatmap(lambda packet: st.sampled_from(encode(packet))).map(_bytes),
    )
    return st.one_of(st.binary(max_size=60), valid.flatmap(_damaged))


def _bytes(message: str | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.encode("utf-8", "replace")


@st.composite
def _damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Replace a few slices of `data`; nothing, a byte of the grammar or noise comes instead."""
    instead = st.one_of(
        st.just(b""),
        st.sampled_from(_GRAMMAR).map(lambda byte: bytes((byte,))),
        st.binary(max_size=3),
    )
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(start + 3, len(data))))
        data = data[:start] + draw(instead) + data[end:]
    return data


_GRAMMAR = b'0123456789:b-,/"[]{}\\ \x00\x01\x04\xff'
