"""Clients that are silent, that chatter, or that speak before they have been let in."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.security.clients import (
    end_of,
    heartbeat,
    is_served,
    is_served_by_polling,
    joined,
    opened,
    polling,
)
from tests.security.neighbour import beside
from tests.support.servers import MakeServer
from trio_sio.testing.wire import WireClient, text_payload
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import PONG

# -- silence -------------------------------------------------------------------------------------

BEGINNINGS = [b"", b"G", b"GET /socket.io/ HT", b"GET / HTTP/1.1\r\nHost: a\r\n"]


@pytest.mark.parametrize("data", BEGINNINGS)
async def test_netty_silent_channel_who_connects_and_says_too_little_is_closed(
    data: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """With an answer if there was a beginning, without a word if there was nothing."""
    io = make_server(head_timeout=20.0)
    async with beside(io) as wire:
        connection, start = wire.connect(), trio.current_time()
        if data:
            await connection.send(data)
        answer = await connection.receive_rest()
        assert trio.current_time() - start == 20.0
        assert answer[:13] == (b"HTTP/1.1 408 " if data.strip() else b"")
        await connection.aclose()
        await wait_all_tasks_blocked()
        assert (io.statistics().connections, io.statistics().sessions) == (1, 1)


async def test_netty_silent_channel_a_byte_now_and_then_gains_no_time(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server(head_timeout=20.0)) as wire:
        connection, start = wire.connect(), trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_drip, connection)
            assert (await connection.receive_response()).status == 408
            assert trio.current_time() - start == 20.0
            nursery.cancel_scope.cancel()


async def _drip(connection: WireConnection) -> None:
    await connection.send(b"GET / HTTP/1.1\r\n")
    while True:
        await connection.send(b"a: b\r\n")
        await trio.sleep(1)


async def test_netty_silent_channel_many_of_them_leave_nothing(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """They neither close nor read; the server does it all."""
    io = make_server()
    async with beside(io) as wire:
        living = trio.lowlevel.current_statistics().tasks_living
        for number in range(200):
            connection = wire.connect()
            await connection.send(BEGINNINGS[number % len(BEGINNINGS)])
        assert io.statistics().connections == 201
        await trio.sleep(io.engine.options.head_timeout + 10)
        assert io.statistics().connections == 1
        assert trio.lowlevel.current_statistics().tasks_living == living


async def test_netty_silent_channel_so_is_who_begins_a_session_and_joins_nothing(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """However busily it shows that it is there: `connect_timeout`."""
    io = make_server(connect_timeout=45.0)
    _wait_for_all_but_one(io)
    async with beside(io) as wire:
        websocket, start = await opened(wire, eio=eio), trio.current_time()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def chatter() -> None:
                while True:
                    await websocket.send(heartbeat(eio))
                    await trio.sleep(1)

            await end_of(websocket)
            assert trio.current_time() - start == 45.0
            nursery.cancel_scope.cancel()
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"connect_timeout": 1}


async def test_netty_silent_channel_so_is_a_websocket_that_never_probes(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Its session goes on polling, and may try another."""
    io = make_server(upgrade_timeout=10.0)
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        websocket, start = await session.open_websocket(), trio.current_time()
        await end_of(websocket)
        assert trio.current_time() - start == 10.0
        websocket = await session.upgrade()
        assert await is_served(websocket)


def _wait_for_all_but_one(io: trio_sio.Server) -> None:
    """Let the neighbour in, and nobody else."""
    gates = iter([True])

    @io.use
    async def wait(_: object) -> None:
        if not next(gates, False):
            await trio.sleep_forever()


async def _wait_for_ever(socket: trio_sio.Socket) -> None:
    await trio.sleep_forever()


# -- chatter -------------------------------------------------------------------------------------

FLOODS = ["2", "2probe", "3", "3probe", "5", "6", "0", "0{}"]


def are_endless(packet: str, eio: int) -> bool:
    """Whether a client may send these for ever; one of Engine.IO 4 must not ping."""
    return eio == 3 or packet[0] != "2"


async def _stranger(wire: WireClient, eio: int) -> tuple[str, WireConnection]:
    """Begin a session that is not let in; return the target of its POSTs, and their connection."""
    session = await wire.handshake(eio=eio)
    assert session.first == []
    return session.target, session.poster


