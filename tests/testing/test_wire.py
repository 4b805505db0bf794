"""The client of bytes: long polling by name, and the server it opens."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair

import trio_sio
from tests.support.refusals import told
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing.wire import (
    BINARY_PAYLOAD,
    binary_payload,
    open_wire,
    payload_packets,
    text_payload,
)


async def echo(session: trio_sio.Session) -> None:
    while True:
        await session.send(await session.receive())


async def test_polling_by_name(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(), echo) as wire:
        session = await wire.handshake()
        assert list(wire.engine.sessions) == [session.sid]
        assert session.opening == {
            "sid": session.sid,
            "upgrades": ["websocket"],
            "pingInterval": 25000,
            "pingTimeout": 5000,
        }
        assert session.first == []
        assert session.response.status == 200
        await session.post("4hello", b"\x04\x01\xff")
        assert await session.poll() == ["4hello", b"\x04\x01\xff"]


@pytest.mark.parametrize("query", ["", "b64=1"])
async def test_a_session_of_engine_io_4(query: str, autojump_clock: MockClock) -> None:
    engine = trio_sio.Engine(ping_interval=2, max_http_buffer_size=1000)
    async with open_wire(engine, echo) as wire:
        session = await wire.handshake(query, eio=4)
        assert session.opening == {
            "sid": session.sid,
            "upgrades": ["websocket"],
            "pingInterval": 2000,
            "pingTimeout": 20000,
            "maxPayload": 1000,
        }
        await session.post("4a\u20ac", b"\x04\x01\xff", b"")
        packets: list[str | bytes] = []
        while len(packets) < 3:
            packets += await session.poll()
        assert packets == ["4a\u20ac", b"\x04\x01\xff", b""]
        assert await session.poll() == ["2"]  # and the test answers
        await session.post("3")
        websocket = await session.upgrade()
        assert await websocket.receive() == "2"
        await websocket.send(b"\x04")
        assert await websocket.receive() == b"\x04"


async def test_a_websocket_of_engine_io_4(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(), echo) as wire:
        websocket = await wire.websocket(eio=4)
        assert str(await websocket.receive()).startswith("0{")
        (session,) = wire.engine.sessions.values()
        assert session.protocol == 4
        await websocket.send(b"\x00")
        assert await websocket.receive() == b"\x00"


@pytest.mark.parametrize(
    "packets", [["4a"], ["4a", b"\x00", "6"], [b""], ["4\u20ac", "4\U0001f600", b"\x1e"]], ids=repr
)
def test_payloads_of_engine_io_4(packets: list[str | bytes]) -> None:
    assert payload_packets(text_payload(packets, eio=4), eio=4) == packets


@pytest.mark.parametrize("payload", [b"", b"4a\x1e", b"b-_8=", b"bAQI", b"9", b"4\xff"])
def test_what_is_no_payload_of_engine_io_4(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        payload_packets(payload, eio=4)


async def test_polls_and_posts_have_a_connection_each(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(), echo) as wire:
        session = await wire.handshake()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def poll() -> None:
                assert await session.poll() == ["4hello"]
                assert trio.current_time() == 1.0

            await trio.sleep(1)
            await session.post("4hello")


async def test_query_and_headers_go_with_every_request(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(origins=["http://a"]), echo) as wire:
        session = await wire.handshake("b64=1&x=y", {"Origin": "http://a"})
        (live,) = wire.engine.sessions.values()
        assert live.request.target == "/engine.io/?EIO=3&transport=polling&b64=1&x=y"
        assert live.request.headers["origin"] == "http://a"
        await session.post("4a")
        response = await session.poll_response()
        assert (response.status, response.text) == (200, "2:4a")


async def test_what_is_refused_is_an_error(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(origins=["http://a"]), echo) as wire:
        with pytest.raises(AssertionError, match="Forbidden"):
            await wire.handshake()
        session = await wire.handshake(headers={"Origin": "http://a"})
        session.sid = "nobody"
        with pytest.raises(AssertionError, match="Session ID unknown"):
            await session.post("4a")
        with pytest.raises(AssertionError, match="Session ID unknown"):
            await session.poll()


async def test_bodies_of_any_kind(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(), echo) as wire:
        session = await wire.handshake()
        body = binary_payload(["4€", b"\x04\x00"])
        assert body == b"\x00\x04\xff4\xe2\x82\xac\x01\x02\xff\x04\x00"
        assert (await session.post_body(body, BINARY_PAYLOAD)).body == b"ok"
        assert await session.poll() == ["4€", b"\x04\x00"]
        assert text_payload(["4€😀", b"\x04\x00"]) == "4:4€😀6:b4AA==".encode()


async def test_one_request_on_a_connection_of_its_own(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(path="/a/"), echo) as wire:
        response = await wire.request("POST", wire.target("polling"), {"Origin": "b"}, b"2:4a")
        assert (response.status, response.reason) == (400, "Bad Request")
        assert response.text == told('{"code":2,"message":"Bad handshake method"}')
        assert response.headers["access-control-allow-origin"] == "b"
        assert wire.target("websocket", "x=y", "abc") == (
            "/a/?EIO=3&transport=websocket&x=y&sid=abc"
        )


async def test_a_session_upgrades(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(), echo) as wire:
        session = await wire.handshake()
        websocket = await session.upgrade()
        await websocket.send("4hello")
        assert await websocket.receive() == "4hello"


async def test_a_session_may_vanish(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(), echo) as wire:
        session = await wire.handshake()
        with trio.move_on_after(1):
            await session.poll()
        await session.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert wire.engine.sessions == {}


async def test_a_socketio_server(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    io.on("connection", lambda socket: socket.emit("welcome"))
    async with open_wire(io) as wire:
        session = await wire.handshake()
        assert session.first == ["40"]
        assert await session.poll() == ['42["welcome"]']


async def test_it_opens_a_server_that_is_not_open(autojump_clock: MockClock) -> None:
    engine = trio_sio.Engine()
    async with open_wire(engine, echo):
        assert engine.serving
    assert not engine.serving
    async with engine:
        async with open_wire(engine, echo) as wire:
            connection = wire.connect()
        assert engine.serving
        with pytest.raises(trio.ClosedResourceError):
            await connection.send(b"GET")


async def test_streams_of_another_kind(autojump_clock: MockClock) -> None:
    streams: Any = lockstep_stream_pair  # each byte waits for its reader
    async with open_wire(trio_sio.Engine(), echo, streams=streams) as wire:
        session = await wire.handshake()
        await session.post("4hello")
        assert await session.poll() == ["4hello"]
