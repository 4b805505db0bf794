"""The session's cookie, as each option has it."""

from typing import Any

import pytest

from trio_sio.engine.polling.responses import set_cookie
from trio_sio.options import EngineOptions


@pytest.mark.parametrize(
    ("options", "cookie"),
    [
        ({}, "io=SID; Path=/; HttpOnly; SameSite=Strict"),
        ({"cookie": "abc"}, "abc=SID; Path=/; HttpOnly; SameSite=Strict"),
        ({"cookie_path": "/x"}, "io=SID; Path=/x; HttpOnly; SameSite=Strict"),
        ({"cookie_http_only": False}, "io=SID; Path=/; SameSite=Strict"),
        ({"cookie_path": None}, "io=SID; SameSite=Strict"),
        ({"cookie_path": None, "cookie_http_only": True}, "io=SID; SameSite=Strict"),
        ({"cookie_same_site": None}, "io=SID; Path=/; HttpOnly"),
        ({"cookie_same_site": "Lax"}, "io=SID; Path=/; HttpOnly; SameSite=Lax"),
        ({"cookie_same_site": "None"}, "io=SID; Path=/; HttpOnly; Secure; SameSite=None"),
        (
            {"cookie_domain": "a.example", "cookie_max_age": 60, "cookie_secure": True},
            "io=SID; Max-Age=60; Domain=a.example; Path=/; HttpOnly; Secure; SameSite=Strict",
        ),
    ],
)
def test_options(options: dict[str, Any], cookie: str) -> None:
    assert set_cookie(EngineOptions(**options), "SID", 3, by_tls=False) == [("Set-Cookie", cookie)]


@pytest.mark.parametrize(
    ("option", "by_tls", "secure"),
    [
        *((None, True, True), (None, False, False), (True, False, True), (True, True, True)),
        *((False, True, False), (False, False, False)),
    ],
)
def test_browsers_send_it_by_tls_alone_if_it_came_by_tls(
    option: bool | None, by_tls: bool, secure: bool
) -> None:
    options = EngineOptions(cookie_secure=option)
    ((_, cookie),) = set_cookie(options, "SID", 3, by_tls=by_tls)
    assert cookie.split("; ") == [
        *("io=SID", "Path=/", "HttpOnly"),
        *(["Secure"] if secure else []),
        "SameSite=Strict",
    ]


def test_none() -> None:
    assert set_cookie(EngineOptions(cookie=None), "SID", 3, by_tls=True) == []


def test_the_id_is_escaped_as_by_encode_uri_component() -> None:
    ((_, cookie),) = set_cookie(EngineOptions(), "custom:id:1/é !~*'()", 3, by_tls=False)
    assert cookie.startswith("io=custom%3Aid%3A1%2F%C3%A9%20!~*'(); ")


@pytest.mark.parametrize("bad", ["a=b", "a;b", "a b", "", "a\r\nX: y", "é"])
def test_a_name_cannot_break_out(bad: str) -> None:
    with pytest.raises(ValueError, match="option 'cookie'"):
        EngineOptions(cookie=bad)


@pytest.mark.parametrize("bad", ["/; Domain=evil", "/\r\nX: y"])
def test_a_path_cannot_break_out(bad: str) -> None:
    with pytest.raises(ValueError, match="option 'cookie_path'"):
        EngineOptions(cookie_path=bad)


def test_same_site_none_is_refused_without_secure() -> None:
    """Browsers would drop such a cookie."""
    with pytest.raises(ValueError, match="option 'cookie_secure' must be True or None"):
        EngineOptions(cookie_same_site="None", cookie_secure=False)
