"""Channels: their names, what a pattern matches, and which room a channel is for."""

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.cluster.channels import DEFAULT_KEY, Channels, probe_channel

NAMES = st.one_of(st.text(), st.text("#/*?[]\\a"), st.text(st.characters(categories=["Cs"])))
NAMESPACES = NAMES.map(lambda name: f"/{name}")


def test_names() -> None:
    channels = Channels("socket.io", "/")
    assert channels.namespace == "/"
    assert channels.base == b"socket.io#/#"
    assert channels.pattern == b"socket.io#/#*"
    assert channels.request == b"socket.io-request#/#"
    assert channels.response == b"socket.io-response#/#"
    assert channels.room("r2") == b"socket.io#/#r2#"
    assert probe_channel("socket.io") == b"socket.io-probe#"
    assert repr(channels) == "<Channels b'socket.io#/#'>"


def test_names_of_another_namespace_and_key() -> None:
    channels = Channels("käse", "/chät")
    assert channels.base == "käse#/chät#".encode()
    assert channels.request == "käse-request#/chät#".encode()
    assert channels.room("ä") == "käse#/chät#ä#".encode()
    assert probe_channel("käse") == "käse-probe#".encode()


@pytest.mark.parametrize(
    ("channel", "room"),
    [
        (b"socket.io#/a#", ""),
        (b"socket.io#/a##", ""),  # of a room whose name is empty: the message has it
        (b"socket.io#/a#b#", "b"),
        (b"socket.io#/a#b##", "b#"),
        (b"socket.io#/a#b#c#", "b#c"),
        (b"socket.io#/a####", "##"),
        (b"socket.io#/a#b", None),
        (b"socket.io#/a#\xff#", None),
        (b"socket.io#/ab#", None),
        (b"socket.io#/#", None),
        (b"socket.io#/a", None),
        (b"socket.io-request#/a#", None),
        (b"other#/a#", None),
        (b"", None),
    ],
)
def test_room_of(channel: bytes, room: str | None) -> None:
    assert Channels("socket.io", "/a").room_of(channel) == room


@given(NAMES, NAMESPACES, NAMES)
def test_room_of_is_the_inverse_of_room(key: str, namespace: str, room: str) -> None:
    channels = Channels(key, namespace)
    assert channels.room_of(channels.room(room)) == room
    assert channels.room_of(channels.base) == ""
    assert channels.room_of(channels.request) is None
    assert channels.room_of(channels.response) is None


@given(NAMESPACES, st.binary(max_size=5), st.booleans())
def test_a_channel_has_a_room_exactly_if_a_room_has_the_channel(
    namespace: str, rest: bytes, is_closed: bool
) -> None:
    channels = Channels(DEFAULT_KEY, namespace)
    channel = channels.base + rest + b"#" * is_closed
    room = channels.room_of(channel)
    if room is None:
        assert not is_closed or not _is_utf8(rest)
    elif room:
        assert channels.room(room) == channel
    else:
        assert channel in (channels.base, channels.room(""))
    assert repr(channels) == f"<Channels {channels.base!r}>"


def _is_utf8(name: bytes) -> bool:
    return name.decode("utf-8", "surrogateescape").isprintable() or (
        name.decode("utf-8", "ignore").encode() == name
    )


@given(NAMES, NAMESPACES, st.sets(NAMES, max_size=3))
def test_only_one_room_has_a_channel_of_its_own(key: str, namespace: str, rooms: set[str]) -> None:
    channels = Channels(key, namespace)
    one = channels.room(next(iter(rooms))) if len(rooms) == 1 else channels.base
    assert channels.broadcast(rooms) == channels.broadcast(tuple(rooms)) == one
    assert probe_channel(key) not in (one, channels.request, channels.response)


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_rooms_have_different_channels(rooms: list[str]) -> None:
    channels = Channels("socket.io", "/")
    assert channels.room(rooms[0]) != channels.room(rooms[1])


def test_a_namespace_that_looks_like_a_room() -> None:
    """Its messages come through the other one's pattern, and only their text tells them apart."""
    assert Channels("k", "/a").room_of(Channels("k", "/a#b").base) == "b"
    assert Channels("k", "/a#b").room_of(Channels("k", "/a").room("b#c")) == "c"
    assert Channels("k", "/a").room_of(Channels("k", "/ab").base) is None


def test_special_characters_of_patterns_are_escaped() -> None:
    assert Channels("a*b?", r"/[x]\y").pattern == rb"a\*b\?#/\[x\]\\y#*"


def matches(pattern: bytes, text: bytes) -> bool:
    """What Redis does with the pattern of a namespace: escapes, and one star at the end."""
    assert pattern.endswith(b"*")
    literal = bytearray()
    rest = iter(pattern[:-1])
    for byte in rest:
        assert byte not in b"*?[]"
        literal.append(next(rest) if byte == ord("\\") else byte)
    return text.startswith(literal)


@given(NAMESPACES, NAMES, NAMESPACES)
def test_the_pattern_matches_the_namespace_and_its_rooms(
    namespace: str, room: str, another: str
) -> None:
    channels = Channels("socket.io", namespace)
    assert matches(channels.pattern, channels.base)
    assert matches(channels.pattern, channels.room(room))
    other = Channels("socket.io", another).base
    assert matches(channels.pattern, other) == other.startswith(channels.base)


def test_a_broadcast_to_exactly_one_room_has_the_channel_of_the_room() -> None:
    channels = Channels("socket.io", "/chat")
    assert channels.broadcast(()) == b"socket.io#/chat#"
    assert channels.broadcast(("a",)) == b"socket.io#/chat#a#"
    assert channels.broadcast(frozenset({"a"})) == b"socket.io#/chat#a#"
    assert channels.broadcast(("a", "b")) == b"socket.io#/chat#"
