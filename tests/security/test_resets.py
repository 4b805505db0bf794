"""Connections that are reset, at every step of what can be done on one; over real TCP.

A reset is not an end: whatever the server does next on that connection fails, its answer to a
refused request as well.
"""

import socket
import struct
from collections.abc import Awaitable, Callable

import pytest
import trio

import trio_sio
from tests.security.neighbour import answer_neighbour
from tests.support.peers import served
from tests.support.raw import POLLING, WEBSOCKET, Raw, RawPolling, raw
from tests.support.raw_websocket import FIELDS, RawWebSocket, frame
from tests.support.servers import MakeServer
from trio_sio.testing.wire import text_payload

Step = Callable[[Raw], Awaitable[trio.abc.Stream]]
"""Goes as far as that on a connection, and returns it."""

STEPS: list[Step] = []
HEAD = "".join(f"{name}: {value}\r\n" for name, value in FIELDS.items())
LARGE = 20_000_000


def step(function: Step) -> Step:
    STEPS.append(function)
    return function


def says(text: str | bytes) -> None:
    """Add the step of having sent that, and nothing more."""

    @step
    async def said(wire: Raw) -> trio.abc.Stream:
        stream = await wire.connect()
        if isinstance(text, str):
            await stream.send_all(wire.in_its_revision(text).encode())
        else:
            await stream.send_all(text)
        return stream

    said.__name__ = repr(text)[:70]


for _text in (
    "",
    "GET /soc",
    f"GET {POLLING} HTTP/1.1\r\nHost: a\r\n",
    f"GET {POLLING} HTTP/1.1\r\nHost: a\r\n\r\n",
    f"GET {POLLING}&sid=nobody HTTP/1.1\r\nHost: a\r\n\r\n",
    f"POST {POLLING}&sid=nobody HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
    f"POST {POLLING}&sid=nobody HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
    "GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n" * 20,
    "GET /socket.io/socket.io.js HTTP/1.1\r\nHost: a\r\n\r\n" * 20,
    "\0" * 100_000,
    # Upgrades that are granted, and such as are refused.
    f"GET {WEBSOCKET} HTTP/1.1\r\n{HEAD}",
    f"GET {WEBSOCKET} HTTP/1.1\r\n{HEAD}\r\n",
    f"GET {WEBSOCKET}&sid=nobody HTTP/1.1\r\n{HEAD}\r\n",
    f"GET {WEBSOCKET} HTTP/1.1\r\n{HEAD}\r\n".replace("Version: 13", "Version: 7"),
    f"GET /socket.io/?EIO=3&transport=__proto__ HTTP/1.1\r\n{HEAD}\r\n",
    f"GET {WEBSOCKET} HTTP/1.1\r\n{HEAD}\r\n".encode() + frame(1, b"2") * 100,
):
    says(_text)


@step
async def answered_and_lingered_for(wire: Raw) -> trio.abc.Stream:
    """The refusal has come, and the server waits for the client to close."""
    websocket = await wire.websocket(WEBSOCKET + "&sid=nobody")
    assert websocket.status == "HTTP/1.1 400 Bad Request"
    return websocket.stream


@step
async def kept_alive(wire: Raw) -> trio.abc.Stream:
    connection = await wire.http()
    assert (await connection.request("GET", wire.in_its_revision(POLLING))).status == 200
    return connection.stream


async def _polling(wire: Raw) -> RawPolling:
    """Begin a session that polls and has joined "/", whether its handshake says so or a poll."""
    target, response = await wire.handshake()
    polling = RawPolling(wire, target)
    if wire.eio == 4:
        await polling.post(b"40")
        body = b""
        while b"40{" not in body:  # a ping may come first
            status, body = await polling.get()
            assert status == 200
    elif not response.body.endswith(b"2:40"):
        assert await polling.get() == (200, b"2:40")
    return polling


@step
async def held_poll(wire: Raw) -> trio.abc.Stream:
    polling = await _polling(wire)
    connection = await wire.http()
    await connection.send_request("GET", polling.target)
    return connection.stream


@step
async def half_a_body(wire: Raw) -> trio.abc.Stream:
    polling = await _polling(wire)
    connection = await wire.http()
    await connection.send_request("POST", polling.target, {"Content-Length": "99"}, b"1:2")
    return connection.stream


@step
async def asked_to_go_on(wire: Raw) -> trio.abc.Stream:
    polling = await _polling(wire)
    connection = await wire.http()
    fields = {"Content-Length": "99", "Expect": "100-continue"}
    await connection.send_request("POST", polling.target, fields)
    assert (await connection.receive_response()).status == 100
    return connection.stream


@step
async def too_large_a_body(wire: Raw) -> trio.abc.Stream:
    polling = await _polling(wire)
    connection = await wire.http()
    await connection.send_request("POST", polling.target, {"Content-Length": "9" * 12})
    return connection.stream


@step
async def unread_answer(wire: Raw) -> trio.abc.Stream:
    """More than any kernel keeps; the server is in the middle of sending."""
    polling = await _polling(wire)
    await polling.post(text_payload(['42["large"]'], wire.eio))
    connection = await wire.http()
    await connection.send_request("GET", polling.target)
    assert await connection.stream.receive_some(100)
    return connection.stream


def websocket_sends(name: str, *pieces: bytes, namespaces: tuple[str, ...] = ()) -> None:
    """Add the step of having sent that on a WebSocket that has joined."""

    @step
    async def sent(wire: Raw) -> trio.abc.Stream:
        websocket = await wire.joined(*namespaces)
        for piece in pieces:
            await websocket.stream.send_all(piece)
        return websocket.stream

    sent.__name__ = name


