"""Upgrades that come at a bad moment: the server ends the session, and survives."""

import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
import trio.testing

import trio_sio
from tests.support.peers import DEADLINE, served
from tests.support.servers import MakeServer

HEAD = (
    "GET /socket.io/?EIO=3&transport=websocket&sid={} HTTP/1.1\r\n"
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLOSE = b"\x88\x00"


def frame(text: bytes) -> bytes:
    """A client's frame; the mask of four zeros leaves the text as it is."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


def open_session(url: str) -> None:
    """A polling handshake."""
    with urllib.request.urlopen(f"{url}/socket.io/?EIO=3&transport=polling&b64=1") as response:
        response.read()


@asynccontextmanager
async def polling_session(
    io: trio_sio.Server,
) -> AsyncIterator[tuple[trio_sio.Socket, trio.SocketStream]]:
    """A session without a poll, and a connection that asks to become its WebSocket later."""
    sockets: list[trio_sio.Socket] = []
    io.on("connection", sockets.append)
    async with served(io) as url:
        await trio.to_thread.run_sync(open_session, url)
        async with await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2])) as stream:
            with trio.fail_after(DEADLINE):
                yield sockets[0], stream


async def receive_until(stream: trio.SocketStream, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        more = await stream.receive_some()
        assert more, f"ended after {data!r}"
        data += more
    return data


async def test_the_session_is_closing_already(make_server: MakeServer) -> None:
    async with polling_session(make_server()) as (socket, stream):
        socket.session.close()
        await stream.send_all(HEAD.format(socket.id).encode())
        assert (await receive_until(stream, CLOSE)).startswith(b"HTTP/1.1 101 ")
        await stream.send_all(bytes([0x88, 0x80, 0, 0, 0, 0]))
        assert await stream.receive_some() == b""


async def test_the_session_is_closed_during_the_probe(make_server: MakeServer) -> None:
    async with polling_session(make_server()) as (socket, stream):
        await stream.send_all(HEAD.format(socket.id).encode())
        await receive_until(stream, b"\r\n\r\n")
        await stream.send_all(frame(b"2probe"))
        await receive_until(stream, b"3probe")
        socket.session.close()
        await trio.testing.wait_all_tasks_blocked(0.05)
        await stream.send_all(frame(b"5"))
        await receive_until(stream, CLOSE)
