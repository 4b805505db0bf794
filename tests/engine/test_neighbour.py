"""Two servers at two paths of one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import handshake_headers, open_websocket

PATHS = ["/socket.io", "/admin"]


class Two:
    """Both servers.

    Attributes:
        first: the one that listens.
        second: its neighbour.
        told: what became of their clients.
    """

    def __init__(self, **options: object) -> None:
        self.second = trio_sio.Server(path="/admin", max_sessions=1, grace=4.0)
        self.first = trio_sio.Server(
            fallback=self.second.as_fallback(),
            grace=4.0,
            **options,  # type: ignore[arg-type]
        )
        self.told: list[str] = []
        for path, io in zip(PATHS, (self.first, self.second), strict=True):
            self._listen(path, io)

    def _listen(self, path: str, io: trio_sio.Server) -> None:
        @io.on("who")
        async def who(socket: trio_sio.Socket) -> str:
            return path

        @io.on("disconnect")
        async def disconnect(socket: trio_sio.Socket, reason: str) -> None:
            await trio.sleep(1)
            self.told.append(f"{path}: {reason}")

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[WireClient]:
        async with open_wire(self.first, streams=socket_pair) as wire:
            yield wire


async def handshake(connection: WireConnection, path: str) -> str:
    response = await connection.request("GET", f"{path}/?EIO=3&transport=polling")
    assert response.status == 200, response
    sid = response.text.split('"sid":"')[1].split('"')[0]
    return f"{path}/?EIO=3&transport=polling&sid={sid}"


@pytest.mark.parametrize("path", PATHS)
async def test_polling_and_upgrade(path: str, autojump_clock: MockClock) -> None:
    two = Two(raise_errors=True)
    async with two.wire() as wire:
        connection = wire.connect()
        target = await handshake(connection, path)
        await connection.request("POST", target, body=b'10:420["who"]')
        text = (await connection.request("GET", target)).text
        while "43" not in text:
            text += (await connection.request("GET", target)).text
        assert f'430["{path}"]' in text
        socket_target = target.replace("polling", "websocket")
        socket = await open_websocket(wire.connect(), socket_target)
        await socket.send("2probe")
        assert await socket.receive() == "3probe"
        await socket.send("5")
        await socket.send('421["who"]')
        assert await socket.receive() == f'431["{path}"]'


@pytest.mark.parametrize("path", PATHS)
async def test_websocket(path: str, autojump_clock: MockClock) -> None:
    two = Two(raise_errors=True)
    async with two.wire() as wire:
        socket = await open_websocket(wire.connect(), f"{path}/?EIO=3&transport=websocket")
        while (await socket.receive()) != "40":
            pass
        await socket.send('420["who"]')
        assert await socket.receive() == f'430["{path}"]'
        io = two.first if path == PATHS[0] else two.second
        assert io.statistics().sessions == 1


async def test_each_has_its_own_sessions_and_limits(autojump_clock: MockClock) -> None:
    two = Two()
    async with two.wire() as wire:
        connection = wire.connect()
        first, second = [await handshake(connection, path) for path in PATHS]
        await handshake(connection, PATHS[0])
        sid = first.partition("&sid=")[2]
        elsewhere = second.partition("&sid=")[0] + "&sid=" + sid
        assert (await connection.request("GET", elsewhere)).status == 400
        full = await connection.request("GET", "/admin/?EIO=3&transport=polling")
        assert full.status == 503
        assert (await wire.connect().request("GET", "/nothing")).status == 404


async def test_a_client_that_leaves_is_no_failure(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    two = Two()
    async with two.wire() as wire:
        for _ in range(3):
            connection = wire.connect()
            response = await connection.request(
                "GET", "/admin/?EIO=3&transport=websocket", handshake_headers()
            )
            assert response.status == 101
            await connection.aclose()
            await wait_all_tasks_blocked()
            await trio.sleep(2)  # its "disconnect" handler
            assert two.second.statistics().sessions == 0
    assert "failed" not in caplog.text


async def test_both_close_in_order(autojump_clock: MockClock) -> None:
    two = Two()
    async with two.wire() as wire:
        for path in PATHS:
            socket = await open_websocket(wire.connect(), f"{path}/?EIO=3&transport=websocket")
            while (await socket.receive()) != "40":
                pass
        began = trio.current_time()
    assert sorted(one.partition(":")[0] for one in two.told) == sorted(PATHS)
    assert trio.current_time() - began < 4
