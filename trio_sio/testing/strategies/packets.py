"""Packets of Engine.IO and Socket.IO."""

from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st

from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.packet import (
    BINARY_OF,
    JSON,
    MAX_ATTACHMENTS,
    Packet,
    PacketType,
)
from trio_sio.testing.strategies.values import event_names, json_values, namespaces, texts

_PLAIN_TYPES = tuple(kind for kind in PacketType if kind < PacketType.BINARY_EVENT)
_CLIENT_TYPES = tuple(kind for kind in _PLAIN_TYPES if kind is not PacketType.ERROR)


@st.composite
def socketio_packets(draw: st.DrawFn, *, finite: bool = True, protocol: int = 4) -> Packet:
    """Packets of which `decode(encode(packet)) == packet` holds.

    The binary types are drawn exactly when the data holds bytes, at most `MAX_ATTACHMENTS`.

    Args:
        draw: given by Hypothesis.
        finite: as for `json_values`; without it packets come back with null for NaN.
        protocol: the revision of Socket.IO; in 5 they are what clients send: no refusals, CONNECT
            has an object or nothing, and no namespace has a query.
    """
    kinds = _PLAIN_TYPES if protocol == 4 else _CLIENT_TYPES
    kind = draw(st.sampled_from((*kinds, PacketType.EVENT, PacketType.ACK)))
    namespace = draw(namespaces(query=kind is PacketType.CONNECT and protocol == 4))
    data = draw(_data(kind, finite=finite, protocol=protocol))
    if kind not in BINARY_OF:
        return Packet(kind, namespace, data)
    ids = st.one_of(st.none(), st.integers(0, 1000), st.integers(0, 2**63 - 1))
    contents = _contents(data)
    if contents.attachments:
        kind = BINARY_OF[kind]
    return Packet(kind, namespace, data, draw(ids))


@cache  # making them anew would be most of a draw's cost
def _data(kind: PacketType, *, finite: bool, protocol: int) -> st.SearchStrategy[JSON]:
    """What a packet of `kind` may carry."""
    values = json_values(finite=finite)
    maps = st.dictionaries(texts(max_size=5), values, max_size=3)
    if kind is PacketType.DISCONNECT:
        return st.none()
    if kind is PacketType.CONNECT:
        if protocol == 5:
            return st.one_of(st.none(), maps)
        return st.one_of(st.none(), maps, st.lists(values, max_size=3))
    if kind is PacketType.ERROR:
        return st.one_of(st.none(), texts(), maps, st.lists(values, max_size=3))
    arguments = st.one_of(values, json_values(binary=True, finite=finite), st.binary(max_size=20))
    if kind is PacketType.ACK:
        return st.lists(arguments, max_size=4).filter(is_sendable)
    names = st.one_of(event_names(), st.integers())
    events = st.tuples(names, st.lists(arguments, max_size=4)).map(lambda e: [e[0], *e[1]])
    return events.filter(is_sendable)


def is_sendable(data: JSON) -> bool:
    """Return whether one packet can carry `data`: its bytes are few, and no dict looks like one."""
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


@st.composite
def engineio_packets(draw: st.DrawFn, *, binary: bool = True, version: int = 3) -> EnginePacket:
    """Engine.IO packets of all types, with text or bytes.

    Args:
        draw: given by Hypothesis.
        binary: whether some have bytes.
        version: the revision of Engine.IO; in 4, those with bytes are messages.
    """
    kind, data = draw(st.sampled_from(EnginePacketType)), draw(_engine_data(binary))
    if version == 4 and isinstance(data, bytes):
        kind = EnginePacketType.MESSAGE
    return EnginePacket(kind, data)


@cache
def _engine_data(binary: bool) -> st.SearchStrategy[str | bytes]:
    # What begins like a length, a base64 packet or a type must not be taken for one.
    tricky = st.sampled_from(
        ("", "b4", "2:40", ":", "4", "\ufeff", "\u2028\n\r\\n\\\\n", "\U0001f600", "\x1e4")
    )
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    data: st.SearchStrategy[str | bytes] = st.one_of(text, tricky)
    return st.one_of(data, st.binary(max_size=30)) if binary else data
