"""A client of the server that is judged: what it does itself, and what it says of the server."""

import re
from collections.abc import AsyncIterator

import pytest
import trio

import trio_sio
from tests.support.conformance import OPEN, PATIENCE, http, payload, scripted
from tests.support.peers import served
from trio_sio.conformance.client import POLLING, TRANSPORTS, Client, open_client, open_polling
from trio_sio.conformance.expectation import Ended, Unexpected
from trio_sio.conformance.target import Target


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    io = trio_sio.Server(ping_interval=0.2, ping_timeout=0.4)
    chat = io.of("/chat")

    @chat.on("echo")
    @io.on("echo")
    async def echo(socket: trio_sio.Socket, *args: trio_sio.JSON) -> None:
        await socket.emit("echo", *args)

    @io.on("ack")
    async def ack(socket: trio_sio.Socket, *args: trio_sio.JSON) -> tuple[trio_sio.JSON, ...]:
        return args

    @io.on("close")
    async def close(socket: trio_sio.Socket) -> None:
        await socket.disconnect(close=True)

    async with served(io) as url:
        yield Target.parse(url, patience=30)


@pytest.mark.parametrize("how", TRANSPORTS)
async def test_events_go_both_ways(how: str, target: Target) -> None:
    async with open_client(target, how) as client:
        await client.join_namespace("/chat")
        await client.emit("echo", b"\x01", "\u20ac", namespace="/chat")
        await client.expect_event("echo", b"\x01", "\u20ac", namespace="/chat")
        assert await client.call("ack", 1, b"") == [1, b""]
        await client.expect_quiet()


async def test_it_pings(target: Target) -> None:
    async with open_client(target) as client:
        await trio.sleep(client.silence_limit + 0.2)
        await client.expect_quiet()


@pytest.mark.parametrize("how", POLLING)
async def test_one_that_polls_by_hand(how: str, target: Target) -> None:
    async with open_polling(target, how) as (client, polling):
        await client.emit("echo", 1)
        assert "echo" in (await polling.poll()).text


@pytest.mark.parametrize("how", ["polling", "websocket"])
async def test_the_end_is_told(how: str, target: Target) -> None:
    async with open_client(target, how, heartbeat=False) as client:
        await client.emit("close")
        assert await client.receive_end(behind=("41",))
    async with open_client(target, how, heartbeat=False) as client:
        await client.emit("echo", 1)
        with pytest.raises(Unexpected, match="the session should have ended, but"):
            await client.receive_end()


async def test_a_probe_that_is_followed_by_the_move(target: Target) -> None:
    async with open_polling(target) as (client, _):
        websocket = await client.probe()
        await client.move(websocket)
        assert await client.call("ack") == []


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        ("4one", "the first packet must be OPEN, not '4one'"),
        ("0{", "what OPEN says is unreadable: '0{'"),
        ("0[]", "what OPEN says is unreadable"),
        ('0{"sid":"x"}', "what OPEN says is unreadable"),
        ('0{"sid":1,"pingInterval":1,"pingTimeout":1}', "sid in OPEN: 1"),
        ('0{"sid":"x","pingInterval":"1","pingTimeout":1}', "pingInterval in OPEN: '1'"),
    ],
)
async def test_what_is_no_open_packet(packet: str, told: str) -> None:
    async with scripted(payload(packet)) as target:
        with pytest.raises(Unexpected) as caught:
            await _open(target)
        assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        ("41", "a packet: expected 40, got 41"),
        ("40/chat", "a packet: expected 40, got 40/chat,"),
        ("5", "a MESSAGE packet was expected, got '5'"),
        ("4x", "'4x' is no packet of Socket.IO"),
    ],
)
async def test_what_comes_in_place_of_connect(packet: str, told: str) -> None:
    async with scripted(payload(OPEN, packet)) as target:
        with pytest.raises(Unexpected) as caught:
            await _open(target)
        assert str(caught.value).startswith(told)


class Scripted:
    """A transport on which these packets come."""

    def __init__(self, *packets: str | bytes) -> None:
        self._packets = list(packets)

    def begin(self, sid: str) -> None: ...

    async def send(self, *packets: str | bytes) -> None: ...

    async def receive(self) -> str | bytes:
        return self._packets.pop(0)

    async def aclose(self) -> None: ...


async def test_binary_packets_come_in_base64_by_a_websocket_that_has_text_alone() -> None:
    event = '451-["a",{"_placeholder":true,"num":0}]'
    client = Client(Target("localhost", 3000), Scripted(event, "b4AQID"))
    await client.expect_event("a", b"\x01\x02\x03")


@pytest.mark.parametrize("packet", ["bx", "b4$", "b", "b4A"])
async def test_what_is_no_base64(packet: str) -> None:
    client = Client(Target("localhost", 3000), Scripted(packet))
    with pytest.raises(Unexpected, match=f"'{re.escape(packet)}' is no packet in base64"):
        await client.receive()


async def _open(target: Target) -> None:
    async with open_client(target, "polling"):
        pass


async def test_an_acknowledgement_of_another_event() -> None:
    async with scripted(payload(OPEN, "40"), http("ok"), payload("435[]")) as target:
        async with open_polling(target) as (client, _):
            with pytest.raises(Unexpected, match=r"'ack': expected 431\[\], got 435\[\]"):
                await client.call("ack")


async def test_nothing_but_pongs() -> None:
    """Each of them comes in time, so it is the client that has to give up."""
    pongs = [payload("3")] * 1_000
    async with scripted(payload(OPEN, "40"), *pongs) as target:
        async with open_polling(target) as (client, _):
            with trio.fail_after(20 * PATIENCE), pytest.raises(Unexpected):
                await client.receive()


async def test_a_session_that_does_not_end() -> None:
    async with scripted(payload(OPEN, "40")) as target:
        async with open_polling(target) as (client, _):
            with pytest.raises(Unexpected, match=r"should have ended within 0.1 s"):
                await client.receive_end(seconds=0.1)


async def test_a_session_that_has_ended() -> None:
    async with scripted(payload(OPEN, "40"), http("gone", status=400)) as target:
        async with open_polling(target) as (client, _):
            with pytest.raises(Ended, match="a poll was answered 400 b'gone'"):
                await client.receive()


async def test_a_packet_too_many_before_an_upgrade() -> None:
    """Of a client that has no WebSocket yet there is nothing to compare it with."""
    async with scripted(payload(OPEN, "40"), http("no", status=400)) as target:
        async with open_polling(target) as (client, _):
            assert isinstance(client, Client)
            with pytest.raises(Ended, match="a WebSocket was refused"):
                await client.upgrade()
