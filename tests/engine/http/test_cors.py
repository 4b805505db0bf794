"""Origins: which are welcome, and what a browser is told."""

import re

import pytest

from trio_sio.engine.http import cors
from trio_sio.engine.http.cors import EchoCORS, Fields, cors_of
from trio_sio.http import NO_STORE, Headers, Request
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
    assert EchoCORS().headers(request()) == [*KEPT_BY_NOBODY, ("Access-Control-Allow-Origin", "*")]
    assert EchoCORS().headers(request(Origin="http://a")) == [
        *KEPT_BY_NOBODY,
        ("Access-Control-Allow-Origin", "http://a"),
        ("Access-Control-Allow-Credentials", "true"),
    ]


def test_an_answer_to_an_origin_that_is_refused_names_none() -> None:
    assert cors.refused_headers() == KEPT_BY_NOBODY


def test_a_function_lists_nobody() -> None:
    assert not cors.is_listed(lambda origin: True, "http://a")


def given(option: dict[str, object], **fields: str) -> Fields:
    return [one for one in cors_of(option).headers(request(**fields)) if one != NO_STORE]


A = "http://a"
VARY, CREDENTIALS = ("Vary", "Origin"), ("Access-Control-Allow-Credentials", "true")


def allows(origin: str) -> tuple[str, str]:
    return "Access-Control-Allow-Origin", origin


# As a server of socket.io 4.8 with the same option.
@pytest.mark.parametrize(
    ("option", "from_a", "from_nowhere"),
    [
        ({}, [allows("*")], [allows("*")]),
        ({"origin": "*"}, [allows("*")], [allows("*")]),
        ({"origin": "http://b"}, [VARY, allows("http://b")], [VARY, allows("http://b")]),
        (
            {"origin": ["http://c", A], "credentials": True},
            [VARY, allows(A), CREDENTIALS],
            [VARY, CREDENTIALS],
        ),
        ({"origin": ["http://b"], "credentials": True}, *[[VARY, CREDENTIALS]] * 2),
        ({"origin": re.compile("^http://a")}, [VARY, allows(A)], [VARY]),
        ({"origin": [re.compile("a$")]}, [VARY, allows(A)], [VARY]),
        ({"origin": re.compile("^a")}, [VARY], [VARY]),
        (
            {"origin": True, "credentials": True},
            [VARY, allows(A), CREDENTIALS],
            [VARY, CREDENTIALS],
        ),
        ({"origin": False}, [], []),
        (
            {"exposed_headers": ["x-e", "x-f"], "methods": ["GET"], "max_age": 1},
            *[[allows("*"), ("Access-Control-Expose-Headers", "x-e,x-f")]] * 2,
        ),
    ],
    ids=str,
)
def test_the_fields_that_the_option_asks_for(
    option: dict[str, object], from_a: Fields, from_nowhere: Fields
) -> None:
    assert given(option, Origin=A) == from_a
    assert given(option) == from_nowhere
    for makes in (cors_of(option).upgrade_headers, cors_of(option).file_headers):
        assert makes(request(Origin=A)) == from_a


@pytest.mark.parametrize(
    ("option", "vary"),
    [
        ({}, ["Accept-Encoding"]),
        ({"origin": False}, ["Accept-Encoding"]),
        ({"origin": True}, ["Origin, Accept-Encoding"]),
    ],
)
def test_what_else_a_response_depends_on(option: dict[str, object], vary: list[str]) -> None:
    fields = cors_of(option).headers(request(Origin=A), "Origin, Accept-Encoding")
    assert [value for name, value in fields if name == "Vary"] == vary


METHODS = ("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE")
ASKED = {"Access-Control-Request-Headers": "x-one, X-Two,b@d"}


@pytest.mark.parametrize(
    ("option", "fields", "said"),
    [
        (
            {},
            ASKED,
            [
                METHODS,
                ("Vary", "Access-Control-Request-Headers"),
                ("Access-Control-Allow-Headers", "x-one,x-two"),
            ],
        ),
        ({}, {}, [METHODS, ("Vary", "Access-Control-Request-Headers")]),
        ({"origin": False}, ASKED, []),
        ({"allowed_headers": []}, ASKED, [METHODS]),
        (
            {"methods": ["GET", "POST"], "allowed_headers": ["x-one"], "max_age": 600},
            ASKED,
            [
                ("Access-Control-Allow-Methods", "GET,POST"),
                ("Access-Control-Allow-Headers", "x-one"),
                ("Access-Control-Max-Age", "600"),
            ],
        ),
    ],
)
def test_preflights_by_the_option(
    option: dict[str, object], fields: dict[str, str], said: Fields
) -> None:
    response = cors_of(option).preflight(request(**fields))
    assert response is not None
    assert (response.status, response.headers, response.body) == (204, said, b"")


def test_without_the_option_all_is_as_before() -> None:
    echo = cors_of(None)
    assert isinstance(echo, EchoCORS)
    assert echo.preflight(request()) is None
    assert echo.upgrade_headers(request(Origin=A)) == []
    assert echo.file_headers(request(Origin=A)) == [allows("*")]