@pytest.mark.parametrize("packet", FLOODS)
async def test_cve_2026_48802_packets_of_the_engine_start_no_tasks(
    eio: int, packet: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """A thousand of them, by WebSocket; each ping has one pong, and nothing else an answer."""
    io = make_server()
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await wait_all_tasks_blocked()
        living = trio.lowlevel.current_statistics().tasks_living
        if not are_endless(packet, eio):
            await websocket.send(packet)
            await end_of(websocket)
            return
        for _ in range(1000):
            await websocket.send(packet)
        for _ in range(1000 if packet[0] == "2" else 0):
            assert await websocket.receive() == "3"
        assert await is_served(websocket)
        await wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living == living
        assert len(io.engine.runtime.timers) < 10


@pytest.mark.parametrize("packet", FLOODS)
async def test_cve_2026_48802_nor_do_those_of_a_client_that_has_not_been_let_in(
    eio: int, packet: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    _wait_for_all_but_one(io)
    async with beside(io) as wire:
        target, connection = await _stranger(wire, eio)
        await wait_all_tasks_blocked()
        living, calls = (
            trio.lowlevel.current_statistics().tasks_living,
            len(io.engine.runtime.timers),
        )
        body = text_payload([packet] * 500, eio)
        response = await connection.request("POST", target, None, body)
        assert (response.status, response.body) == (200, b"ok")
        await wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living <= living
        assert len(io.engine.runtime.timers) <= calls + 1


async def test_cve_2026_48802_nor_do_pongs_of_the_websocket_and_they_prolong_nothing(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Who sends those alone is as silent as who sends nothing."""
    io = make_server(ping_interval=25.0, ping_timeout=5.0)
    async with beside(io) as wire:
        websocket, start = await joined(wire, eio=eio), trio.current_time()
        await wait_all_tasks_blocked()
        living = trio.lowlevel.current_statistics().tasks_living
        for _ in range(25):
            for _ in range(40):
                await websocket.send_frame(PONG, b"pong")
            await trio.sleep(1)
        assert trio.lowlevel.current_statistics().tasks_living == living
        await end_of(websocket)
        assert trio.current_time() - start == 30.0


# -- before one is let in ------------------------------------------------------------------------


async def test_no_id_python_socketio_events_wait_for_the_connection_handler(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """None is handled before it has returned; then all are, in order."""
    io = make_server()
    gate, seen = trio.Event(), list[object]()
    io.on("say", lambda _, word: seen.append(word))

    @io.on("connection")
    async def connected(socket: trio_sio.Socket) -> None:
        if len(io.sockets.connected) > 1:
            await gate.wait()
            seen.append("connected")

    async with beside(io) as wire:
        by_websocket = await joined(wire, eio=eio)
        for word in "abc":
            await by_websocket.send(f'42["say","{word}"]')
        await wait_all_tasks_blocked()
        assert seen == []
        gate.set()
        await wait_all_tasks_blocked()
        assert seen == ["connected", "a", "b", "c"]


async def test_no_id_python_socketio_a_connection_handler_that_fails_lets_no_event_be_handled_early(
    eio: int, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor one that refuses: those events are not handled at all."""
    io = trio_sio.Server()
    gate, seen = trio.Event(), list[object]()
    io.on("say", lambda _, word: seen.append(word))

    @io.on("connection")
    async def connected(socket: trio_sio.Socket) -> None:
        if len(io.sockets.connected) > 1:
            await gate.wait()
            raise trio_sio.ConnectionRefused("no")

    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send('42["say","a"]')
        await wait_all_tasks_blocked()
        gate.set()
        if eio == 3:
            assert await websocket.receive() == '44"no"'
        assert await websocket.receive() == "41"
        await websocket.send('42["say","b"]')
        await wait_all_tasks_blocked()
        assert seen == []


async def test_no_id_python_socketio_who_has_not_passed_middleware_is_not_heard(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Neither its events nor its answers, in "/" and in a namespace it has only asked for."""
    io = make_server()
    _wait_for_all_but_one(io)
    seen: list[object] = []
    for namespace in (io.of("/"), io.of("/private")):
        namespace.on("say", lambda _, word: seen.append(word))
    io.of("/private").use(_wait_for_ever)
    async with beside(io) as wire:
        target, connection = await _stranger(wire, eio)
        packets = ['42["say","a"]', "40/private,", '42/private,["say","b"]', "43/private,0[1]"]
        if eio == 4:
            packets[:0] = ["40"]
        body = text_payload(packets, eio)
        assert (await connection.request("POST", target, None, body)).status == 200
        await wait_all_tasks_blocked()
        assert seen == []
        assert list(io.of("/private").connected) == []


@pytest.mark.parametrize("before", ["handshake", "probe"])
async def test_no_id_python_engineio_a_websocket_is_not_heard_before_it_is_the_sessions(
    eio: int, before: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """What it says in place of the probe, or behind it, is not an event of the session."""
    io = make_server()
    seen: list[object] = []
    io.on("say", lambda _, word: seen.append(word))
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        websocket = await (session.open_websocket() if before == "handshake" else session.probe())
        await websocket.send('42["say","a"]')
        await end_of(websocket)
        assert await is_served_by_polling(session)
        assert seen == []
