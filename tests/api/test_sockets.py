"""One client in a namespace: what is known of it, its rooms, its middleware, its end."""

from datetime import UTC, datetime, timedelta

import pytest
import trio

import trio_sio
from tests.support.peers import Client, peer, served
from tests.support.raw import raw
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node
HEAR = ["a", "end"]


async def numbers(client: Client) -> list[object]:
    """What a client has heard of "a" until "end"."""
    await client.hear("end")
    return [(await client.hear("a"))[0] for _ in range(client.unheard("a"))]


# -- what is known of it -------------------------------------------------------------------------


async def test_id_and_relations(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, peer() as process:
        root = await process.open(url, forceNew=False)
        (root_id,) = await root.hear("connect")
        inside = await process.open(f"{url}/chat", forceNew=False)
        (chat_id,) = await inside.hear("connect")
        assert chat_id == f"/chat#{root_id}"
        one, two = io.sockets.connected[root_id], chat.connected[chat_id]
        assert (one.id, two.id) == (root_id, chat_id)
        assert two.client is one.client
        assert two.conn is two.session is one.conn
        assert two.request is one.request
        assert two.nsp is two.namespace is chat
        assert (two.connected, two.disconnected) == (True, False)
        two.data["mine"] = 1
        assert one.data == {}
        gone = trio.Event()

        @two.on("disconnect")
        def disconnect(reason: str) -> None:
            gone.set()

        await two.disconnect()
        await inside.hear("disconnect")
        await gone.wait()
        assert (two.connected, two.disconnected) == (False, True)
        assert two.reason == "server namespace disconnect"
        assert one.reason is None


async def test_handshake(make_server: MakeServer) -> None:
    """All eight fields, and a namespace's own query over that of the connection."""
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, peer() as process:
        fields = {"polling": {"extraHeaders": {"X-Name": "größer", "Origin": "http://a"}}}
        before = datetime.now(UTC)
        query = {"a": "1", "b": "2"}
        client = await process.connect(url, query=query, forceNew=False, transportOptions=fields)
        await client.hear("upgrade")
        await process.connect(f"{url}/chat?b=3&c=x%20y", forceNew=False)
        (root,) = [one.handshake for one in io.sockets.connected.values()]
        (inside,) = [one.handshake for one in chat.connected.values()]
        assert root.headers["x-name"] == "größer"
        assert root.headers["origin"] == "http://a"
        assert before - timedelta(milliseconds=1) <= root.time <= datetime.now(UTC)
        assert root.issued == int(root.time.timestamp() * 1000)
        assert (root.address, root.secure, root.xdomain) == ("127.0.0.1", False, True)
        assert root.url.startswith("/socket.io/?")
        assert "transport=polling" in root.url
        assert root.query.items() >= {"a": "1", "b": "2", "EIO": "3"}.items()
        assert "c" not in root.query
        assert inside.query.items() >= {"b": "3", "c": "x y"}.items()
        assert inside.query["EIO"] == "3"
        assert inside.url == root.url
    async with served(io) as url, peer() as process:
        await process.connect(url, transports=["websocket"])
        (socket,) = io.sockets.connected.values()
        assert not socket.handshake.xdomain


# -- rooms ---------------------------------------------------------------------------------------


async def test_rooms(make_server: MakeServer) -> None:
    io = make_server()
    story: list[tuple[str, list[str]]] = []
    left = trio.Event()

    def note(event: str, socket: trio_sio.Socket) -> None:
        names = ["id" if room == socket.id else room for room in socket.rooms]
        story.append((event, sorted(names)))

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        note("connection", socket)
        await socket.join("b", "a")
        await socket.join("a")
        note("joined", socket)
        await socket.leave("b")
        await socket.leave("never joined")
        note("left", socket)

    io.on("disconnecting", lambda socket, reason: note("disconnecting", socket))

    @io.on("disconnect")
    async def disconnect(socket: trio_sio.Socket, reason: str) -> None:
        note("disconnect", socket)
        await socket.join("too late")
        note("after", socket)
        left.set()

    async with served(io) as url, peer() as process:
        client = await process.connect(url)
        (socket,) = io.sockets.connected.values()
        await client.close()
        await left.wait()
        assert await io.to("a", socket.id, "too late").clients() == set()
    assert story == [
        ("connection", ["id"]),
        ("joined", ["a", "b", "id"]),
        ("left", ["a", "id"]),
        ("disconnecting", ["a", "id"]),
        ("disconnect", []),
        ("after", []),
    ]


async def test_a_socket_speaks_to_others(make_server: MakeServer) -> None:
    """to, in_ and broadcast leave the sender out; every id is a room."""
    io = make_server()
    async with served(io) as url, peer() as process:
        anna, ben, carl = [await process.connect(url, hear=HEAR) for _ in range(3)]
        one, two, three = io.sockets.connected.values()
        for socket in (one, two):
            await socket.join("red")
        await one.broadcast.emit("a", 1)
        await one.to("red").emit("a", 2)
        await one.in_("red", three.id).emit("a", 3)
        await one.to(two.id).emit("a", 4)  # a private message
        await one.to(one.id).emit("a", 5)  # nobody
        await io.to(one.id).emit("a", 6)
        await one.broadcast.except_(three.id).emit("a", 7)
        await one.broadcast.to("red").compress(False).emit("a", 8)
        await one.compress(False).broadcast.emit("a", 9)
        await one.compress(False).to("red").in_("red").emit("a", 10)
        await io.emit("end")
        assert await numbers(anna) == [6]
        assert await numbers(ben) == [1, 2, 3, 4, 7, 8, 9, 10]
        assert await numbers(carl) == [1, 3, 9]


# -- middleware ----------------------------------------------------------------------------------


async def test_packet_middleware(make_server: MakeServer) -> None:
    """It changes an event or refuses it: the client hears of that as an error, with no answer."""
    io = make_server()
    seen: list[str] = []

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        @socket.use
        async def first(packet: trio_sio.Packet) -> trio_sio.Packet | None:
            seen.append(f"first {packet.event} {packet.args}")
            if packet.event == "old name":
                return trio_sio.Packet(packet.type, packet.namespace, ["new name", 7], packet.id)
            return None

        @socket.use
        def second(packet: trio_sio.Packet) -> None:
            seen.append(f"second {packet.event}")
            if packet.event == "text":
                raise trio_sio.PacketRefused("not this")
            if packet.event == "data":
                raise trio_sio.PacketRefused("not this", data={"code": 7})

        socket.on("new name", lambda *args: args)
        socket.on("text", lambda: seen.append("handled"))

    async with served(io) as url, peer() as process, raw(url) as wire:
        client = await process.connect(url)
        assert await client.call("old name", 1) == [7]
        await client.emit("text")
        assert await client.hear("error") == ["not this"]
        await client.emit("data")
        assert await client.hear("error") == [{"code": 7}]
        assert seen == [
            *("first old name [1]", "second new name"),
            *("first text []", "second text", "first data []", "second data"),
        ]
        websocket = await wire.joined()
        await websocket.send('427["text"]')
        assert await websocket.receive() == '44"not this"'
        await websocket.send("2")
        assert await websocket.receive() == "3"  # and no answer


# -- the end -------------------------------------------------------------------------------------


async def test_disconnect(make_server: MakeServer) -> None:
    io = make_server()
    admin = io.of("/admin")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        (root,), (inside,) = io.sockets.connected.values(), admin.connected.values()
        await inside.disconnect()
        await inside.disconnect()  # again: nothing
        assert await websocket.receive() == "41/admin,"
        await websocket.send("2")
        assert await websocket.receive() == "3"
        await websocket.send("40/admin,")
        assert await websocket.receive() == "40/admin,"
        await root.disconnect(close=True)
        heard = [await websocket.receive_frame() for _ in range(3)]
        assert heard == [(1, b"41"), (1, b"41/admin,"), (8, b"")]
        with pytest.raises(trio_sio.Disconnected):
            await root.emit("too late")
        with pytest.raises(trio_sio.Disconnected):
            root.emit_nowait("too late")
        with pytest.raises(trio_sio.Disconnected):
            await root.call("too late")


async def test_disconnecting_and_disconnect(make_server: MakeServer) -> None:
    """For the namespace and for the socket; the rooms are there in the first, not in the second."""
    io = make_server()
    story: list[str] = []
    over = trio.Event()

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        await socket.join("room")
        socket.on("disconnecting", lambda reason: story.append(f"own {reason} {len(socket.rooms)}"))
        socket.on("disconnect", lambda reason: over.set())

    @io.on("disconnecting")
    async def disconnecting(socket: trio_sio.Socket, reason: str) -> None:
        story.append(
            f"{reason} {len(socket.rooms)} {isinstance(reason, trio_sio.DisconnectReason)}"
        )
        await socket.to("room").emit("a", "goodbye")

    io.on("disconnect", lambda socket, reason: story.append(f"{reason} {len(socket.rooms)}"))
    async with served(io) as url, peer() as process:
        leaver, other = [await process.connect(url, hear=HEAR) for _ in range(2)]
        await leaver.close()
        assert await other.hear("a") == ["goodbye"]
        await over.wait()
        reason = "client namespace disconnect"
        assert story == [f"{reason} 2 True", f"own {reason} 2", f"{reason} 0"]


async def test_background_work_ends_with_its_socket(make_server: MakeServer) -> None:
    io = make_server()
    ended = trio.Event()

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        async def tick() -> None:
            try:
                for number in range(10**9):
                    await socket.emit("a", number)
                    await trio.sleep(0.01)
            finally:
                ended.set()

        socket.nursery.start_soon(tick)

    async with served(io) as url, peer() as process:
        client = await process.connect(url, hear=HEAR)
        assert [await client.hear("a") for _ in range(3)] == [[0], [1], [2]]
        assert not ended.is_set()
        await client.close()
        await ended.wait()
