"""The session's cookie, as each option has it."""

import pytest

from trio_sio.engine.cookie import set_cookie
from trio_sio.options import EngineKeywords, EngineOptions


@pytest.mark.parametrize(
    ("options", "cookie"),
    [
        ({}, "io=SID; Path=/; HttpOnly; SameSite=Strict"),
        ({"cookie": "abc"}, "abc=SID; Path=/; HttpOnly; SameSite=Strict"),
        ({"cookie_path": "/x"}, "io=SID; Path=/x; HttpOnly; SameSite=Strict"),
        ({"cookie_http_only": False}, "io=SID; Path=/; SameSite=Strict"),
        ({"cookie_path": None}, "io=SID; SameSite=Strict"),
        ({"cookie_path": None, "cookie_http_only": True}, "io=SID; SameSite=Strict"),
    ],
)
def test_options(options: EngineKeywords, cookie: str) -> None:
    assert set_cookie(EngineOptions(**options), "SID") == [("Set-Cookie", cookie)]


def test_none() -> None:
    assert set_cookie(EngineOptions(cookie=None), "SID") == []


def test_the_id_is_escaped_as_by_encode_uri_component() -> None:
    ((_, cookie),) = set_cookie(EngineOptions(), "custom:id:1/é !~*'()")
    assert cookie.startswith("io=custom%3Aid%3A1%2F%C3%A9%20!~*'(); ")


@pytest.mark.parametrize("bad", ["a=b", "a;b", "a b", "", "a\r\nX: y", "é"])
def test_a_name_cannot_break_out(bad: str) -> None:
    with pytest.raises(ValueError, match="option 'cookie'"):
        EngineOptions(cookie=bad)


@pytest.mark.parametrize("bad", ["/; Domain=evil", "/\r\nX: y"])
def test_a_path_cannot_break_out(bad: str) -> None:
    with pytest.raises(ValueError, match="option 'cookie_path'"):
        EngineOptions(cookie_path=bad)
