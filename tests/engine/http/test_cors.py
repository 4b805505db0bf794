"""Origins: which are welcome, and what a browser is told."""

import pytest

from trio_sio.engine.http import cors
from trio_sio.http import Headers, Request
from trio_sio.options import Origins


def request(**fields: str) -> Request:
    return Request("GET", "/", Headers(fields.items()))


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        ({}, "*"),
        ({"Origin": "null"}, "*"),
        ({"Origin": "http://a"}, "http://a"),
        ({"Referer": "http://a/page"}, "http://a/page"),
        ({"Origin": "http://a", "Referer": "http://b/"}, "http://a"),
    ],
)
def test_where_a_request_comes_from(fields: dict[str, str], origin: str) -> None:
    assert cors.origin_of(request(**fields)) == origin


FOO = ["https://foo.example.com:443"]


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ("*", "http://anything", True),
        ("*:*", "*", True),
        (["http://a:80", "*"], "http://b", True),
        (FOO, "https://foo.example.com", True),
        (FOO, "https://FOO.example.com:443", True),
        (FOO, "https://foo.example.com/page", True),
        (FOO, "http://foo.example.com", False),
        (FOO, "*", False),
        (["https://foo.example.com"], "https://foo.example.com:443", True),
        (["https://foo.example.com"], "https://foo.example.com:444", False),
        (["https://foo.example.com/"], "https://foo.example.com", True),
        (["foo.example.com:*"], "http://foo.example.com:1234", True),
        (["foo.example.com:80"], "http://foo.example.com", True),
        ("*:80", "http://a", True),
        ("*:80", "*", True),
        ("*:80", "https://a", False),
        ("http://foo.example.com:80 bar.com:*", "http://bar.com:99", True),
        ("http://foo.example.com:80 bar.com:*", "http://xample.com", False),
        (["http://[::1]:3000"], "http://[::1]:3000", True),
        (["a:*"], "http://a:port", False),
        ([], "http://a", False),
    ],
)
def test_who_is_welcome(origins: Origins, origin: str, allowed: bool) -> None:
    assert cors.is_listed(origins, origin) is allowed


@pytest.mark.parametrize(
    ("origins", "accepted"),
    [
        ([], "no origin"),
        ([f"a{number}" for number in range(8)], ", ".join(f"'a{n}'" for n in range(8))),
        (
            [f"a{number}" for number in range(20)],
            ", ".join(f"'a{n}'" for n in range(8)) + ", 12 more",
        ),
    ],
)
def test_an_explanation_has_a_bound(origins: Origins, accepted: str) -> None:
    sentence = cors.explain(origins, "http://" + "b" * 10_000)
    assert sentence == f"option 'origins' accepts {accepted}, not 'http://{'b' * 93}…'"
    secret = cors.explain(origins, "http://b.example/?token=secret")
    assert secret == f"option 'origins' accepts {accepted}, not 'http://b.example'"


KEPT_BY_NOBODY = [("Cache-Control", "no-store"), ("Vary", "Origin")]


def test_the_origin_is_echoed_with_credentials() -> None:
    assert cors.headers(request()) == [*KEPT_BY_NOBODY, ("Access-Control-Allow-Origin", "*")]
    assert cors.headers(request(Origin="http://a")) == [
        *KEPT_BY_NOBODY,
        ("Access-Control-Allow-Origin", "http://a"),
        ("Access-Control-Allow-Credentials", "true"),
    ]


def test_an_answer_to_an_origin_that_is_refused_names_none() -> None:
    assert cors.refused_headers() == KEPT_BY_NOBODY


def test_a_function_lists_nobody() -> None:
    assert not cors.is_listed(lambda origin: True, "http://a")
