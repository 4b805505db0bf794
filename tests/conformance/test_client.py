"""A client of the server that is judged: what it does itself, and what it says of the server."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import trio

import trio_sio
from tests.support.conformance import OPEN, PATIENCE, http, payload, scripted
from tests.support.peers import served
from trio_sio.conformance.client import Client, open_client, open_polling
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import Ended, Unexpected
from trio_sio.testing.clients.transports import POLLING, TRANSPORTS, transports_of


@pytest.fixture(params=[4, 5], ids=["protocol-4", "protocol-5"])
async def target(request: pytest.FixtureRequest) -> AsyncIterator[Target]:
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
        yield Target.parse(url, patience=30, protocol=request.param)


@pytest.mark.parametrize("how", TRANSPORTS)
async def test_events_go_both_ways(how: str, target: Target) -> None:
    if how not in transports_of(target.protocol):
        pytest.skip("there is no such way in this protocol")
    async with open_client(target, how) as client:
        await client.join_namespace("/chat")
        await client.emit("echo", b"\x01", "\u20ac", namespace="/chat")
        await client.expect_event("echo", b"\x01", "\u20ac", namespace="/chat")
        assert await client.call("ack", 1, b"") == [1, b""]
        await client.expect_quiet()


@pytest.mark.parametrize("how", ["polling", "websocket", "upgraded"])
async def test_it_keeps_its_session_alive(how: str, target: Target) -> None:
    async with open_client(target, how) as client:
        await trio.sleep(client.silence_limit + 0.2)
        await client.expect_quiet()


async def test_each_namespace_has_an_id_in_protocol_5(target: Target) -> None:
    async with open_client(target, join=False) as client:
        await client.join_namespace("/chat", {"token": "x"} if target.protocol == 5 else None)
        if target.protocol == 4:
            assert (client.id, client.ids) == (client.sid, {})
        else:
            await client.join_namespace("/")
            assert client.id == client.ids["/"] != client.ids["/chat"]
            assert client.id != client.sid


@pytest.mark.parametrize("how", POLLING)
async def test_one_that_polls_by_hand(how: str, target: Target) -> None:
    if how not in transports_of(target.protocol):
        pytest.skip("there is no such way in this protocol")
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


async def test_a_session_does_not_end_for_silence_while_its_end_is_awaited(target: Target) -> None:
    async with open_client(target, heartbeat=False) as client:
        patient = replace(target, patience=2 * client.silence_limit)
    async with open_client(patient, heartbeat=False) as client:
        with pytest.raises(Unexpected, match="should have ended within"):
            await client.receive_end()
        await client.emit("echo", 1)
        await client.expect_event("echo", 1)


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


CONNECT_5 = ["40", "40{}", '40{"sid":""}', '40{"sid":1}', '40{"sid":"x","more":1}', "40[]"]


@pytest.mark.parametrize("packet", CONNECT_5)
async def test_connect_has_an_id_and_nothing_else_in_protocol_5(packet: str) -> None:
    client = Client(Target("localhost", 3000, protocol=5), Scripted(packet))
    with pytest.raises(Unexpected, match="CONNECT says an id and nothing else"):
        await client.expect_joined("/")


@pytest.mark.parametrize("packet", ['40/chat,{"sid":"x"}', '44{"message":"no"}'])
async def test_what_comes_in_place_of_connect_in_protocol_5(packet: str) -> None:
    client = Client(Target("localhost", 3000, protocol=5), Scripted(packet))
    with pytest.raises(Unexpected, match="a packet: expected"):
        await client.expect_joined("/")


async def test_binary_packets_of_engine_io_4_have_no_type() -> None:
    event = '451-["a",{"_placeholder":true,"num":0}]'
    for attachment in ("bAQID", b"\x01\x02\x03"):
        client = Client(Target("localhost", 3000, protocol=5), Scripted(event, attachment))
        await client.expect_event("a", b"\x01\x02\x03")


async def test_nothing_but_pings() -> None:
    pings = [http("2")] * 1_000
    async with scripted(http(OPEN), *pings) as target:
        modern = replace(target, protocol=5)
        async with open_polling(modern, join=False) as (client, _):
            with trio.fail_after(20 * PATIENCE), pytest.raises(Unexpected):
                await client.receive()


async def test_a_beat_that_does_not_come() -> None:
    opening = OPEN.replace("60000", "100")
    async with scripted(http(opening), http("6")) as target:
        modern = replace(target, protocol=5)
        async with open_polling(modern, join=False) as (client, _):
            with pytest.raises((Unexpected, trio.TooSlowError), match=r"within|waited"):
                await client.receive_beat()
