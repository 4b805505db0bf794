"""Clients of Socket.IO 3 and 4, by bytes: joining, refusals, and what ends their session."""

import json

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.modern import client, expect_quiet, join, server
from trio_sio import ConnectionRefused, Packet, PacketRefused, Socket
from trio_sio.protocol.socketio.packet import RESERVED_EVENTS
from trio_sio.router.dialect import SIO4, SIO5, dialect_of
from trio_sio.testing.wire_websocket import WebSocketClosed


def test_dialects_go_with_engine_io() -> None:
    assert dialect_of(3) is SIO4
    assert dialect_of(4) is SIO5


@pytest.mark.parametrize("eio", [3, 4])
@pytest.mark.parametrize("event", sorted(RESERVED_EVENTS))
async def test_reserved_names_from_the_wire(
    event: str, eio: int, autojump_clock: MockClock
) -> None:
    io, heard = server(), []
    name = json.dumps(event)
    io.on("*", lambda socket, event, *args: heard.append((event, *args)))
    async with client(io, eio=eio) as websocket:
        if eio == 3:
            assert await websocket.receive() == "40"
        else:
            await join(websocket)
        await websocket.send(f'42[{name},"x"]')
        await websocket.send(f'451-[{name},{{"_placeholder":true,"num":0}}]')
        await websocket.send(b"\x04\x01" if eio == 3 else b"\x01")
        await expect_quiet(websocket)
    # To a client of 2.x it is a name like another.
    delivers = eio == 3 and event == "connect_error"
    assert heard == ([(event, "x"), (event, b"\x01")] if delivers else [])


async def test_nothing_is_joined_unasked(autojump_clock: MockClock) -> None:
    io = server()
    async with client(io) as websocket:
        await wait_all_tasks_blocked()
        assert not io.of("/").connected
        answer = await join(websocket)
        assert answer == {"sid": next(iter(io.of("/").connected))}
        assert answer["sid"] not in io.engine.sessions
        (socket,) = io.of("/").connected.values()
        assert (socket.protocol, socket.conn.protocol) == (5, 4)
        await expect_quiet(websocket)


async def test_namespaces_need_not_wait_for_the_root(autojump_clock: MockClock) -> None:
    io = server()
    async with client(io) as websocket:
        first = await join(websocket, "40/adm,")
        second = await join(websocket)
        assert first["sid"] != second["sid"]
        assert not first["sid"].startswith("/adm")
        assert {*io.of("/adm").connected} == {first["sid"]}


async def test_what_a_client_says_with_a_namespace(autojump_clock: MockClock) -> None:
    io = server()
    async with client(io, "x=1") as websocket:
        await join(websocket, '40{"token":["é",{"a":1}]}')
        (socket,) = io.of("/").connected.values()
        assert socket.handshake.auth == {"token": ["é", {"a": 1}]}
        assert socket.handshake.query == {"EIO": "4", "transport": "websocket", "x": "1"}


async def test_what_a_client_of_2_says_with_a_namespace(autojump_clock: MockClock) -> None:
    io = server()
    async with client(io, eio=3) as websocket:
        assert await websocket.receive() == "40"
        await websocket.send("40/private?token=1&x=a&x=b,")
        assert await websocket.receive() == "40/private,"
        (socket,) = io.of("/private").connected.values()
        assert socket.handshake.auth == {"token": "1", "x": ["a", "b"]}
        assert socket.handshake.get("token") == "1"
        assert (socket.protocol, socket.conn.protocol) == (4, 3)


@pytest.mark.parametrize(
    ("packet", "answer"),
    [
        ("40/private,", '44/private,{"message":"not you"}'),
        ('40/private,{"token":0}', '44/private,{"message":"not you","data":0}'),
        ('40/private,{"token":{"c":1}}', '44/private,{"message":"not you","data":{"c":1}}'),
        ("40/nope,", '44/nope,{"message":"Invalid namespace"}'),
        ("40/adm?x=1,", '44/adm?x=1,{"message":"Invalid namespace"}'),
        ("40/ADM,", '44/ADM,{"message":"Invalid namespace"}'),
    ],
)
async def test_refusals(packet: str, answer: str, autojump_clock: MockClock) -> None:
    async with client(server(raise_errors=False)) as websocket:
        await join(websocket)
        await websocket.send(packet)
        assert await websocket.receive() == answer
        await expect_quiet(websocket)
        await websocket.send(packet)  # it may ask again
        assert await websocket.receive() == answer


async def test_middleware_that_fails(autojump_clock: MockClock) -> None:
    io = server(raise_errors=False)
    io.of("/adm").use(lambda socket: 1 / 0)
    async with client(io) as websocket:
        await websocket.send("40/adm,")
        assert await websocket.receive() == '44/adm,{"message":"Internal server error"}'


