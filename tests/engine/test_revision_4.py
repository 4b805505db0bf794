"""Engine.IO 4 by bytes: the handshake, the heartbeat, the upgrade, and what ends a session."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import (
    MockClock,
    lockstep_stream_pair,
    memory_stream_pair,
    wait_all_tasks_blocked,
)

from trio_sio import Engine, Session
from trio_sio.testing import WireClient, open_wire
from trio_sio.testing.wire import StreamPair
from trio_sio.testing.wire_http import WireConnection, WireResponse
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket, open_websocket

POLLING = "/engine.io/?EIO=4&transport=polling"
WEBSOCKET = "/engine.io/?EIO=4&transport=websocket"


class Peer:
    """A client that polls."""

    def __init__(self, wire: WireClient) -> None:
        self.wire = wire
        self.get, self.post = wire.connect(), wire.connect()
        self.sid = ""

    @property
    def target(self) -> str:
        return f"{POLLING}&sid={self.sid}"

    async def open(self, query: str = "") -> dict[str, object]:
        response = await self.get.request("GET", POLLING + query)
        opening: dict[str, object] = json.loads(response.text[1:])
        self.sid = str(opening["sid"])
        return opening

    async def poll(self) -> str:
        response = await self.get.request("GET", self.target)
        assert response.status == 200, response
        assert response.headers["content-type"] == "text/plain; charset=UTF-8"
        return response.text

    async def send(self, body: bytes, kind: str = "text/plain;charset=UTF-8") -> WireResponse:
        return await self.post.request("POST", self.target, {"Content-Type": kind}, body)


@asynccontextmanager
async def served(
    ends: list[str] | None = None,
    streams: Callable[[], StreamPair] = memory_stream_pair,
    **options: object,
) -> AsyncIterator[tuple[Engine, WireClient]]:
    """An engine whose handler echoes, and notes how sessions end."""

    async def echo(session: Session) -> None:
        try:
            while True:
                await session.send(await session.receive())
        finally:
            if ends is not None:
                detail = session.detail
                ends.append(f"{session.reason}: {detail.text if detail else ''}")

    engine = Engine(raise_errors=True, **options)  # type: ignore[arg-type]  # options
    async with open_wire(engine, echo, streams=streams) as wire:
        yield engine, wire


async def open_frames(wire: WireClient, query: str = "") -> WireWebSocket:
    websocket = await open_websocket(wire.connect(), WEBSOCKET + query)
    opening = await websocket.receive()
    assert isinstance(opening, str)
    assert [*json.loads(opening[1:])] == [
        *("sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload")
    ]
    return websocket


# -- the handshake ------------------------------------------------------------------------------


async def test_the_open_packet_comes_alone(autojump_clock: MockClock) -> None:
    async with served(max_http_buffer_size=1234) as (engine, wire):
        opening = await Peer(wire).open()
        (sid,) = engine.sessions
        assert opening == {
            "sid": sid,
            "upgrades": ["websocket"],
            "pingInterval": 25000,
            "pingTimeout": 20000,
            "maxPayload": 1234,
        }
        assert engine.sessions[sid].protocol == 4


@pytest.mark.parametrize("query", ["&j=0", "&b64=1", "&j=0&b64=1"])
async def test_there_is_no_jsonp_and_all_is_base64(query: str, autojump_clock: MockClock) -> None:
    async with served() as (_, wire):
        peer = Peer(wire)
        await peer.open(query)
        await peer.send(b"bAQID\x1e4\xe2\x82\xac")
        assert await peer.poll() == "bAQID\x1e4€"


@pytest.mark.parametrize("version", ["2", "5", "04", "x", "3&EIO=4"])
async def test_other_revisions(version: str, autojump_clock: MockClock) -> None:
    async with served() as (_, wire):
        response = await wire.request("GET", f"/engine.io/?transport=polling&EIO={version}")
        assert response.status == 400
        assert json.loads(response.body)["code"] == 5


@pytest.mark.parametrize(
    ("protocols", "version", "spoken"),
    [
        ((3,), "4", "Engine.IO 3 (Socket.IO 2.x), by"),
        ((4,), "3", "Engine.IO 4 (Socket.IO 3.x and 4.x), by"),
        ((4,), "", "the query says nothing of EIO, which means 3"),
    ],
)
async def test_a_revision_that_is_switched_off(
    protocols: tuple[int, ...], version: str, spoken: str, autojump_clock: MockClock
) -> None:
    async with served(protocols=protocols) as (engine, wire):
        target = f"/engine.io/?transport=polling&EIO={version}"
        response = await wire.request("GET", target)
        assert (response.status, json.loads(response.body)["code"]) == (400, 5)
        assert spoken in json.loads(response.body)["detail"]
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
        response = await wire.request("GET", target.replace("polling", "websocket"), upgrade)
        assert response.status == 400  # before any 101
        assert not engine.sessions


@pytest.mark.parametrize(
    ("begun", "later", "status"),
    [("4", "4", 200), ("4", "3", 400), ("4", "", 400), ("3", "4", 400), ("3", "", 200)],
)
async def test_each_request_says_what_the_session_speaks(
    begun: str, later: str, status: int, autojump_clock: MockClock
) -> None:
    async with served() as (engine, wire):
        await wire.request("GET", f"/engine.io/?transport=polling&EIO={begun}")
        (sid,) = engine.sessions
        body = b"4x" if begun == "4" else b"2:4x"
        target = f"/engine.io/?transport=polling&EIO={later}&sid={sid}"
        response = await wire.request("POST", target, {}, body)
        assert response.status == status
        if status == 400:
            assert json.loads(response.body)["code"] == 3
            upgrade = await wire.connect().request(
                "GET",
                target.replace("polling", "websocket"),
                {
                    "Connection": "Upgrade",
                    "Upgrade": "websocket",
                    "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                },
            )
            assert upgrade.status == 400  # before any 101
        assert sid in engine.sessions


# -- the heartbeat ------------------------------------------------------------------------------


async def test_the_server_pings(autojump_clock: MockClock) -> None:
    ends: list[str] = []
    async with served(ends) as (_, wire):
        websocket = await open_frames(wire)
        assert await websocket.receive() == "2"
        assert trio.current_time() == 25
        await trio.sleep(19)
        await websocket.send("3")
        assert await websocket.receive() == "2"
        assert trio.current_time() == pytest.approx(69)  # 25 behind the answer
        with pytest.raises(WebSocketClosed):
            await websocket.receive()
        assert trio.current_time() == pytest.approx(89, abs=1)
    assert ends == ["ping timeout: nothing was heard for 20.0 s"]


async def test_by_polling(autojump_clock: MockClock) -> None:
    ends: list[str] = []
    async with served(ends) as (_, wire):
        peer = Peer(wire)
        await peer.open()
        assert await peer.poll() == "2"
        peer.post = wire.connect()  # the other one was closed meanwhile
        await peer.send(b"3")
        assert await peer.poll() == "2"
        assert await peer.poll() == "1"
    assert ends == ["ping timeout: nothing was heard for 20.0 s"]


async def test_answers_that_nobody_asked_for_keep_nobody_alive(autojump_clock: MockClock) -> None:
    async with served() as (_, wire):
        websocket = await open_frames(wire)
        for _ in range(2):
            await trio.sleep(10)
            await websocket.send("3")
        assert await websocket.receive() == "2"
        assert trio.current_time() == 25


async def test_a_slow_client_is_not_blamed_for_a_ping_that_waits(
    autojump_clock: MockClock,
) -> None:
    """It takes what is sent, but comes to the ping after a minute only."""
    ends: list[str] = []
    async with served(ends, lockstep_stream_pair) as (engine, wire):
        websocket = await open_frames(wire)
        (session,) = engine.sessions.values()
        for _ in range(100):
            session.send_nowait("x" * 10_000)
        for _ in range(80):
            await trio.sleep(1)
            assert session.reason is None
            assert await websocket.receive() == "4" + "x" * 10_000


async def test_a_ping_of_the_client_is_the_end(autojump_clock: MockClock) -> None:
    ends: list[str] = []
    async with served(ends) as (_, wire):
        websocket = await open_frames(wire)
        await websocket.send("2")
        with pytest.raises(WebSocketClosed):
            await websocket.receive()
    assert ends == [
        "transport error: it sent a ping; in Engine.IO 4 the server pings, and the client answers"
    ]


# -- packets ------------------------------------------------------------------------------------


async def test_binary_frames_have_no_type(autojump_clock: MockClock) -> None:
    async with served() as (_, wire):
        websocket = await open_frames(wire)
        for message in (b"", b"\x04\x01", b"\xff" * 5000):
            await websocket.send(message)
            assert await websocket.receive() == message
        await websocket.send("bAQI")
        assert await websocket.receive() == b"\x01\x02"
        await websocket.send("4a\x1eb")
        assert await websocket.receive() == "4a\x1eb"


async def test_base64_by_websocket(autojump_clock: MockClock) -> None:
    async with served() as (_, wire):
        websocket = await open_frames(wire, "&b64=1")
        await websocket.send(b"\x01\x02\x03")
        assert await websocket.receive() == "bAQID"


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/octet-stream;x=1"])
async def test_bodies_are_text(kind: str, autojump_clock: MockClock) -> None:
    ends: list[str] = []
    async with served(ends) as (_, wire):
        peer = Peer(wire)
        await peer.open()
        response = await peer.send(b"4x", kind)
        if kind.endswith("stream"):
            assert (response.status, response.text[:6]) == (400, "a POST")
            await wait_all_tasks_blocked()
            (end,) = ends
            assert end.startswith("transport error: a POST of application/octet-stream, which")
        else:
            assert (response.status, await peer.poll()) == (200, "4x")


@pytest.mark.parametrize(
    ("body", "heard", "reason"),
    [
        (b"", [], "parse error"),
        (b"4a\x1e7x\x1e4b", ["a"], "parse error"),
        (b"4a\x1e1\x1e4b", ["a"], "transport close"),
        (b"4a\x1e2", ["a"], "transport error"),
        (b"4a\x1e2probe", ["a"], "transport error"),
    ],
)
async def test_what_ends_a_session_that_polls(
    body: bytes, heard: list[str], reason: str, autojump_clock: MockClock
) -> None:
    came: list[str | bytes] = []

    async def listen(session: Session) -> None:
        while True:
            came.append(await session.receive())

    async with open_wire(Engine(raise_errors=True), listen) as wire:
        peer = Peer(wire)
        await peer.open()
        (session,) = wire.engine.sessions.values()
        assert (await peer.send(body)).body == b"ok"
        await wait_all_tasks_blocked()
        assert (came, session.reason) == (heard, reason)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_two_at_a_time(method: str, autojump_clock: MockClock) -> None:
    ends: list[str] = []
    async with served(ends) as (_, wire):
        peer = Peer(wire)
        await peer.open()
        first: WireConnection = wire.connect()
        head = first.request_bytes(method, peer.target, {"Content-Length": "5"})
        await first.send(head)
        await wait_all_tasks_blocked()
        second = await wire.request(method, peer.target, {"Content-Length": "0"})
        assert (second.status, second.body) == (400, b"")
    assert ends[0].startswith("transport error: ")


# -- the upgrade --------------------------------------------------------------------------------


async def test_upgrade(autojump_clock: MockClock) -> None:
    async with served() as (engine, wire):
        peer = Peer(wire)
        await peer.open()
        (session,) = engine.sessions.values()
        websocket = await open_websocket(wire.connect(), f"{WEBSOCKET}&sid={peer.sid}")
        async with trio.open_nursery() as nursery:
            answers: list[str] = []

            async def poll() -> None:
                answers.append(await peer.poll())

            nursery.start_soon(poll)
            await wait_all_tasks_blocked()
            await websocket.send("2probe")
            assert await websocket.receive() == "3probe"
        assert answers == ["6"]
        await session.send("between")
        await session.send(b"\x01\x02")
        await websocket.send("5")
        assert await websocket.receive() == "4between"
        assert await websocket.receive() == b"\x01\x02"
        assert (await wire.request("GET", peer.target)).status == 400


async def test_a_ping_that_is_due_during_a_probe_is_not_forgotten(
    autojump_clock: MockClock,
) -> None:
    async with served(upgrade_timeout=100) as (engine, wire):
        peer = Peer(wire)
        await peer.open()
        websocket = await open_websocket(wire.connect(), f"{WEBSOCKET}&sid={peer.sid}")
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        await trio.sleep(30)
        await websocket.send("5")
        assert await websocket.receive() == "2"
        (session,) = engine.sessions.values()
        await trio.sleep(19)  # behind the upgrade, not behind the ping
        assert session.reason is None
        await trio.sleep(2)
        assert session.reason == "ping timeout"


# -- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [99, 100, 101])
async def test_limits_are_bytes(size: int, autojump_clock: MockClock) -> None:
    ends: list[str] = []
    async with served(ends, max_http_buffer_size=100) as (_, wire):
        peer = Peer(wire)
        await peer.open()
        response = await peer.send(b"4" + b"x" * (size - 1))
        assert response.status == (200 if size <= 100 else 413)
        websocket = await open_frames(wire)
        await websocket.send(b"x" * size)
        if size <= 100:
            assert await websocket.receive() == b"x" * size
        else:
            with pytest.raises(WebSocketClosed) as closed:
                await websocket.receive()
            assert closed.value.code == 1009
            assert [end.partition(":")[0] for end in ends] == ["transport error"] * 2
