"""The option `cors`: what it may say."""

import re
from collections.abc import Mapping

import pytest

from trio_sio import EngineOptions
from trio_sio.options.cors import listed


@pytest.mark.parametrize(
    "cors",
    [
        None,
        {},
        {"origin": "*"},
        {"origin": "https://a.example:8443", "credentials": True},
        {"origin": ["https://a.example", re.compile(r"\.b\.example$"), "null"]},
        {"origin": re.compile("a")},
        {"origin": []},
        {"origin": True, "credentials": True},
        {"origin": False},
        {"origin": "http://[::1]:3000"},
        {"methods": "GET", "allowed_headers": ["x-one"], "exposed_headers": (), "max_age": 0},
    ],
)
def test_what_is_taken(cors: Mapping[str, object] | None) -> None:
    assert EngineOptions(cors=cors).cors is cors


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("origin", one) for one in ("a.example", "http://a/", "http://a/b", "", "*.example")),
        *(("origin", [one]) for one in ("*", "http://a\r\nX: y", "http://é")),
        *(("methods", one) for one in ("GET, POST", "", ["GET "])),
        *((name, one) for name in ("allowed_headers", "exposed_headers") for one in ("a b", [""])),
    ],
)
def test_what_no_browser_would_take(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"option 'cors: {key}' must be"):
        EngineOptions(cors={key: value})


@pytest.mark.parametrize("origin", [{}, {"origin": "*"}])
def test_credentials_need_an_origin(origin: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="option 'cors: origin' must be other than"):
        EngineOptions(cors={"credentials": True, **origin})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("origin", one) for one in (None, 5, b"http://a", {"http://a": 1}, [True], [5])),
        ("origin", re.compile(b"a")),
        ("origin", lambda origin: True),
        *(("methods", one) for one in (None, 5, [5], b"GET")),
        *(("credentials", one) for one in (1, "yes", None)),
        *(("max_age", one) for one in ("600", 1.5, True)),
    ],
)
def test_values_of_a_wrong_type(key: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"option 'cors: {key}' must be"):
        EngineOptions(cors={key: value})


@pytest.mark.parametrize("cors", ["*", True, ["http://a"]])
def test_it_is_a_mapping(cors: object) -> None:
    with pytest.raises(TypeError, match="option 'cors' must be a mapping or None"):
        EngineOptions(cors=cors)  # type: ignore[arg-type]


def test_names_of_javascript_are_not_taken_silently() -> None:
    with pytest.raises(TypeError, match="option 'cors' has no 'allowedHeaders'; it knows "):
        EngineOptions(cors={"allowedHeaders": ["x"]})


def test_lists_as_fields_have_them() -> None:
    assert listed("GET") == "GET"
    assert listed(["x-one", "x-two"]) == "x-one,x-two"
    assert listed(()) == ""
