"""What a client says comes into a line cut off, escaped and without its secrets."""

import string

import pytest
from hypothesis import given, strategies as st

from trio_sio.logs import shown

TEXTS = st.text() | st.text("\n\r\x1b\x85\u2028\u202e\ud800 a")


@given(TEXTS, st.integers(1, 80))
def test_nothing_unprintable_is_left_and_nothing_long(text: str, limit: int) -> None:
    there = shown.printable(text, limit)
    assert there.isprintable()
    there.encode()  # no lone surrogate
    assert len(there) <= 10 * limit + 1


@pytest.mark.parametrize(
    ("connect", "there"),
    [
        ('0{"sid":"a","pid":"secret"}', '0{"sid":"a","pid":"…"}'),
        ('0/chat,{"pid" : "secret","offset":"e.1"}', '0/chat,{"pid" : "…","offset":"e.1"}'),
        ('0{"pid":"secr', '0{"pid":"…"'),
        ('0{"token":1}', '0{"token":1}'),
    ],
)
def test_the_secret_of_a_client_that_may_come_back(connect: str, there: str) -> None:
    assert shown.without_pid(connect) == there


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("Köln 東京", "Köln 東京"),
        ("a\nERROR b", "a\\nERROR b"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\ud800", "\\ud800"),
        ("x" * 61, "x" * 60 + "…"),
    ],
)
def test_what_prints_stays(text: str, there: str) -> None:
    assert shown.printable(text) == there
    assert shown.quoted(text) == f"'{there}'"


def test_an_id_is_shortened() -> None:
    assert shown.short_id("pMx0aBcDeFgHiJkLmNoP") == "pMx0aB…"
    assert shown.short_id("w3.pMx0aBcDeFgHiJkLmNoP") == "w3.pMx0aB…"
    assert shown.short_id("user.secret") == "user.s…"
    assert shown.short_id("a\nb") == "a\\nb"


@pytest.mark.parametrize(
    ("target", "there"),
    [
        ("/socket.io/", "/socket.io/"),
        ("/socket.io/?EIO=3&transport=polling&t=N7a.b-_", None),
        ("/socket.io/?EIO=4&transport=websocket&sid=", None),
        ("/socket.io/?transport=polling&token=secret", "/socket.io/?transport=polling&…"),
        ("/socket.io/?secret", "/socket.io/?…"),
        ("/socket.io/?", None),
        ("/a?sid=pMx0aBcDeFgHiJkLmNoP", "/a?sid=pMx0aB…"),
        ("/a?t=secret-of-many-characters", "/a?t=…"),
        ("/a?EIO=secret&transport=SECRET", "/a?EIO=…&transport=…"),
        ("/a\n?a=b?EIO=3", "/a\\n?…"),
        ("http://user:password@a/b?c", "http://user:password@a/b?…"),
    ],
)
def test_a_target_is_shown_without_secrets(target: str, there: str | None) -> None:
    assert shown.target(target) == (target if there is None else there)


SECRETS = st.text(string.ascii_letters + string.digits, min_size=20, max_size=40)
KEYS = st.sampled_from(["EIO", "transport", "t", "sid", "token", "b64", "j", "%74", ""])


@given(SECRETS, st.lists(KEYS, min_size=1, max_size=30), st.sampled_from(["&", "&&", ";"]))
def test_no_value_of_a_query_is_shown_whole(secret: str, keys: list[str], joiner: str) -> None:
    target = "/socket.io/?" + joiner.join(f"{key}={secret}" for key in keys)
    there = shown.target(target)
    assert secret not in there
    assert len(there) < 500


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example:8443/cart?token=secret#x", "https://shop.example:8443"),
        ("https://user:secret@shop.example/", "https://shop.example"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("secret", "…"),
        ("http://[", "…"),
        ("http://a:b", "…"),
        ("", "…"),
    ],
)
def test_an_origin_is_scheme_host_and_port(text: str, there: str) -> None:
    assert shown.origin(text) == there


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("illegal header line: bytearray(b'Cookie : secret')", "illegal header line"),
        ("Illegal header name b'secret'", "Illegal header name"),
        ("it's fine", "it"),
        ("bad Content-Length", "bad Content-Length"),
        ("'secret'", "ValueError"),
    ],
)
def test_a_librarys_words_are_shown_without_what_they_quote(text: str, there: str) -> None:
    assert shown.words_of(ValueError(text)) == there
