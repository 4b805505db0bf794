"""A namespace on the wire: its names, whom it holds, what its verbs send, who comes and goes."""

from collections.abc import Callable
from typing import Any

import pytest
import trio

import trio_sio
from tests.support.peers import WEBSOCKET, peer, served
from tests.support.raw import raw
from tests.support.raw_websocket import RawWebSocket
from tests.support.servers import MakeServer

node = pytest.mark.node


def only(namespace: trio_sio.Namespace) -> trio_sio.Socket:
    (socket,) = namespace.connected.values()
    return socket


async def hears(websocket: RawWebSocket, *messages: str | bytes) -> None:
    """Assert that those come next."""
    for message in messages:
        assert await websocket.receive() == message


# -- names ---------------------------------------------------------------------------------------


async def test_names_are_compared_as_they_are_without_query_and_fragment(
    make_server: MakeServer,
) -> None:
    io = make_server()
    assert io.of("größe") is io.of("/größe")
    assert io.of("größe").name == "/größe"
    io.of("/a")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/größe,")
        await hears(websocket, "40/größe,")
        for asked in ("/A?token=1,", "/a/,", "/%61,", "/nope?a=b&c=d"):
            await websocket.send(f"40{asked}")
            name = asked.rstrip(",").partition("?")[0]
            await hears(websocket, f'44{name},"Invalid namespace"')
        await websocket.send("40/a#part,")
        await hears(websocket, "40/a,")


# -- whom it holds -------------------------------------------------------------------------------


