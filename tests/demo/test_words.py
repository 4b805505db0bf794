"""What visitors type: what is taken, how it is cleaned, which sentence refuses it."""

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from trio_sio.demo.words import (
    Refusal,
    clean_nick,
    clean_room,
    clean_target,
    clean_text,
    image_type,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)

TEXTS = st.text(st.characters())  # half surrogates too
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("wanted", "nick"),
    [
        ("Anna", "Anna"),
        ("  Anna \t\n Maria ", "Anna Maria"),
        ("Zoe\u0308", "Zoë"),  # composed
        ("👩\u200d🚀", "👩\u200d🚀"),  # one emoji of two
        ("Ann\u202ea", "Anna"),  # a direction override would turn the rest of the line round
        ("An\x00na\x07", "Anna"),
        ("An\ud800na", "Anna"),  # half a surrogate pair
        ("李", "李"),
    ],
)
def test_nick(wanted: str, nick: str) -> None:
    assert clean_nick(wanted, 24) == nick


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (None, "has to be text"),
        (7, "has to be text"),
        ({"nick": "Anna"}, "has to be text"),
        ("", "visible"),
        (" \t ", "visible"),
        ("\u200b\u202e", "visible"),
        ("\u200d", "visible"),
        ("a" * 25, "24 characters; this one has 25"),
        ("a" * 1_000_000, "24 characters"),
    ],
)
def test_refused_nick(wanted: object, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        clean_nick(wanted, 24)


@pytest.mark.parametrize(
    ("wanted", "room"),
    [("lobby", "lobby"), ("#Lobby", "lobby"), (" ##  The  Kitchen ", "the kitchen")],
)
def test_room(wanted: str, room: str) -> None:
    assert clean_room(wanted, 32) == room


@pytest.mark.parametrize("wanted", [None, 1, [], "", "#", "# #", "r" * 33, "#" * 1_000_000])
def test_refused_room(wanted: object) -> None:
    with pytest.raises(Refusal, match="room's name"):
        clean_room(wanted, 32)


def test_text() -> None:
    assert clean_text("  two\nlines <b>&</b> ", 100) == "two\nlines <b>&</b>"
    assert clean_text("half \ud83d", 100) == "half \ufffd"
    assert clean_text("x" * 100, 100) == "x" * 100


@pytest.mark.parametrize(
    ("value", "sentence"),
    [(None, "text"), (b"bytes", "text"), ("\n \t", "empty"), ("x" * 101, "100 .* has 101")],
)
def test_refused_text(value: object, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        clean_text(value, 100)


@pytest.mark.parametrize(
    ("image", "mime_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\x0a\n\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_image(image: bytes, mime_type: str) -> None:
    assert image_type(image, 1000) == mime_type


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ("data:image/png;base64,", "binary"),
        (None, "binary"),
        (b"", "not a PNG"),
        (b"<svg onload='alert(1)'/>", "not a PNG"),
        (b"RIFF....WAVE", "not a PNG"),
        (PNG + bytes(2_000_000), r"2.0 MB; this one has 2.0 MB"),
    ],
)
def test_refused_image(image: object, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        image_type(image, 2_000_000)


def test_target() -> None:
    assert clean_target({"room": "lobby"}) == ("room", "lobby")
    assert clean_target({"person": "x1"}) == ("person", "x1")


@pytest.mark.parametrize(
    "target", [None, "lobby", [], {}, {"room": 1}, {"sid": "x"}, {"room": "a", "person": "b"}]
)
def test_refused_target(target: object) -> None:
    with pytest.raises(Refusal):
        clean_target(target)


@pytest.mark.parametrize("clean", [clean_nick, clean_room, clean_text, image_type])
@given(value=ANYTHING)
def test_anything_is_cleaned_or_refused(clean: Callable[[object, int], str], value: object) -> None:
    try:
        result = clean(value, 24)
    except Refusal:
        return
    assert 0 < len(result) <= 24
    assert result.encode()  # nothing that could not be sent on


@given(value=ANYTHING)
def test_any_target_is_cleaned_or_refused(value: object) -> None:
    try:
        kind, name = clean_target(value)
    except Refusal:
        return
    assert value == {kind: name}
