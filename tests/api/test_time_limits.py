"""Clients that take their time or come in crowds: where the limits are, and what they are told."""

import logging

import pytest
import trio

import trio_sio
from tests.support.peers import served
from tests.support.raw import POLLING, Raw, raw
from tests.support.raw_websocket import CLOSE
from tests.support.servers import MakeServer

BOTH_ENGINES = pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])


async def everything(stream: trio.abc.ReceiveStream) -> bytes:
    """Return what comes until the server closes the connection."""
    data = b""
    while more := await stream.receive_some():
        data += more
    return data


async def still_serves(wire: Raw) -> None:
    """Somebody else is not concerned."""
    websocket = await wire.joined()
    await websocket.send("2honest")
    assert await websocket.receive() == "3"


async def test_head_timeout(make_server: MakeServer) -> None:
    """A request's head that does not end is answered with 408; silence is not answered."""
    async with served(make_server(head_timeout=0.3)) as url, raw(url) as wire:
        slow, silent = await wire.connect(), await wire.connect()
        await slow.send_all(f"GET {POLLING} HTTP/1.1\r\nHost: a\r\nX-Slow: ".encode())
        answer = await everything(slow)
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"head_timeout" in answer
        assert await everything(silent) == b""
        await still_serves(wire)


async def test_body_timeout(make_server: MakeServer) -> None:
    """A POST whose body does not come ends its session."""
    io = make_server(body_timeout=0.3)
    reasons: list[str] = []
    left = trio.Event()

    @io.on("disconnect")
    def note(socket: trio_sio.Socket, reason: str) -> None:
        reasons.append(reason)
        left.set()

    async with served(io) as url, raw(url) as wire:
        target, _ = await wire.handshake()
        stream = await wire.connect()
        head = f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1:"
        await stream.send_all(head.encode())
        answer = await everything(stream)
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"body_timeout" in answer
        await left.wait()
        assert reasons == ["transport error"]
        await still_serves(wire)


async def test_keep_alive_timeout(make_server: MakeServer) -> None:
    """A connection without a further request is closed; its session goes on with another one."""
    async with served(make_server(keep_alive_timeout=0.3)) as url, raw(url) as wire:
        connection = await wire.http()
        response = await connection.request("GET", POLLING)
        sid = response.body.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        assert await everything(connection.stream) == b""
        assert (await wire.post(f"{POLLING}&sid={sid}", b"1:2")).body == b"ok"
        await still_serves(wire)


@BOTH_ENGINES
async def test_connect_timeout(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """Who is let in nowhere is closed, by polling and by WebSocket; who is in may be silent."""
    caplog.set_level(logging.INFO, "trio_sio.engine")
    io = make_server(connect_timeout=0.3)

    @io.use
    async def admit(socket: trio_sio.Socket) -> None:
        if "friend" not in socket.handshake.query:
            raise trio_sio.ConnectionRefused("who are you?")

    async with served(io) as url, raw(url) as wire:
        friend = await wire.websocket("/socket.io/?EIO=3&transport=websocket&friend=1")
        assert str(await friend.receive()).startswith("0{")
        assert await friend.receive() == "40"
        stranger = await wire.websocket()
        target, _ = await wire.handshake()
        assert str(await stranger.receive()).startswith("0{")
        assert await stranger.receive() == '44"who are you?"'
        assert await stranger.receive_frame() == (CLOSE, b"")
        body = b""
        while b"1:1" not in body:
            body += (await wire.get(target)).body
        await friend.send("2")
        assert await friend.receive() == "3"
    assert sum("connect_timeout" in message for message in caplog.messages) == 2


@pytest.mark.parametrize("option", ["max_connections", "max_connections_per_address"])
async def test_connections(option: str, make_server: MakeServer) -> None:
    """Who comes when there are too many is told so; who is here stays."""
    async with served(make_server(**{option: 2})) as url, raw(url) as wire:
        first = await wire.joined()
        second = await wire.joined()
        refused = await everything(await wire.connect())
        assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert option.encode() in refused
        await first.send("2")
        assert await first.receive() == "3"
        await second.stream.aclose()
        with trio.fail_after(5):
            while (await wire.get(POLLING)).status == 503:  # until the server has noticed
                pass
