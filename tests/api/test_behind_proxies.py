"""Who the client is, where a proxy stands before the server."""

import logging
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

import trio_sio
from tests.support.peers import served
from tests.support.raw import POLLING, WEBSOCKET, Raw, raw

SPOOFED = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.9",
    "X-Forwarded-Proto": "https",
    "Forwarded": "for=6.6.6.6;proto=http",
}


def watched(**options: object) -> tuple[trio_sio.Server, list[tuple[str, bool, bool]]]:
    """A server, and what the handshakes of its clients say."""
    io = trio_sio.Server(**options)  # type: ignore[arg-type]  # options of a table
    seen: list[tuple[str, bool, bool]] = []

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        handshake = socket.handshake
        seen.append((handshake.address, handshake.secure, handshake.xdomain))

    return io, seen


async def connect(wire: Raw, transport: str, headers: dict[str, str]) -> None:
    if transport == "websocket":
        socket = await wire.websocket(
            WEBSOCKET, **{name.replace("-", "_"): value for name, value in headers.items()}
        )
        await socket.receive_frame()
        await socket.receive_frame()
    else:
        assert (await wire.get(POLLING, headers)).status == 200
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize(
    ("options", "address", "secure"),
    [
        ({}, "127.0.0.1", False),
        ({"trusted_proxies": 1}, "203.0.113.9", True),
        ({"trusted_proxies": "127.0.0.0/8"}, "203.0.113.9", True),
        ({"trusted_proxies": ["127.0.0.1", "203.0.113.9"]}, "6.6.6.6", True),
        ({"trusted_proxies": ["10.0.0.0/8", "unix"]}, "127.0.0.1", False),
        ({"trusted_proxies": 1, "forwarded_fields": "forwarded"}, "6.6.6.6", False),
    ],
)
async def test_the_client_is_who_the_proxy_says(
    options: dict[str, object], address: str, secure: bool, transport: str
) -> None:
    io, seen = watched(**options)
    async with served(io) as url, raw(url) as wire:
        await connect(wire, transport, SPOOFED)
        assert seen == [(address, secure, False)]


async def test_the_cookie_is_secure_if_the_client_uses_tls() -> None:
    io, _ = watched(trusted_proxies=1)
    async with served(io) as url, raw(url) as wire:
        response = await wire.get(POLLING, SPOOFED)
        assert "; Secure" in response.headers["set-cookie"]
        response = await wire.get(POLLING, {**SPOOFED, "X-Forwarded-Proto": "http"})
        assert "; Secure" not in response.headers["set-cookie"]


async def test_the_limit_of_each_address_is_for_clients() -> None:
    io, _ = watched(trusted_proxies=1, max_connections_per_address=2)
    async with served(io) as url, raw(url) as wire:
        targets = []
        for last in (1, 1, 2, 2):
            target, _ = await wire.handshake(headers={"X-Forwarded-For": f"203.0.113.{last}"})
            targets.append(target)
        response = await wire.get(POLLING, {"X-Forwarded-For": "6.6.6.6, 203.0.113.1"})
        assert response.status == 503
        assert "max_connections_per_address: there are 2 from 203.0.113.1" in response.text
        assert io.statistics().limits["max_connections_per_address"] == 1
        for session in tuple(io.engine.sessions.values()):
            session.close()
        for target in targets:
            await wire.get(target)  # or nobody hears of the end, which then takes half a minute
        await trio.testing.wait_all_tasks_blocked()
        response = await wire.get(POLLING, {"X-Forwarded-For": "203.0.113.1"})
        assert response.status == 200


async def test_a_proxy_that_is_not_trusted_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    io, _ = watched()
    async with served(io) as url, raw(url) as wire:
        for _ in range(3):
            await wire.get(POLLING, SPOOFED)
    (line,) = (one for one in caplog.messages if "trusted_proxies" in one)
    assert line.startswith("127.0.0.1 sends the field forwarded, which is ignored")
    assert "6.6.6.6" not in line


async def test_no_hint_where_the_proxy_is_trusted(caplog: pytest.LogCaptureFixture) -> None:
    io, _ = watched(trusted_proxies=1)
    async with served(io) as url, raw(url) as wire:
        await wire.get(POLLING, SPOOFED)
    assert not [one for one in caplog.messages if "trusted_proxies" in one]


@pytest.mark.parametrize("value", ["unknown", "_hidden", "[::1", "\xff", ",,,", "1.2.3.4:x:y"])
async def test_nonsense_is_no_error_and_no_address(value: str) -> None:
    io, seen = watched(trusted_proxies=1)
    async with served(io) as url, raw(url) as wire:
        await connect(wire, "polling", {"X-Forwarded-For": value})
        assert seen == [("127.0.0.1", False, False)]


async def test_a_unix_socket(tmp_path: Path) -> None:
    io, seen = watched(trusted_proxies="unix")
    path = str(tmp_path / "io.sock")
    below = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await below.bind(path)
    below.listen()
    async with io, trio.open_nursery() as nursery:
        await nursery.start(io.serve_listeners, [trio.SocketListener(below)])
        async with await trio.open_unix_socket(path) as stream:
            head = f"GET {POLLING} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
            await stream.send_all(head.encode())
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert seen == [("203.0.113.9", False, False)]


async def test_a_stream_whose_peer_is_known_otherwise(autojump_clock: MockClock) -> None:
    io, seen = watched(max_connections_per_address=1)
    async with io, trio.open_nursery() as nursery:
        ours, theirs = memory_stream_pair()
        serve = partial(io.serve_stream, address="203.0.113.9", secure=True)
        nursery.start_soon(serve, theirs)
        await ours.send_all(f"GET {POLLING} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        await trio.testing.wait_all_tasks_blocked()
        await serve(memory_stream_pair()[0])  # it is one too many
        nursery.cancel_scope.cancel()
    assert seen == [("203.0.113.9", True, False)]
    assert io.statistics().limits["max_connections_per_address"] == 1
