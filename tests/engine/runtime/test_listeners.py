"""Connections are accepted as long as that goes; and where, is said once for each address."""

import errno
import logging
import socket as sockets
import ssl
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

import trio_sio
from tests.support.peers import served
from tests.support.socket_pairs import socket_pair
from trio_sio.engine.runtime.listeners import CAPACITY_PAUSE, accept_forever, ends_of, urls_of
from trio_sio.http import Ends


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
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    secure = trio.SSLListener(listeners[0], ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    make = partial(urls_of, path="/")
    assert list(make([*listeners, listeners[0], secure])) == [
        f"http://127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/",
    ]
    await listeners[0].aclose()


class Failing(trio.abc.Listener[trio.abc.Stream]):
    """A listener that fails by these errors, and then has one connection.

    Args:
        errors: numbers of errors.
    """

    def __init__(self, errors: Iterable[int]) -> None:
        self.errors = list(errors)
        self.stream = memory_stream_pair()[0]
        self.accepted = self.closed = False

    async def accept(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        if self.errors:
            raise OSError(self.errors.pop(0), "as the system says it")
        if self.accepted:
            await trio.sleep_forever()
        self.accepted = True
        return self.stream

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()


async def test_it_waits_when_the_system_has_no_room(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    listener = Failing([errno.EMFILE, errno.ENOMEM])
    began, started = trio.current_time(), trio.Event()

    def start(stream: trio.abc.Stream) -> None:
        assert stream is listener.stream
        started.set()

    assert await nursery.start(accept_forever, [listener], start) == [listener]
    await started.wait()
    assert trio.current_time() - began == pytest.approx(2 * CAPACITY_PAUSE)
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2
    assert "Too many open files" in caplog.messages[0]
    nursery.cancel_scope.cancel()
    await trio.lowlevel.checkpoint()


async def test_a_broken_listener_is_an_error() -> None:
    listener = Failing([errno.EBADF])
    with pytest.RaisesGroup(OSError):
        await accept_forever([listener], lambda stream: None)
    assert listener.closed


async def test_the_ends_of_a_tcp_connection() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        local = listener.socket.getsockname()
        async with await trio.open_tcp_stream(*local) as ours, await listener.accept() as theirs:
            ends = Ends("127.0.0.1", ours.socket.getsockname()[1], local)
            assert ends_of(theirs) == ends
            assert ends_of(trio.SSLStream(theirs, ssl.create_default_context())) == ends


async def test_the_ends_of_other_streams(tmp_path: Path) -> None:
    assert ends_of(memory_stream_pair()[0]) == Ends()
    ours, theirs = socket_pair()
    assert ends_of(theirs) == Ends()
    await ours.aclose()
    await theirs.aclose()
    path = str(tmp_path / "socket")
    with trio.socket.socket(sockets.AF_UNIX) as listening:
        await listening.bind(path)
        listening.listen()
        async with await trio.open_unix_socket(path):
            accepted, _ = await listening.accept()
            async with trio.SocketStream(accepted) as stream:
                assert ends_of(stream) == Ends(local=(path, None))
