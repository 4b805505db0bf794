"""The option `cookie`: what it may say, and what then holds for each kind of client."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from trio_sio import EngineOptions

EXPIRES = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
SAID = "Expires=Wed, 02 Jan 2030 02:04:05 GMT"


@pytest.mark.parametrize(
    ("options", "of_2", "of_4"),
    [
        ({}, "io=SID; Path=/; HttpOnly; SameSite=Strict", ""),
        ({"cookie": None}, "", ""),
        (
            {"cookie": "io"},
            "io=SID; Path=/; HttpOnly; SameSite=Strict",
            "io=SID; Path=/; HttpOnly; SameSite=Lax",
        ),
        (
            {"cookie": {}},
            "io=SID; Path=/; HttpOnly; SameSite=Strict",
            "io=SID; Path=/; HttpOnly; SameSite=Lax",
        ),
        *(
            ({"cookie": given}, said, said)
            for given, said in [
                (
                    {"name": "zz", "same_site": "Lax"},
                    "zz=SID; Path=/; HttpOnly; SameSite=Lax",
                ),
                (
                    {
                        "name": "io",
                        "path": "/p",
                        "http_only": False,
                        "same_site": "None",
                        "secure": True,
                        "max_age": 100,
                    },
                    "io=SID; Max-Age=100; Path=/p; Secure; SameSite=None",
                ),
                ({"path": None, "same_site": "Lax"}, "io=SID; HttpOnly; SameSite=Lax"),
                ({"http_only": False, "same_site": None}, "io=SID; Path=/"),
                (
                    {"domain": "a.example", "expires": EXPIRES, "same_site": "Lax"},
                    f"io=SID; Domain=a.example; Path=/; {SAID}; HttpOnly; SameSite=Lax",
                ),
                (
                    {"expires": datetime(2030, 1, 2, tzinfo=UTC), "same_site": None},
                    "io=SID; Path=/; Expires=Wed, 02 Jan 2030 00:00:00 GMT; HttpOnly",
                ),
            ]
        ),
        # What a dict leaves out is as the other options say.
        (
            {"cookie": {"name": "x"}, "cookie_path": "/x", "cookie_same_site": "Strict"},
            *("x=SID; Path=/x; HttpOnly; SameSite=Strict",) * 2,
        ),
        # socket.io 2.5 leaves HttpOnly out without a path, socket.io 4 does not.
        (
            {"cookie": "io", "cookie_path": None},
            "io=SID; SameSite=Strict",
            "io=SID; HttpOnly; SameSite=Lax",
        ),
        ({"cookie_same_site": "Lax"}, "io=SID; Path=/; HttpOnly; SameSite=Lax", ""),
    ],
)
def test_what_holds_for_each_kind_of_client(options: dict[str, Any], of_2: str, of_4: str) -> None:
    cookies = [EngineOptions(**options).cookie_for(protocol) for protocol in (3, 4)]
    said = ["" if cookie is None else cookie.field("SID", by_tls=False) for cookie in cookies]
    assert said == [of_2, of_4]


@pytest.mark.parametrize(
    ("cookie", "secure"),
    [
        ({}, [False, True]),
        ({"secure": True}, [True, True]),
        ({"secure": False}, [False, False]),
        ({"same_site": "None"}, [True, True]),
    ],
)
def test_it_is_for_tls_if_it_came_by_tls(cookie: dict[str, object], secure: list[bool]) -> None:
    found = EngineOptions(cookie=cookie).cookie_for(4)
    assert found is not None
    assert ["; Secure" in found.field("SID", by_tls=by_tls) for by_tls in (False, True)] == secure


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("name", name) for name in ("", "a b", "a;b", "a=b", None, 5, "é")),
        *(("path", path) for path in ("", "/;", "/\n", 5)),
        *(("same_site", word) for word in ("lax", "", True, False)),
        *(("domain", domain) for domain in ("a b", "a;b", "")),
        ("expires", datetime(2030, 1, 1)),
    ],
)
def test_what_would_break_the_field(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"option 'cookie: {key}' must be"):
        EngineOptions(cookie={key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("http_only", value) for value in (1, None, "yes")),
        *(("secure", value) for value in (1, "yes")),
        *(("max_age", value) for value in (1.5, "1", True)),
        *(("expires", value) for value in ("tomorrow", 5)),
    ],
)
def test_values_of_a_wrong_type(key: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"option 'cookie: {key}' must be"):
        EngineOptions(cookie={key: value})


def test_names_of_javascript_are_not_taken_silently() -> None:
    with pytest.raises(TypeError, match=r"option 'cookie' has no 'httpOnly'; it knows .*http_only"):
        EngineOptions(cookie={"httpOnly": True})


@pytest.mark.parametrize(
    "options",
    [
        {"cookie": {"same_site": "None", "secure": False}},
        {"cookie": {"same_site": "None"}, "cookie_secure": False},
        {"cookie": {"secure": False}, "cookie_same_site": "None"},
    ],
)
def test_browsers_take_none_with_secure_only(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="option 'cookie' must be such that 'secure' is True"):
        EngineOptions(**options)


def test_a_name_that_is_the_default_is_a_name_that_was_given() -> None:
    options = EngineOptions(cookie="io")
    assert options.changes() == {"cookie": "io"}
    assert options.changed({"grace": 1}).cookie_for(4) is not None
    assert EngineOptions().changed({"grace": 1}).cookie_for(4) is None
