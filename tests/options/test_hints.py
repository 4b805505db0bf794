"""Options of other servers, milliseconds, and values that could never be meant."""

import inspect
from typing import Any

import pytest

from trio_sio import Engine, Server
from trio_sio.options import ServerOptions
from trio_sio.options.hints import in_python, wrong_origin


def made(name: str, value: object) -> dict[str, Any]:
    """Keyword arguments that no type checker looks at."""
    return {name: value}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pingTimeout", "the option is 'ping_timeout' here, in seconds"),
        ("upgradeTimeout", "the option is 'upgrade_timeout' here, in seconds"),
        ("maxHttpBufferSize", "the option is 'max_http_buffer_size' here$"),
        ("allowUpgrades", "the option is 'allow_upgrades' here$"),
        ("perMessageDeflate", "the option is 'per_message_deflate' here$"),
        ("allowEIO3", "`protocols`"),
        ("addTrailingSlash", "the option is 'add_trailing_slash' here$"),
        ("handlePreflightRequest", "`allow_headers`"),
        ("cors_allowed_origins", "the option is 'origins' here"),
        ("async_mode", "there is one, Trio"),
        ("async_handlers", "concurrent=True"),
        ("logger", "getLogger"),
        ("engineio_logger", "getLogger"),
        ("client_manager", "the option is 'adapter' here"),
        ("json", "`parser` replaces"),
        ("namespaces", r"io\.of\(name\)"),
        ("pingtimeout", "did you mean 'ping_timeout'"),
        ("nonsense", "unknown option 'nonsense'$"),
    ],
)
def test_a_name_that_others_have_is_explained(name: str, text: str) -> None:
    with pytest.raises(TypeError, match=f"unknown option {name!r}.*{text}|{text}"):
        Server(**made(name, 1))


def test_python_socketio_has_no_option_that_is_not_explained_or_known() -> None:
    socketio = pytest.importorskip("socketio")
    theirs = {
        name
        for function in (socketio.Server.__init__, socketio.server.engineio.Server.__init__)
        for name, one in inspect.signature(function).parameters.items()
        if name != "self" and one.kind is not one.VAR_KEYWORD
    }
    for name in theirs - ServerOptions.declarations().keys():
        with pytest.raises(TypeError, match=f"unknown option {name!r}; "):
            Server(**made(name, 1))


@pytest.mark.parametrize("name", ["ping_interval", "ping_timeout"])
def test_milliseconds_are_warned_of(name: str) -> None:
    with pytest.warns(UserWarning, match=f"{name!r} is in seconds: 25000 are 6.9 hours"):
        Engine(**made(name, 25000))
    Engine(**made(name, 3600))  # a warning would be an error


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        ("shop.example", 'an origin is "https://shop.example", or "shop.example:*"'),
        ("https://shop.example/page", "an origin has no path: https://shop.example$"),
        ("localhost", 'an origin is "https://localhost"'),
    ],
)
def test_an_origin_that_nobody_has_is_refused(origin: str, text: str) -> None:
    for origins in (origin, ["https://a", origin], f"https://a {origin}"):
        with pytest.raises(ValueError, match=f"option 'origins': {text.replace('*', '[*]')}"):
            Server(origins=origins)


@pytest.mark.parametrize(
    "origin",
    ["*", "*:*", "*:80", "null", "https://a", "https://a/", "a:80", "a:*", "file://", "app://x:1"],
)
def test_an_origin_as_there_are(origin: str) -> None:
    assert wrong_origin(origin) == ""


def test_a_folder_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'serve_client'.* a folder that exists, not '/nope'"):
        Server(serve_client="/nope")


def test_names_in_python() -> None:
    assert [in_python(name) for name in ("pingTimeout", "path", "wsEngine")] == [
        *("ping_timeout", "path", "ws_engine")
    ]
