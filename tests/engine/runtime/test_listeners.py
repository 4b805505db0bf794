"""Where a server listens is said, once for each address."""

import logging
from functools import partial

import pytest
import trio

import trio_sio
from tests.support.peers import served
from trio_sio.engine.runtime.listeners import urls_of


async def test_the_log_says_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "trio_sio.engine")
    async with served(trio_sio.Server(path="/here")) as url:
        pass
    assert caplog.messages == [f"listening on {url}/here"]
    assert caplog.records[0].levelno == logging.INFO


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1"), ("0.0.0.0", "http://localhost"), ("::1", "http://[::1]")],
)
async def test_addresses(host: str, expected: str) -> None:
    try:
        listeners = await trio.open_tcp_listeners(0, host=host)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    port = listeners[0].socket.getsockname()[1]
    assert list(urls_of(listeners, "/socket.io")) == [f"{expected}:{port}/socket.io"]
    for listener in listeners:
        await listener.aclose()


async def test_all_interfaces_are_named_once_and_what_has_no_port_not_at_all() -> None:
    import ssl

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    secure = trio.SSLListener(listeners[0], ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    make = partial(urls_of, path="/")
    assert list(make([*listeners, listeners[0], secure])) == [
        f"http://127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/",
    ]
    await listeners[0].aclose()