async def test_middleware_lets_in_who_knows_the_word(autojump_clock: MockClock) -> None:
    async with client(server()) as websocket:
        assert (await join(websocket, '40/private,{"token":"1"}'))["sid"]


JOINED = ["40", "401", "40/", "40/,", "40{}", "40/,{}"]


@pytest.mark.parametrize("packet", JOINED)
async def test_spellings_of_joining_the_root(packet: str, autojump_clock: MockClock) -> None:
    async with client(server()) as websocket:
        await websocket.send(packet)
        answer = await websocket.receive()
        assert isinstance(answer, str)
        assert answer.startswith('40{"sid":"')


IGNORED_ONCE_IN = [
    "40",  # it is in
    '42["connect"]',
    '42["disconnect",1]',
    '42["error",1]',
    "42",
    "425",
    '43["x"]',
    '4399["x"]',
]


@pytest.mark.parametrize("packet", IGNORED_ONCE_IN)
async def test_what_is_ignored(packet: str, autojump_clock: MockClock) -> None:
    io = server()
    heard: list[object] = []
    for name in ("error", "disconnect"):
        io.on(name, lambda socket, *args: heard.append(args))
    async with client(io) as websocket:
        await join(websocket)
        await websocket.send(packet)
        await expect_quiet(websocket)
        assert heard == []


ENDS = [
    "44",
    '44{"message":"no"}',
    "47",
    "4x",
    "4abc",
    "4",
    "40[1]",
    '40"s"',
    "40null",
    "40true",
    '40{"a":',
    '40{"a":1}x',
    "40adm",
    "42{}",
    '42"x"',
    "42[]",
    "42[null]",
    "42[true]",
    '42[["x"]]',
    '42["x"',
    '42["x"]z',
    '42["x",NaN]',
    '42-1["x"]',
    '421e3["x"]',
    '42abc["x"]',
    '42 5["x"]',
    "41{}",
    "430{}",
    "450-",
    '45["x"]',
    '4511-["x"]',
    "460-5[]",
    '42/adm,["x"]',
    "43/adm,0[]",
    "41/adm,",
    '42123456789012345678901["echo",1]',
    b"unexpected",
    "2",
]


@pytest.mark.parametrize("packet", ENDS, ids=repr)
async def test_what_ends_the_session(packet: str | bytes, autojump_clock: MockClock) -> None:
    io = server(raise_errors=False)
    ends: list[str] = []
    io.on("disconnect", lambda socket, reason: ends.append(reason))
    async with client(io) as websocket:
        await join(websocket)
        await websocket.send(packet)
        with pytest.raises(WebSocketClosed):
            await websocket.receive()
        await wait_all_tasks_blocked()
        assert ends == ["transport error" if packet == "2" else "forced close"]


@pytest.mark.parametrize("packet", ['42["x"]', "430[]", "41", '42/adm,["x"]'])
async def test_nothing_can_be_said_before_joining(packet: str, autojump_clock: MockClock) -> None:
    async with client(server(raise_errors=False)) as websocket:
        await websocket.send(packet)
        with pytest.raises(WebSocketClosed):
            await websocket.receive()


async def test_an_event_right_behind_joining_ends_nothing(autojump_clock: MockClock) -> None:
    io = server()
    async with client(io) as websocket:
        for packet in ('40/private,{"token":"1"}', '42/private,["early"]', "40/private,"):
            await websocket.send(packet)
        answer = await websocket.receive()
        assert isinstance(answer, str)
        assert answer.startswith('40/private,{"sid":')
        await join(websocket)
        await expect_quiet(websocket)


async def test_what_crosses_the_end_of_a_socket_is_ignored(autojump_clock: MockClock) -> None:
    io = server()
    async with client(io) as websocket:
        await join(websocket)
        await join(websocket, "40/adm,")
        await io.of("/adm").emit("bye")
        (socket,) = io.of("/adm").connected.values()
        await socket.disconnect()
        assert await websocket.receive() == '42/adm,["bye"]'
        assert await websocket.receive() == "41/adm,"
        for packet in ('42/adm,["late"]', "43/adm,0[]", "41/adm,"):
            await websocket.send(packet)
        await expect_quiet(websocket)
        await websocket.send("41")
        await websocket.send('42["behind its own end"]')
        assert (await join(websocket, "40/adm,"))["sid"] != socket.id


async def test_the_namespaces_that_are_remembered_are_bounded(autojump_clock: MockClock) -> None:
    io = server(raise_errors=False, max_namespaces=3)
    async with client(io) as websocket:
        await join(websocket)
        for number in range(4):
            await websocket.send(f"40/n{number},")
            await websocket.receive()
        await websocket.send('42/n3,["x"]')
        await expect_quiet(websocket)
        await websocket.send('42/n0,["x"]')
        with pytest.raises(WebSocketClosed):
            await websocket.receive()


