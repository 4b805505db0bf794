"""The server as its namespace "/": each verb's bytes, what may be set until when, and its end."""

from typing import Any

import pytest
import trio

import trio_sio
from tests.support.peers import QUICKLY_BACK, UPGRADING, WEBSOCKET, Kind, peer, served
from tests.support.raw import POLLING, Raw, raw
from tests.support.raw_websocket import CLOSE
from tests.support.servers import MakeServer

node = pytest.mark.node


def only(namespace: trio_sio.Namespace) -> trio_sio.Socket:
    (socket,) = namespace.connected.values()
    return socket


# -- the verbs of "/" ----------------------------------------------------------------------------


async def test_each_verb_is_that_of_the_root_byte_by_byte(make_server: MakeServer) -> None:
    """And nobody in another namespace hears of it."""
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        sid = only(io.sockets).id
        for target in (io, io.sockets):
            await target.emit("a", 1)
            await target.send("words", 2)
            await target.to(sid).to("nobody").emit("a", 3)
            await target.in_("nobody", sid).emit("a", 4)
            await target.except_(sid).emit("a", "not heard")
            await target.local.emit("a", 5)
            await target.compress(False).emit("a", 6)
            await target.binary(False).emit("a", b"\x07")
            await target.binary(True).emit("a", b"\x08")
            assert await target.clients() == await target.to(sid).clients() == {sid}
            assert await target.to("nobody").clients() == set()
            heard = [await websocket.receive() for _ in range(9)]
            assert heard == [
                '42["a",1]',
                '42["message","words",2]',
                '42["a",3]',
                '42["a",4]',
                '42["a",5]',
                '42["a",6]',
                '42["a",{"type":"Buffer","data":[7]}]',
                '451-["a",{"_placeholder":true,"num":0}]',
                b"\x04\x08",
            ]
            await chat.emit("end")
            assert await websocket.receive() == '42/chat,["end"]'