websocket_sends("joined")
websocket_sends("joined a namespace", namespaces=("/other",))
websocket_sends("half a frame's head", b"\x81\xfe")
websocket_sends("half a payload", frame(1, b"x" * 1000)[:500])
websocket_sends("half a message", frame(1, b"42[", fin=False))
websocket_sends("half a packet", frame(1, b'452-["x",{"_placeholder":true,"num":0}]'))
websocket_sends("a ping", frame(9, b"ping"), frame(1, b"2"))
websocket_sends("a bad frame", b"\xff\xff")
websocket_sends("a close frame", frame(8, b"\x03\xe8"))
websocket_sends("a packet that is none", frame(1, b"4x"), frame(1, b"42{"))
websocket_sends("asked to be sent away", frame(1, b'42["away"]'))
websocket_sends("asked for a handler that is slow", frame(1, b'420["slow"]'))


@step
async def unread_frames(wire: Raw) -> trio.abc.Stream:
    websocket = await wire.joined()
    await websocket.send('42["large"]')
    assert await websocket.stream.receive_some(100)
    return websocket.stream


async def _probing(wire: Raw, *texts: str) -> RawWebSocket:
    polling = await _polling(wire)
    target = polling.target.replace("transport=polling", "transport=websocket")
    websocket = await wire.websocket(target)
    for text in texts:
        await websocket.send(text)
    return websocket


@step
async def upgrading(wire: Raw) -> trio.abc.Stream:
    return (await _probing(wire)).stream


@step
async def probe_sent(wire: Raw) -> trio.abc.Stream:
    return (await _probing(wire, "2probe")).stream


@step
async def probe_answered(wire: Raw) -> trio.abc.Stream:
    websocket = await _probing(wire, "2probe")
    assert await websocket.receive() == "3probe"
    return websocket.stream


@step
async def upgraded(wire: Raw) -> trio.abc.Stream:
    return (await _probing(wire, "2probe", "5", '42["slow"]')).stream


def reset(stream: trio.abc.Stream) -> None:
    """End a connection by RST: close it without lingering."""
    assert isinstance(stream, trio.SocketStream)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


def make_watched(make_server: MakeServer, **options: object) -> trio_sio.Server:
    io = make_server(ping_interval=0.5, ping_timeout=2.5, connect_timeout=3.0, **options)
    io.of("/other")
    io.on("neighbour", answer_neighbour)

    @io.on("large")
    async def large(socket: trio_sio.Socket) -> None:
        await socket.emit("large", "x" * LARGE)

    @io.on("slow")
    async def slow(socket: trio_sio.Socket) -> str:
        await trio.sleep(0.1)
        await socket.emit("late")
        return "later"

    @io.on("away")
    async def away(socket: trio_sio.Socket) -> None:
        await socket.disconnect(close=True)

    return io


async def stay(websocket: RawWebSocket, *, task_status: trio.TaskStatus[None]) -> None:
    """Be a client that speaks, again and again, and hears what it is due, in order."""
    task_status.started()
    number = 0
    while True:
        with trio.CancelScope(shield=True):
            await websocket.send(f'42{number}["neighbour",{number}]')
            assert await websocket.receive() == f'42["heard",{number}]'
            assert await websocket.receive() == f"43{number}[{number}]"
        number += 1
        await trio.sleep(0.05)


async def until_alone(io: trio_sio.Server) -> None:
    """Wait until only the one client, its connection and its tasks are there."""
    while (io.statistics().connections, io.statistics().sessions) != (1, 1):  # noqa: ASYNC110
        await trio.sleep(0.01)


@pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])
async def test_cve_2022_41940_a_reset_at_any_step_hurts_nobody(
    ws_engine: str, eio: int, make_server: MakeServer
) -> None:
    """All steps, one beside the other, twice: at once, and once the server has got there."""
    io = make_watched(make_server, ws_engine=ws_engine)
    async with (
        served(io) as url,
        raw(url) as calm,
        raw(url, eio) as wire,
        trio.open_nursery() as nursery,
    ):
        await nursery.start(stay, await calm.joined())
        living = trio.lowlevel.current_statistics().tasks_living

        async def go(one: Step, wait: float) -> None:
            stream = await one(wire)
            await trio.sleep(wait)
            reset(stream)

        async with trio.open_nursery() as many:
            for one in STEPS:
                many.start_soon(go, one, 0)
                many.start_soon(go, one, 0.1)
        await until_alone(io)
        assert trio.lowlevel.current_statistics().tasks_living <= living
        assert not set(io.statistics().ended) - ENDS
        nursery.cancel_scope.cancel()


ENDS = {
    *("transport error", "transport close", "ping timeout", "parse error", "forced close"),
    *("server namespace disconnect", "client namespace disconnect"),
}


@pytest.mark.parametrize("target", [POLLING, WEBSOCKET])
@pytest.mark.parametrize("refuses", [True, False])
async def test_cve_2022_41940_a_reset_while_it_is_decided_whether_to_refuse(
    refuses: bool, target: str, eio: int, make_server: MakeServer
) -> None:
    """The decision falls once nobody is there any more to hear it."""
    asked, gate = trio.Event(), trio.Event()

    async def decide(request: trio_sio.Request) -> bool:
        if "slow" not in request.query_string:
            return True
        asked.set()
        await gate.wait()
        return not refuses

    io = make_watched(make_server, allow_request=decide)
    async with (
        served(io) as url,
        raw(url) as calm,
        raw(url, eio) as wire,
        trio.open_nursery() as nursery,
    ):
        await nursery.start(stay, await calm.joined())
        stream = await wire.connect()
        request = f"GET {target}&slow HTTP/1.1\r\n{HEAD}\r\n"
        await stream.send_all(wire.in_its_revision(request).encode())
        await asked.wait()
        reset(stream)
        gate.set()
        await until_alone(io)
        nursery.cancel_scope.cancel()
