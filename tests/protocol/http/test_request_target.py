"""The four forms of a request's target."""

import pytest
from hypothesis import example, given, strategies as st

from trio_sio.protocol.http.request_target import Target, is_host, parse_target


@pytest.mark.parametrize(
    ("target", "text", "host"),
    [
        ("/", "/", None),
        ("/a/b?c=d?e", "/a/b?c=d?e", None),
        ("//a/b", "//a/b", None),
        ("/%73ocket.io/", "/%73ocket.io/", None),
        ("/a#b", "/a", None),
        ("/a?b#c?d", "/a?b", None),
        ("http://a/b?c", "/b?c", "a"),
        ("HTTP://A:80/b", "/b", "A:80"),
        ("https://a", "/", "a"),
        ("http://a?b=c", "/?b=c", "a"),
        ("http://a#b", "/", "a"),
        ("ws://[::1]:3000/a#b", "/a", "[::1]:3000"),
        ("wss://a:/b", "/b", "a:"),
        ("http://a/http://b/", "/http://b/", "a"),
    ],
)
def test_what_is_asked_for(target: str, text: str, host: str | None) -> None:
    assert parse_target("GET", target) == Target(text, host)


@pytest.mark.parametrize(("target", "host"), [("*", None), ("http://a", "a"), ("*#b", None)])
def test_options_may_ask_about_the_server(target: str, host: str | None) -> None:
    assert parse_target("OPTIONS", target) == Target("*", host)


@pytest.mark.parametrize("method", ["DELETE", "OPTION", "OPTIONSX", "POST", "options"])
def test_no_other_method_asks_about_the_server(method: str) -> None:
    assert parse_target(method, "http://a") == Target("/", "a")
    with pytest.raises(ValueError, match="must begin with '/'"):
        parse_target(method, "*")


@pytest.mark.parametrize(
    "target",
    [
        *("*", "a", "a:80", "a/b", "?a", "#a", "http:/a", "http:a", "http://", "http:///a"),
        *("http://a@b/", "http://a b/", "http://a\\b/", "http://[a/", "http://a:x/", "ftp://a/"),
        *("mailto:a", "javascript:a", "http://a:80:90/"),
    ],
)
def test_what_cannot_be_asked_for(target: str) -> None:
    with pytest.raises(ValueError, match="must begin with '/'"):
        parse_target("GET", target)


@pytest.mark.parametrize(
    "value", ["", "a", "a.b:3000", "127.0.0.1", "[::1]:80", "a_b", "%41", "a:"]
)
def test_hosts(value: str) -> None:
    assert is_host(value)


@pytest.mark.parametrize("value", ["a b", "a/b", "a@b", "a:b", "a, b", "[::1", "é", "a\\b", "%4"])
def test_what_is_no_host(value: str) -> None:
    assert not is_host(value)


@given(st.sampled_from(["GET", "OPTIONS"]), st.text(st.characters(codec="ascii")))
@example("OPTIONS", "")
@example("GET", "*")
@example("GET", "/a#b")
def test_whatever_comes_the_result_is_a_path_or_the_server(method: str, target: str) -> None:
    for text in (target, f"http://{target}", f"http://a{target}"):
        try:
            found = parse_target(method, text)
        except ValueError:
            continue
        assert found.text.startswith("/") or (found.text == "*" and method == "OPTIONS")
        assert "#" not in found.text
        assert found.host is None or (found.host and is_host(found.host))