async def test_volatile_reaches_only_who_can_take_it_now(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        websocket, polling = await wire.joined(), await wire.polling()
        await io.volatile.emit("a", 1)
        assert await websocket.receive() == '42["a",1]'
        await io.emit("a", 2)
        assert await polling.get() == (200, b'9:42["a",2]')  # and nothing before


async def test_middleware_and_handlers_are_those_of_the_root(make_server: MakeServer) -> None:
    io = make_server()
    io.of("/chat")
    story: list[str] = []

    @io.use
    async def check(socket: trio_sio.Socket) -> None:
        story.append(f"use {socket.nsp.name}")

    io.on("connection", lambda socket: story.append(f"connection {socket.nsp.name}"))
    io.on("where", lambda socket, *args: (socket.nsp.name, *args))
    io.of("/").on("also", lambda socket: "here")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        await websocket.send('42/chat,1["where"]')  # nobody listens there
        await websocket.send('422["where",7]')
        assert await websocket.receive() == '432["/",7]'
        await websocket.send('423["also"]')
        assert await websocket.receive() == '433["here"]'
    assert story == ["use /", "connection /"]


# -- what may be set until serving starts --------------------------------------------------------


class Tagging(trio_sio.MemoryAdapter):
    """An adapter of the application's own: whatever is said, it says something else."""

    async def broadcast(self, packet: trio_sio.Packet, target: trio_sio.abc.Target) -> None:
        other = trio_sio.Packet(packet.type, packet.namespace, ["tagged", self.namespace.name])
        await super().broadcast(other, target)


async def test_an_adapter_is_for_namespaces_that_exist_and_for_later_ones(
    make_server: MakeServer,
) -> None:
    io = make_server()
    before = io.of("/before")
    io.adapter = Tagging
    assert io.adapter is Tagging
    after = io.of("/after")
    asked = io.of(lambda name, query: name == "/asked")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/before", "/after", "/asked")
        with pytest.raises(RuntimeError, match="adapter"):
            io.adapter = trio_sio.MemoryAdapter
        assert io.adapter is Tagging
        for namespace in (io, before, after, asked):
            await namespace.emit("a")
        heard = [await websocket.receive() for _ in range(4)]
        assert heard == [
            '42["tagged","/"]',
            '42/before,["tagged","/before"]',
            '42/after,["tagged","/after"]',
            '42/asked,["tagged","/asked"]',
        ]


async def test_a_path_that_comes_too_late_changes_nothing(make_server: MakeServer) -> None:
    io = make_server(path="/first")
    io.path = "/second"
    assert io.path == "/second"
    async with served(io) as url, raw(url) as wire:
        with pytest.raises(RuntimeError, match="path"):
            io.path = "/third"
        assert io.path == "/second"
        status = {
            path: (await wire.get(f"{path}/?EIO=3&transport=polling")).status
            for path in ("/first", "/second", "/third")
        }
        assert status == {"/first": 404, "/second": 200, "/third": 404}


async def test_serve_client_may_be_switched_off_and_on(make_server: MakeServer) -> None:
    io = make_server()
    assert io.serve_client is True
    for serve_client in (False, True):
        io.serve_client = serve_client
        assert io.serve_client is serve_client
        async with served(io) as url, raw(url) as wire:
            response = await wire.get("/socket.io/socket.io.js")
            assert (b"Socket.IO v2.5.0" in response.body) is serve_client
            with pytest.raises(RuntimeError, match="serve_client"):
                io.serve_client = not serve_client
            assert io.serve_client is serve_client


# -- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
async def test_aclose_cuts_off_every_kind_of_client(make_server: MakeServer) -> None:
    """Nobody gets a DISCONNECT packet, so that they come back."""
    io = make_server()
    async with served(io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await wire.polling()
        session: Any = only(io.sockets).session
        held = await polling.hold(nursery, session)
        websocket, idle = await wire.joined(), await wire.polling()
        await io.aclose()
        assert await held.answer() == (200, b"1:1")
        assert await websocket.receive_frame() == (CLOSE, b"")
        assert (await idle.get())[0] == 503
        assert io.sockets.connected == {}
        await nobody_gets_in(wire)


async def nobody_gets_in(wire: Raw) -> None:
    """Not while the server is closing."""
    assert (await wire.get(POLLING)).status == 503
    late = await wire.websocket()
    assert late.status.split()[1] == "503"


async def test_leaving_the_server_closes_its_clients_and_its_port(make_server: MakeServer) -> None:
    io = make_server()
    reasons: list[str] = []
    io.on("disconnect", lambda socket, reason: reasons.append(str(reason)))
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with raw(f"http://127.0.0.1:{listener.socket.getsockname()[1]}") as wire:
        async with io, trio.open_nursery() as nursery:
            await nursery.start(io.serve_listeners, [listener])
            websocket = await wire.joined()
            nursery.cancel_scope.cancel()
        assert await websocket.receive_frame() == (CLOSE, b"")
        assert reasons == ["server shutting down"]
        with pytest.raises(OSError, match="all attempts to connect"):
            await wire.connect()


@node
@pytest.mark.parametrize("kind", [UPGRADING, WEBSOCKET], ids=str)
async def test_clients_come_back_to_the_same_server_that_serves_again(
    kind: Kind, make_server: MakeServer
) -> None:
    io = make_server()
    rooms: list[int] = []
    put, joined = trio.open_memory_channel[str](2)

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        rooms.append(len(await io.to("room").clients()))
        await socket.join("room")
        put.send_nowait(socket.id)

    options: dict[str, Any] = {**QUICKLY_BACK, **kind.options}
    async with peer() as process:
        async with served(io) as url:
            client = await process.open(url, hear=["a"], **options)
            (first,) = await client.hear("connect")
            assert await joined.receive() == first
            if kind is UPGRADING:
                await client.hear("upgrade")
        assert await client.hear("disconnect") == ["transport close"]
        assert io.sockets.connected == {}
        async with served(io, int(url.rpartition(":")[2])):
            (second,) = await client.hear("connect")
            assert first != second
            assert set(io.sockets.connected) == {second}
            assert await joined.receive() == second
            await io.to("room").emit("a", 1)
            assert await client.hear("a") == [1]
    assert rooms == [0, 0]  # the first time's are not there any more
