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
