"""`Fallback` as an option of the server."""

import pytest

import trio_sio
from trio_sio.abc import WebApplication
from trio_sio.asgi import Fallback
from trio_sio.asgi.types import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("nobody asks")


def test_a_server_accepts_it() -> None:
    fallback = Fallback(app)
    assert isinstance(fallback, WebApplication)
    assert trio_sio.Server(fallback=fallback).engine.options.fallback is fallback


def test_what_is_no_application() -> None:
    with pytest.raises(TypeError, match="must be callable, not 3"):
        Fallback(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="lifespan must be"):
        Fallback(app, lifespan="maybe")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["max_message_size", "ping_interval", "ping_timeout", "answer_timeout"]
)
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_what_would_end_every_websocket(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be more than 0"):
        Fallback(app, **{name: value})  # type: ignore[arg-type]
