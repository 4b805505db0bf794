"""Clients of Socket.IO 2, 3 and 4 on one port, in the same namespaces and rooms."""

from contextlib import AsyncExitStack

import pytest
import trio

import trio_sio
from tests.support.peers import MODERN, PACKAGE, Client, peer, served
from tests.support.raw import raw
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node

RELEASES = {"2.5": PACKAGE, **MODERN}
WAYS = {"upgraded": {}, "websocket": {"transports": ["websocket"]}}
WAYS["polling"] = {"transports": ["polling"]}


@pytest.fixture(params=MODERN)
def release(request: pytest.FixtureRequest) -> str:
    one: str = request.param
    return one


async def test_what_a_client_says_when_it_joins(release: str, make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, peer(MODERN[release]) as process:
        auth = {"token": "1", "n": [1, None]}
        client = await process.open(f"{url}/chat", auth=auth, query={"q": "x"})
        (sid,) = await client.hear("connect")
        socket = chat.connected[sid]
        assert socket.handshake.auth == auth
        assert socket.handshake.query["q"] == "x"
        assert (socket.protocol, socket.conn.protocol) == (5, 4)
        assert socket.id not in io.engine.sessions
        assert not io.sockets.connected  # it has not asked for "/"


async def test_a_client_of_2_says_the_same_by_its_query(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, peer() as process:
        client = await process.open(f"{url}/chat?token=1")
        (sid,) = await client.hear("connect")
        socket = chat.connected[sid]
        assert socket.handshake.auth == {"token": "1"}
        assert socket.handshake.query["token"] == "1"
        assert (socket.protocol, socket.conn.protocol) == (4, 3)
        assert sid == f"/chat#{socket.session.id}"


async def test_refusals(release: str, make_server: MakeServer) -> None:
    io = make_server()
    private = io.of("/private")

    @private.use
    async def ask(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("not you", data={"why": socket.handshake.auth})

    async with served(io) as url, peer(MODERN[release]) as process:
        client = await process.open(f"{url}/private", auth={"a": 1}, reconnection=False)
        (error,) = await client.hear("connect_error")
        assert error == "not you"
        client = await process.open(f"{url}/nowhere", reconnection=False)
        assert await client.hear("connect_error") == ["Invalid namespace"]


@pytest.mark.parametrize("way", WAYS)
async def test_everybody_is_in_one_room(way: str, make_server: MakeServer) -> None:
    """Text and bytes, volatile ones, and answers, to each release in one room."""
    io = make_server()

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        await socket.join("all")

    @io.on("say")
    async def say(socket: trio_sio.Socket, *args: object) -> str:
        await socket.to("all").emit("said", *args)
        return "ok"

    async with served(io) as url, AsyncExitStack() as stack:
        clients: list[Client] = []
        for command in RELEASES.values():
            process = await stack.enter_async_context(peer(command))
            answers: dict[str, list[object] | None] = {"ask": None}
            client = await process.connect(url, hear=["said"], answers=answers, **WAYS[way])
            if way == "upgraded":
                await client.hear("upgrade")
            clients.append(client)
        values = ["é😀", b"\x00\xff", {"a": [b"x", None]}]
        for speaker in clients:
            assert await speaker.call("say", *values) == ["ok"]
            for listener in clients:
                if listener is not speaker:
                    assert await listener.hear("said") == values
        for socket in io.sockets.connected.values():
            assert await socket.call("ask", b"\x01", 2) == (b"\x01", 2)
        assert len(io.sockets.connected) == len(RELEASES)
        await io.to("all").emit("said", "to all")
        for listener in clients:
            assert await listener.hear("said") == ["to all"]


async def test_a_server_disconnects_clients_of_each_release(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, AsyncExitStack() as stack:
        for command in RELEASES.values():
            process = await stack.enter_async_context(peer(command))
            client = await process.connect(url)
            (socket,) = io.sockets.connected.values()
            await socket.disconnect()
            (reason, *_) = await client.hear("disconnect")
            assert reason == "io server disconnect"
            await client.close()


async def test_protocols(make_server: MakeServer) -> None:
    io = make_server(protocols=[3])
    async with served(io) as url, raw(url) as wire:
        for version, status in (("3", "200"), ("4", "400"), ("5", "400")):
            answer = await wire.get(f"/socket.io/?transport=polling&EIO={version}")
            assert str(answer.status) == status
    async with served(io) as url, peer(MODERN["4.8"]) as process:
        client = await process.open(url, reconnection=False)
        await client.hear("connect_error")


# -- clients that say EIO=4 and speak 3 -----------------------------------------------------------

OLD_CPP = "/socket.io/?EIO=4&transport=websocket&t=1699999999"
"""What socket.io-client-cpp 1.4 to 1.6.1 ask for."""


def judge(request: trio_sio.Request) -> int | None:
    old = ("WebSocket++/", "websocket-sharp/")
    return 3 if request.headers.get("user-agent").startswith(old) else None


def room(make_server: MakeServer, **options: object) -> trio_sio.Server:
    io = make_server(**options)

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        await socket.emit("welcome", socket.protocol)

    @io.on("echo")
    async def echo(socket: trio_sio.Socket, *args: object) -> object:
        await socket.emit("echoed", *args)
        return "got it"

    io.of("/adm").on("echo", echo)
    return io


async def test_clients_that_say_4_and_speak_3(make_server: MakeServer) -> None:
    """Frame by frame what the C++ client 1.6.1 sends, and a 4.8 client beside it."""
    io = room(make_server, protocol_of=judge)
    async with served(io) as url, raw(url) as wire, peer(MODERN["4.8"]) as process:
        fields = {"User-Agent": "WebSocket++/0.7.0"}
        websocket = await wire.websocket(OLD_CPP, **fields)
        await websocket.send("40/adm")  # as soon as the WebSocket is open
        opening = await websocket.receive()
        assert str(opening).startswith('0{"sid":')
        assert await websocket.receive() == "40"
        assert await websocket.receive() == '42["welcome",4]'
        assert await websocket.receive() == "40/adm,"
        await websocket.send('42["echo","text"]')
        assert await websocket.receive() == '42["echoed","text"]'
        await websocket.send('42/adm,7["echo","text"]')
        assert await websocket.receive() == '42/adm,["echoed","text"]'
        assert await websocket.receive() == '43/adm,7["got it"]'
        await websocket.send('451-1["echo",{"_placeholder":true,"num":0}]')
        await websocket.send(b"\x04\x01\x02")
        assert await websocket.receive() == '451-["echoed",{"_placeholder":true,"num":0}]'
        assert await websocket.receive() == b"\x04\x01\x02"
        assert await websocket.receive() == '431["got it"]'
        await websocket.send("2")
        assert await websocket.receive() == "3"
        client = await process.connect(url, hear=["welcome"])
        assert await client.hear("welcome") == [5]
        assert {socket.protocol for socket in io.sockets.connected.values()} == {4, 5}
        await websocket.send("41")
        await websocket.send("41/adm")


async def test_a_unity_client_that_says_4_and_speaks_3(make_server: MakeServer) -> None:
    """It pings as soon as it is connected, and closes unless it gets a pong."""
    io = room(make_server, protocol_of=judge)
    async with served(io) as url, raw(url) as wire:
        target = "/socket.io/?EIO=4&transport=websocket"
        websocket = await wire.websocket(target, **{"User-Agent": "websocket-sharp/1.0"})
        await websocket.send("2")
        await websocket.send('42["echo",{"a":1}]')
        assert str(await websocket.receive()).startswith('0{"sid":')
        assert await websocket.receive() == "40"
        heard = {await websocket.receive() for _ in range(3)}
        assert heard == {'42["welcome",4]', "3", '42["echoed",{"a":1}]'}


async def test_who_pings_first_speaks_3(make_server: MakeServer) -> None:
    """Without any option: the Unity client above is recognised by its first word."""
    io = room(make_server)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket("/socket.io/?EIO=4&transport=websocket")
        await websocket.send("2")
        await websocket.send('42["echo",{"a":1}]')
        assert str(await websocket.receive()).startswith('0{"sid":')
        heard = [await websocket.receive() for _ in range(4)]
        assert sorted(map(str, heard)) == sorted(
            ["40", "3", '42["welcome",4]', '42["echoed",{"a":1}]']
        )


async def test_who_has_been_judged_is_not_judged_by_its_first_word(make_server: MakeServer) -> None:
    io = room(make_server, protocol_of=lambda request: 4)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket("/socket.io/?EIO=4&transport=websocket")
        assert str(await websocket.receive()).startswith('0{"sid":')
        (session,) = io.engine.sessions.values()
        await websocket.send("2")
        assert await websocket.receive_frame() == (8, b"")
        assert (session.protocol, session.reason) == (4, "transport error")


@pytest.mark.parametrize("way", WAYS)
async def test_no_real_client_is_taken_for_an_older_one(
    release: str, way: str, make_server: MakeServer
) -> None:
    """Also if it is the server's ping that it hears first, since it joins late."""
    io = make_server(ping_interval=0.2, ping_timeout=5)
    io.of("/chat")
    async with served(io) as url, peer(MODERN[release]) as process:
        for _ in range(3):
            client = await process.open(f"{url}/chat", hear=[], answers={}, **WAYS[way])
            await client.hear("connect")
            await trio.sleep(0.5)
            (socket,) = io.of("/chat").connected.values()
            assert (socket.protocol, socket.conn.protocol) == (5, 4)
            left = trio.Event()
            socket.on("disconnect", left.set)
            await client.close()
            await left.wait()
