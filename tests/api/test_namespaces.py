"""Namespaces: what they are, whom they reach, who may join; and those made on demand."""

import re

import pytest
import trio
import trio.lowlevel

import trio_sio
from tests.support.peers import WEBSOCKET, Client, Kind, Peer, peer, served
from tests.support.raw import raw
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node
HEAR = ["a", "message", "end"]


async def people(process: Peer, url: str, count: int, kind: Kind | None = None) -> list[Client]:
    """Clients; those of a kind that upgrades miss what is volatile now and then."""
    options = {} if kind is None else kind.options
    return [await process.connect(url, hear=HEAR, **options) for _ in range(count)]


async def numbers(client: Client) -> list[object]:
    """What a client has heard of "a" until "end"."""
    await client.hear("end")
    return [(await client.hear("a"))[0] for _ in range(client.unheard("a"))]


# -- what a namespace is -------------------------------------------------------------------------


async def test_connected(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    assert chat.name == "/chat"
    assert chat is io.of("chat") is io.of("/chat")
    assert isinstance(chat.adapter, trio_sio.MemoryAdapter)
    left = trio.Event()
    chat.on("disconnect", lambda socket, reason: left.set())
    async with served(io) as url, peer() as process:
        client = await process.open(f"{url}/chat")
        (sid,) = await client.hear("connect")
        assert sid.startswith("/chat#")
        assert {key: socket.id for key, socket in chat.connected.items()} == {sid: sid}
        assert chat.connected[sid].nsp is chat
        await client.close()
        await left.wait()
        assert chat.connected == {}
        with pytest.raises(TypeError):
            chat.connected["x"] = None  # type: ignore[index]


async def test_connect_and_connection(make_server: MakeServer) -> None:
    story: list[tuple[str, bool]] = []
    io = make_server()
    io.on("connection", lambda socket: story.append(("connection", socket.id in socket.rooms)))
    io.on("connect", lambda socket: story.append(("connect", socket.connected)))
    async with served(io) as url, peer() as process:
        await process.connect(url)
        await process.connect(url)
    assert story == [("connect", True), ("connection", True)] * 2


# -- whom it reaches -----------------------------------------------------------------------------


async def test_emit_to_rooms(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, peer() as process:
        anna, ben, carl = await people(process, f"{url}/chat", 3)
        outsider = await process.connect(url, hear=HEAR)
        one, two, three = chat.connected.values()
        await one.join("red", "blue")
        await two.join("red")
        assert await chat.clients() == {one.id, two.id, three.id}
        assert await chat.to("red").clients() == {one.id, two.id}
        assert await chat.in_("blue").to("nobody").clients() == {one.id}
        await chat.emit("a", 1)
        await chat.to("red").emit("a", 2)
        await chat.to("red").to("blue").in_("red").emit("a", 3)  # each once
        await chat.in_("blue", three.id).emit("a", 4)
        await chat.except_("red").emit("a", 5)
        await chat.to("red").except_("blue").emit("a", 6)
        await chat.to("nobody").emit("a", 7)
        await chat.emit("a", 8, to="blue", skip_sid=two.id)
        await chat.send("words", 9)
        await chat.local.to("red").emit("a", 10)
        await chat.emit("end")
        await io.emit("end")
        assert await numbers(anna) == [1, 2, 3, 4, 8, 10]
        assert await numbers(ben) == [1, 2, 3, 6, 10]
        assert await numbers(carl) == [1, 4, 5]
        assert await numbers(outsider) == []
        assert await anna.hear("message") == ["words", 9]


async def test_emit_nowait_is_in_one_order_with_emit(make_server: MakeServer) -> None:
    """For handlers and callbacks that are not async."""
    io = make_server()
    chat, parent = io.of("/chat"), io.of(re.compile("/room-.*"))

    @chat.on("say")
    def say(socket: trio_sio.Socket) -> bool:
        socket.broadcast.emit_nowait("a", "others")
        chat.to(socket.id).emit_nowait("a", "own room")
        return True

    async with served(io) as url, peer() as process:
        anna, ben = await people(process, f"{url}/chat", 2, WEBSOCKET)
        outsider = await process.connect(url, hear=HEAR)
        child = await process.connect(f"{url}/room-1", hear=HEAR)
        one, two = chat.connected.values()
        await one.join("red")
        await chat.emit("a", 1)
        chat.emit_nowait("a", 2)
        await chat.to("red").emit("a", 3)
        chat.to("red").emit_nowait("a", 4)
        chat.except_("red").emit_nowait("a", 5)
        chat.emit_nowait("a", 6, to=["red", two.id], skip_sid=one.id)
        chat.local.compress(False).emit_nowait("a", 7)
        assert await anna.call("say") == [True]
        one.volatile.broadcast.emit_nowait("a", 8)
        parent.emit_nowait("a", "children")
        for target in (io, chat, parent):
            target.emit_nowait("end")
        assert await numbers(anna) == [1, 2, 3, 4, 7, "own room"]
        assert await numbers(ben) == [1, 2, 5, 6, 7, "others", 8]
        assert await numbers(child) == ["children"]
        assert await numbers(outsider) == []


async def test_targets_are_values(make_server: MakeServer) -> None:
    """In JavaScript they are state of the namespace, which an error leaves behind."""
    io = make_server()
    async with served(io) as url, peer() as process:
        anna, ben = await people(process, url, 2)
        one, _two = io.sockets.connected
        target = io.to(one)
        with pytest.raises(TypeError, match="acknowledgements are not supported"):
            await target.emit("a", ack=print)  # type: ignore[call-overload]
        with pytest.raises(trio_sio.LocalProtocolError):
            await target.emit("a", object())
        await io.emit("a", 1)
        await target.emit("a", 2)
        await target.compress(False).emit("a", 3)
        await io.emit("end")
        assert await numbers(anna) == [1, 2, 3]
        assert await numbers(ben) == [1]


async def test_binary(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, peer() as process, raw(url) as wire:
        (anna,) = await people(process, url, 1)
        websocket = await wire.joined()
        await io.binary(False).emit("a", b"\x01")
        await io.binary(True).emit("a", b"\x02")
        await io.emit("end")
        assert await numbers(anna) == [{"type": "Buffer", "data": [1]}, b"\x02"]
        assert await websocket.receive() == '42["a",{"type":"Buffer","data":[1]}]'
        assert await websocket.receive() == '451-["a",{"_placeholder":true,"num":0}]'


@pytest.mark.parametrize("event", ["connect", "connection", "disconnect", "error", "newListener"])
async def test_reserved_names_are_refused(event: str, make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        for target in (io, io.of("/chat"), io.to("room")):
            with pytest.raises(ValueError, match=f"the event name '{event}' is reserved"):
                await target.emit(event)
        await io.emit("end")
        assert await websocket.receive() == '42["end"]'  # and nothing before


# -- who may join --------------------------------------------------------------------------------


async def test_middleware_runs_in_order_until_one_refuses(make_server: MakeServer) -> None:
    io = make_server(raise_errors=False)
    chat = io.of("/chat")
    story: list[str] = []

    @chat.use
    async def first(socket: trio_sio.Socket) -> None:
        story.append("first")
        socket.data["seen"] = True
        assert not socket.connected

    @chat.use
    def second(socket: trio_sio.Socket) -> None:
        assert socket.data["seen"]
        how = socket.handshake.query.get("how")
        story.append(f"second {how}")
        if how == "text":
            raise trio_sio.ConnectionRefused("a text")
        if how == "data":
            raise trio_sio.ConnectionRefused("a text", data={"code": 7})
        if how == "falsy":
            raise trio_sio.ConnectionRefused("a text", data={})
        if how == "error":
            raise ZeroDivisionError

    chat.on("connection", lambda socket: story.append("in"))
    answers = {
        "text": "a text",
        "data": {"code": 7},
        "falsy": "a text",
        "error": "Internal server error",
    }
    async with served(io) as url, peer() as process:
        root = await process.connect(url, hear=["end"], forceNew=False)
        for how, answer in answers.items():
            client = await process.open(f"{url}/chat?how={how}")
            assert await client.hear("error") == [answer]
            assert story == ["first", f"second {how}"]
            story.clear()
        await process.connect(f"{url}/chat")
        assert story == ["first", "second None", "in"]
        await io.emit("end")
        await root.hear("end")  # its connection has heard of nothing


async def test_middleware_ends_when_the_client_leaves(make_server: MakeServer) -> None:
    io = make_server()
    story: list[str] = []
    begun, over = trio.Event(), trio.Event()

    @io.use
    async def wait(socket: trio_sio.Socket) -> None:
        story.append("begun")
        begun.set()
        try:
            await trio.sleep_forever()
        finally:
            story.append("cancelled")
            over.set()

    io.on("connection", lambda socket: story.append("in"))
    io.on("disconnect", lambda socket, reason: story.append("out"))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        assert str(await websocket.receive()).startswith("0{")
        await begun.wait()
        await websocket.stream.aclose()
        await over.wait()
    assert story == ["begun", "cancelled"]


# -- namespaces on demand ------------------------------------------------------------------------


async def test_by_pattern(make_server: MakeServer) -> None:
    io = make_server()
    teams = io.of(re.compile(r"/team-\d+"))
    joined: list[str] = []
    teams.on("connection", lambda socket: joined.append(socket.nsp.name))
    async with served(io) as url, peer() as process:
        for name in ("/x/team-1", "/team-", "/team-1x"):
            client = await process.open(url + name)
            assert await client.hear("error") == ["Invalid namespace"]
        for name in ("/team-1", "/team-22"):
            await process.connect(url + name)
        assert set(teams.children) == {"/team-1", "/team-22"}
        assert joined == ["/team-1", "/team-22"]
        assert io.of("/team-1") is teams.children["/team-1"]


@pytest.mark.parametrize("is_async", [True, False])
async def test_by_function(is_async: bool, make_server: MakeServer) -> None:
    io = make_server()
    asked: list[tuple[str, object]] = []

    def now(name: str, query: dict[str, str | list[str]]) -> bool:
        asked.append((name, query.get("token")))
        return query.get("token") == "s3cret"

    async def later(name: str, query: dict[str, str | list[str]]) -> bool:
        await trio.lowlevel.checkpoint()
        return now(name, query)

    io.of(later if is_async else now).on("who", lambda socket: socket.id)
    io.of(lambda name, query: name == "/open").on("who", lambda socket: "second")
    async with served(io) as url, peer() as process:
        refused = await process.open(f"{url}/tenant?token=wrong")
        assert await refused.hear("error") == ["Invalid namespace"]
        client = await process.connect(f"{url}/tenant?token=s3cret")
        assert (await client.call("who"))[0].startswith("/tenant#")
        second = await process.connect(f"{url}/open")
        assert await second.call("who") == ["second"]
    assert asked == [("/tenant", "wrong"), ("/tenant", "s3cret"), ("/open", None)]


async def test_the_parent_speaks_to_all_children(make_server: MakeServer) -> None:
    io = make_server()
    teams = io.of(re.compile(r"/team-\d+"))
    async with served(io) as url, peer() as process:
        one = await process.connect(f"{url}/team-1", hear=HEAR, **WEBSOCKET.options)
        teams.use(lambda socket: socket.data.update(late=True))  # for who comes from now on
        teams.on("late?", lambda socket: socket.data.get("late", False))
        two = await process.connect(f"{url}/team-2", hear=HEAR, **WEBSOCKET.options)
        other = await process.connect(f"{url}/team-2", hear=HEAR, **WEBSOCKET.options)
        outsider = await process.connect(url, hear=HEAR, **WEBSOCKET.options)
        assert await one.call("late?") == [False]
        assert await two.call("late?") == [True]
        first, second = list(teams.children["/team-2"].connected)
        await teams.children["/team-2"].connected[first].join("room")
        assert await teams.clients() == {*teams.children["/team-1"].connected, first, second}
        assert await teams.to("room").clients() == {first}
        await teams.emit("a", 1)
        await teams.to("room").emit("a", 2)
        await teams.volatile.except_("room").emit("a", 3)
        await teams.send("words")
        await teams.emit("end")
        await io.emit("end")
        assert await numbers(one) == [1, 3]
        assert await numbers(two) == [1, 2]
        assert await numbers(other) == [1, 3]
        assert await numbers(outsider) == []
        assert await one.hear("message") == ["words"]


async def test_a_namespace_that_comes_after_its_clients(make_server: MakeServer) -> None:
    """They ask for it while "/" has not let them in; by then it is there."""
    io = make_server()
    go = trio.Event()

    @io.use
    async def wait(socket: trio_sio.Socket) -> None:
        await go.wait()

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        assert str(await websocket.receive()).startswith("0{")
        await websocket.send("40/early?x=1,")
        await websocket.send("40/late,")
        assert await websocket.receive() == '44/early,"Invalid namespace"'
        assert await websocket.receive() == '44/late,"Invalid namespace"'
        late = io.of("/late")
        late.on("connection", lambda socket: socket.emit_nowait("hi", socket.handshake.query["x"]))
        await websocket.send("40/late?x=1,")
        go.set()
        heard = [await websocket.receive() for _ in range(3)]
        assert heard == ["40", "40/late,", '42/late,["hi","1"]']


# -- several over one connection -----------------------------------------------------------------


async def test_joining_and_leaving_on_the_wire(make_server: MakeServer) -> None:
    io = make_server()
    admin = io.of("/admin")
    admin.on("who", lambda socket: [socket.id, socket.handshake.query.get("token")])
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (sid,) = io.sockets.connected
        await websocket.send("40/admin?token=a%20b")
        assert await websocket.receive() == "40/admin,"
        await websocket.send('42/admin,7["who"]')
        assert await websocket.receive() == f'43/admin,7[["/admin#{sid}","a b"]]'
        await websocket.send("40/admin,")  # joined already: nothing happens
        await websocket.send("41/admin,")
        await websocket.send('42/admin,8["who"]')  # it has left: nobody answers
        await websocket.send("40/admin,")
        assert await websocket.receive() == "40/admin,"
        await websocket.send('42/admin,9["who"]')
        assert await websocket.receive() == f'43/admin,9[["/admin#{sid}",null]]'


async def test_a_client_and_its_sockets(make_server: MakeServer) -> None:
    io = make_server()
    io.of("/admin")
    async with served(io) as url, peer() as process:
        fields = {"polling": {"extraHeaders": {"X-Name": "anna"}}}
        root = await process.connect(f"{url}?a=1", forceNew=False, transportOptions=fields)
        await root.hear("upgrade")
        await process.connect(f"{url}/admin", forceNew=False)
        (client,) = io.router.clients
        (socket,) = io.sockets.connected.values()
        assert socket.client is client
        assert client.id == client.conn.id == socket.id
        assert list(client.sockets) == ["/", "/admin"]
        assert client.sockets["/"] is socket
        assert client.sockets["/admin"].client is client
        assert client.conn is client.session is socket.conn
        assert client.request is socket.request
        assert client.request.headers["x-name"] == "anna"
        assert "transport=polling" in client.request.target  # it has upgraded since
        assert "a=1" in client.request.target
