"""Which library parses, by option `ws_engine`."""

import sys

import pytest
import trio

from trio_sio.engine.websocket.backends.auto import choose
from trio_sio.options import EngineOptions, WSEngine


@pytest.mark.parametrize(
    ("ws_engine", "module"),
    [("auto", "websockets"), ("websockets", "websockets"), ("trio-websocket", "trio_websocket")],
)
def test_the_option_names_the_library(ws_engine: WSEngine, module: str) -> None:
    negotiate = choose(EngineOptions(ws_engine=ws_engine), trio.lowlevel.checkpoint)
    assert negotiate.__module__ == f"trio_sio.engine.websocket.backends.{module}"


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trio_sio.engine.websocket.backends.trio_websocket", False)
    monkeypatch.setitem(sys.modules, "trio_websocket", None)
    with pytest.raises(ValueError, match=r"'trio-websocket', which cannot be imported .*\[speed\]"):
        choose(EngineOptions(ws_engine="trio-websocket"), trio.lowlevel.checkpoint)


def test_a_library_that_cannot_do_what_another_option_asks() -> None:
    options = EngineOptions(ws_engine="trio-websocket", per_message_deflate=True)
    with pytest.raises(ValueError, match="needs ws_engine 'websockets'"):
        choose(options, trio.lowlevel.checkpoint)