async def test_connected_has_a_socket_from_its_first_handler_until_it_has_left(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    story: list[tuple[str, bool]] = []
    left = trio.Event()

    def note(event: str) -> Callable[..., None]:
        return lambda socket, *_: story.append((event, chat.connected.get(socket.id) is socket))

    chat.use(note("use"))
    for event in ("connect", "connection", "disconnecting", "disconnect"):
        chat.on(event, note(event))
    chat.on("disconnect", lambda socket, reason: left.set())
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        await websocket.send("41/chat,")
        await left.wait()
    assert story == [
        ("use", False),
        ("connect", True),
        ("connection", True),
        ("disconnecting", True),
        ("disconnect", False),
    ]


async def test_leaving_one_room_or_namespace_changes_what_clients_returns(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    left = trio.Event()
    chat.on("disconnect", lambda socket, reason: left.set())
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        first = only(chat)
        await wire.joined("/chat")
        second = next(one for one in chat.connected.values() if one is not first)
        await first.join("red")
        await second.join("red", "blue")
        await only_of(io, first).join("red")  # in another namespace
        assert await chat.clients() == {first.id, second.id}
        assert await chat.in_("red").clients() == {first.id, second.id}
        assert await chat.in_("blue").clients() == {second.id}
        await second.leave("red")
        assert await chat.in_("red").clients() == {first.id}
        assert await chat.in_("red").in_("blue").clients() == {first.id, second.id}
        await websocket.send("41/chat,")
        await left.wait()
        assert await chat.in_("red").clients() == set()
        assert await chat.clients() == {second.id}
        assert len(await io.clients()) == 2


def only_of(io: trio_sio.Server, other: trio_sio.Socket) -> trio_sio.Socket:
    """The socket in "/" of the same connection."""
    return io.sockets.connected[other.id.partition("#")[2]]


# -- what its verbs send -------------------------------------------------------------------------


async def test_what_it_sends_names_it(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket, outsider = await wire.joined("/chat"), await wire.joined()
        await chat.emit("a", 1, None, {"é": [True]})
        await chat.send("words")
        await chat.emit("a", b"\x01", [b"\x02\x03"])
        await hears(
            websocket,
            '42/chat,["a",1,null,{"é":[true]}]',
            '42/chat,["message","words"]',
            '452-/chat,["a",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]',
            b"\x04\x01",
            b"\x04\x02\x03",
        )
        await chat.volatile.emit("a", 2)  # everything has left, so that there is room for it
        await hears(websocket, '42/chat,["a",2]')
        await chat.local.emit("a", 3)
        await chat.compress(True).emit("a", 4)
        await chat.binary(False).emit("a", b"\x05")
        await chat.binary(True).emit("a", 6)
        await hears(
            websocket,
            '42/chat,["a",3]',
            '42/chat,["a",4]',
            '42/chat,["a",{"type":"Buffer","data":[5]}]',
            '42/chat,["a",6]',
        )
        await io.emit("end")
        await hears(outsider, '42["end"]')


async def test_a_union_of_rooms_reaches_each_once(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        people = []
        for rooms in (["red", "blue"], ["blue"], []):
            people.append(await wire.joined("/chat"))
            await [*chat.connected.values()][-1].join(*rooms)
        await chat.to("red").in_("blue").to("red").emit("a", 1)
        await chat.to("red", "red").emit("a", 2)
        await chat.emit("end")
        both, blue, neither = people
        await hears(both, '42/chat,["a",1]', '42/chat,["a",2]', '42/chat,["end"]')
        await hears(blue, '42/chat,["a",1]', '42/chat,["end"]')
        await hears(neither, '42/chat,["end"]')


async def test_a_broadcast_takes_no_acknowledgement_and_forgets_its_rooms(
    make_server: MakeServer,
) -> None:
    """In JavaScript it throws, too, and its rooms and flags are left for the next emit."""
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        targets: list[Any] = [chat, chat.to("nobody").binary(False), only(chat).broadcast]
        for target in targets:
            with pytest.raises(TypeError, match="acknowledgements are not supported"):
                await target.emit("a", ack=print)
        await chat.emit("a", b"\x01")
        await hears(websocket, '451-/chat,["a",{"_placeholder":true,"num":0}]', b"\x04\x01")


@node
async def test_the_javascript_client_hears_bytes_as_its_flag_says(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, peer() as process:
        client = await process.connect(f"{url}/chat", hear=["a", "message"], **WEBSOCKET.options)
        await chat.binary(False).emit("a", {"bytes": b"\x01\xff"})
        assert await client.hear("a") == [{"bytes": {"type": "Buffer", "data": [1, 255]}}]
        await chat.binary(True).emit("a", {"bytes": b"\x01\xff"})
        assert await client.hear("a") == [{"bytes": b"\x01\xff"}]
        await chat.send("words", b"\x02")
        assert await client.hear("message") == ["words", b"\x02"]


# -- coming and going ----------------------------------------------------------------------------


async def test_connect_comes_before_connection_and_both_after_the_packet(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    chat.on("connection", lambda socket: socket.emit_nowait("connection of", socket.id))
    chat.on("connect", lambda socket: socket.emit_nowait("connect of", socket.id))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        sid = only(io.sockets).id
        await websocket.send("40/chat,")
        await hears(
            websocket,
            "40/chat,",
            f'42/chat,["connect of","/chat#{sid}"]',
            f'42/chat,["connection of","/chat#{sid}"]',
        )


async def test_who_comes_again_has_a_new_socket_with_the_old_id(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    seen: list[trio_sio.Socket] = []
    left = trio.Event()

    @chat.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        seen.append(socket)
        socket.data["visits"] = socket.data.get("visits", 0) + 1
        await socket.emit("in the room", sorted(await chat.in_("room").clients()))
        await socket.join("room")

    chat.on("disconnect", lambda socket, reason: left.set())
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/chat?visit=1,")
        await hears(websocket, "40/chat,", '42/chat,["in the room",[]]')
        await websocket.send("41/chat,")
        await left.wait()
        await websocket.send("40/chat?visit=2,")
        await hears(websocket, "40/chat,", '42/chat,["in the room",[]]')
        first, second = seen
        assert first is not second
        assert first.id == second.id == f"/chat#{only(io.sockets).id}"
        assert [socket.handshake.query["visit"] for socket in seen] == ["1", "2"]
        assert (first.connected, second.connected) == (False, True)
        assert first.data == second.data == {"visits": 1}


async def test_who_leaves_and_comes_again_at_once_is_let_in_each_time(
    make_server: MakeServer,
) -> None:
    io = make_server()
    io.of("/chat").on("who", lambda socket: socket.id)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        for _ in range(200):  # between the steps of its leaving, at any of them
            await websocket.send("41/chat,")
            await websocket.send('42/chat,1["who"]')  # nobody is there
            await websocket.send("40/chat,")
            assert await websocket.receive() == "40/chat,"


async def test_leaving_the_root_does_not_end_other_namespaces(make_server: MakeServer) -> None:
    io = make_server()
    io.of("/late")
    io.of("/chat").on("echo", lambda socket, *args: args)
    left = trio.Event()
    io.on("disconnect", lambda socket, reason: left.set())
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        await websocket.send("41")
        await left.wait()
        assert io.sockets.connected == {}
        await websocket.send('42/chat,7["echo","still here"]')
        await hears(websocket, '43/chat,7["still here"]')
        await websocket.send("40/late,")
        await hears(websocket, "40/late,")


# -- names that it refuses -----------------------------------------------------------------------


@pytest.mark.parametrize("event", ["connect", "connection", "newListener"])
async def test_reserved_names_are_refused_whatever_the_target(
    event: str, make_server: MakeServer
) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        for target in (chat, chat.volatile, chat.local, chat.binary(False), chat.in_("room")):
            with pytest.raises(ValueError, match=f"the event name '{event}' is reserved"):
                await target.emit(event, 1)
        await chat.emit("end")
        await hears(websocket, '42/chat,["end"]')