async def test_a_client_that_has_joined_is_sent_no_errors(autojump_clock: MockClock) -> None:
    """The client would take it for the answer to its joining, and hear nothing more."""
    io = server(raise_errors=False)

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        @socket.use
        async def refuse(packet: Packet) -> None:
            if packet.event == "bad":
                raise PacketRefused("no")

    async with client(io) as websocket:
        await join(websocket)
        await websocket.send('42["bad"]')
        await expect_quiet(websocket)


async def test_a_refusal_by_a_connection_handler(autojump_clock: MockClock) -> None:
    io = server(raise_errors=False)

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        raise ConnectionRefused("not now")

    async with client(io) as websocket:
        await join(websocket)
        assert await websocket.receive() == "41"


async def test_leaving_everything_keeps_the_connection(autojump_clock: MockClock) -> None:
    io = server()
    async with client(io) as websocket:
        first = await join(websocket)
        await websocket.send('42["kick"]')
        assert await websocket.receive() == "41"
        assert (await join(websocket))["sid"] != first["sid"]


async def test_a_client_that_joins_nothing_is_closed(autojump_clock: MockClock) -> None:
    async with client(server(ping_interval=100)) as websocket:
        with pytest.raises(WebSocketClosed):
            await websocket.receive()
        assert autojump_clock.current_time() == pytest.approx(45, abs=1)


# -- clients that say EIO=4, and ping before anything else ----------------------------------------


@pytest.mark.parametrize("then", ["at once", "after the server's ping"])
async def test_who_pings_first_speaks_3(then: str, autojump_clock: MockClock) -> None:
    io = server()
    async with client(io) as websocket:
        if then != "at once":
            assert await websocket.receive() == "2"  # which such clients ignore
        await websocket.send("2")
        await websocket.send('420["echo","right behind"]')
        await websocket.send("40/adm")
        assert [await websocket.receive() for _ in range(2)] == ["40", "3"]
        answers = {await websocket.receive(), await websocket.receive()}
        assert answers == {'430[["right behind"]]', "40/adm,"}
        (socket,) = io.of("/").connected.values()
        (session,) = io.engine.sessions.values()
        assert (socket.protocol, session.protocol, socket.id) == (4, 3, session.id)
        await websocket.send('451-1["echo",{"_placeholder":true,"num":0}]')
        await websocket.send(b"\x04\x01")
        assert await websocket.receive() == '461-1[[{"_placeholder":true,"num":0}]]'
        assert await websocket.receive() == b"\x04\x01"
        for _ in range(5):  # from now on it is the client that pings
            await trio.sleep(25)
            await websocket.send("2")
            assert await websocket.receive() == "3"
        await trio.sleep(44)
        await expect_quiet(websocket)
        with pytest.raises((WebSocketClosed, trio.BrokenResourceError)):
            await websocket.receive()
        assert session.reason == "ping timeout"


@pytest.mark.parametrize("first", ["40", "40/adm,", '40{"a":1}', "3", "6", "2x", "2probe"])
async def test_what_else_comes_first_changes_nothing(first: str, autojump_clock: MockClock) -> None:
    io = server()
    async with client(io) as websocket:
        (session,) = io.engine.sessions.values()
        await websocket.send(first)
        await wait_all_tasks_blocked()
        assert session.protocol == 4
        if first.startswith("40"):
            assert str(await websocket.receive()).startswith("40")
        await websocket.send("2")  # later, or with data, it is what it always was
        with pytest.raises((WebSocketClosed, trio.BrokenResourceError)):
            await websocket.receive()
        assert session.reason == "transport error"


async def test_where_3_is_switched_off_nobody_speaks_it(autojump_clock: MockClock) -> None:
    io = server(protocols=[4])
    async with client(io) as websocket:
        (session,) = io.engine.sessions.values()
        await websocket.send("2")
        with pytest.raises((WebSocketClosed, trio.BrokenResourceError)):
            await websocket.receive()
        assert (session.protocol, session.reason) == (4, "transport error")


async def test_silence_tells_nothing(autojump_clock: MockClock) -> None:
    """A client may be slow, or have nothing to join yet."""
    io = server(connect_timeout=None)
    async with client(io) as websocket:
        for _ in range(10):
            assert await websocket.receive() == "2"
            await websocket.send("3")
        assert not io.of("/").connected
        await join(websocket)
        await expect_quiet(websocket)


@pytest.mark.parametrize("last", ["7", "", None])
async def test_the_first_word_may_be_none(last: str | None, autojump_clock: MockClock) -> None:
    io = server()
    async with client(io) as websocket:
        (session,) = io.engine.sessions.values()
        if last is None:
            await websocket.close()
        else:
            await websocket.send(last)
        await session.wait_closed()
        assert session.reason == ("transport close" if last is None else "parse error")
    assert not io.router.clients
