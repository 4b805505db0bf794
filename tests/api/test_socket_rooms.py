"""The rooms of a socket, whom it speaks to, and how it leaves."""

import pytest
import trio

import trio_sio
from tests.support.peers import Client, peer, served
from tests.support.raw import raw
from tests.support.raw_websocket import CLOSE, TEXT, RawWebSocket
from tests.support.servers import MakeServer

node = pytest.mark.node
LEFT = "server namespace disconnect"
GONE = "client namespace disconnect"


def only(namespace: trio_sio.Namespace) -> trio_sio.Socket:
    (socket,) = namespace.connected.values()
    return socket


async def until_end(client: Client) -> list[list[object]]:
    """What a client has heard of "a" before "end"."""
    await client.hear("end")
    return [await client.hear("a") for _ in range(client.unheard("a"))]


# -- rooms ---------------------------------------------------------------------------------------


async def test_its_own_id_is_its_first_room(make_server: MakeServer) -> None:
    """Everywhere, and before the client knows that it is in."""
    io = make_server()
    story: list[tuple[str, bool]] = []

    @io.on("connection")
    @io.of("/chat").on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        story.append((socket.nsp.name, socket.rooms == {socket.id}))
        await socket.nsp.to(socket.id).emit("a", "private")

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        assert await websocket.receive() == '42["a","private"]'
        await websocket.send("40/chat,")
        assert await websocket.receive() == "40/chat,"
        assert await websocket.receive() == '42/chat,["a","private"]'
    assert story == [("/", True), ("/chat", True)]


async def test_join_and_leave_hold_when_they_return(make_server: MakeServer) -> None:
    io = make_server()

    @io.on("go")
    async def go(socket: trio_sio.Socket) -> list[list[str]]:
        story = []

        async def look(word: str) -> None:
            story.append([word, *sorted(socket.rooms - {socket.id})])
            await io.emit("now", word)
            for room in ("red", "blue", "green"):
                await io.to(room).emit("a", room)

        await look("none")
        await socket.join("red")
        await look("one")
        await socket.join("blue", "green", "red")  # one of them again
        await look("many")
        await socket.leave("red")
        await socket.leave("red")  # it is not there any more
        await socket.leave("never joined")
        await look("left")
        await socket.join()
        assert socket.id in socket.rooms
        return story

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send('427["go"]')
        expected = ['"now","none"', '"now","one"', '"a","red"', '"now","many"', '"a","red"']
        expected += ['"a","blue"', '"a","green"', '"now","left"', '"a","blue"', '"a","green"']
        for words in expected:
            assert await websocket.receive() == f"42[{words}]"
        story = '["none"],["one","red"],["many","blue","green","red"],["left","blue","green"]'
        assert await websocket.receive() == f"437[[{story}]]"


async def test_rooms_joined_in_middleware_stay(make_server: MakeServer) -> None:
    io = make_server()

    @io.use
    async def check(socket: trio_sio.Socket) -> None:
        await socket.join("members")
        with pytest.raises(TypeError, match="a room name must be a str"):
            await socket.join(["a", "list"])  # type: ignore[arg-type]

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        assert only(io.sockets).rooms == {"members", only(io.sockets).id}
        await io.to("members").emit("a")
        assert await websocket.receive() == '42["a"]'


@node
async def test_rooms_are_left_at_the_end(make_server: MakeServer) -> None:
    """They are there in "disconnecting"; afterwards nobody can come back to them."""
    io = make_server()
    story: list[tuple[object, ...]] = []
    over = trio.Event()

    def note(event: str, socket: trio_sio.Socket, *args: object) -> None:
        rooms = sorted("id" if room == socket.id else room for room in socket.rooms)
        story.append((event, " ".join(rooms), *args))

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        await socket.join("red", "blue")
        for event in ("disconnecting", "disconnect"):
            socket.on(event, lambda *args, event=event: note(f"own {event}", socket, *args))

    @io.on("disconnecting")
    async def disconnecting(socket: trio_sio.Socket, *args: object) -> None:
        note("disconnecting", socket, *args)
        await socket.to("red").emit("a", "goodbye")

    @io.on("disconnect")
    async def disconnect(socket: trio_sio.Socket, *args: object) -> None:
        note("disconnect", socket, *args)
        await socket.join("red")
        await socket.leave("blue")

    async with served(io) as url, peer() as process:
        leaver, other = [await process.connect(url, hear=["a"]) for _ in range(2)]
        id_, stays = io.sockets.connected
        only_left = io.sockets.connected[id_]
        only_left.on("disconnect", lambda reason: over.set())
        assert await io.to("red").clients() == await io.to("blue").clients() == {id_, stays}
        await leaver.close()
        assert await other.hear("a") == ["goodbye"]
        await over.wait()
        assert await io.to("red", id_).clients() == {stays}
        assert only_left.rooms == frozenset()
    assert story[:4] == [
        ("disconnecting", "blue id red", GONE),
        ("own disconnecting", "blue id red", GONE),
        ("disconnect", "", GONE),
        ("own disconnect", "", GONE),
    ]


# -- whom it speaks to ---------------------------------------------------------------------------


@node
async def test_to_in_and_broadcast_leave_the_sender_out(make_server: MakeServer) -> None:
    io = make_server()

    @io.on("speak")
    async def speak(socket: trio_sio.Socket) -> None:
        await socket.broadcast.emit("a", "all others")
        await socket.to("red").emit("a", "red")
        await socket.in_("red").in_("blue").to("red").emit("a", "red or blue", b"once")
        await socket.to("red", "blue").send("message to both")
        await socket.to("nobody there").emit("a", "lost")
        await socket.broadcast.to("blue").emit("a", "blue")
        await io.to("red").emit("a", "red, the sender among them")
        await io.emit("end")

    async with served(io) as url, peer() as process:
        clients = [await process.connect(url, hear=["a", "message", "end"]) for _ in range(4)]
        speaker, red, both, none = clients
        for socket, rooms in zip(
            io.sockets.connected.values(), (["red"], ["red"], ["red", "blue"], []), strict=True
        ):
            await socket.join(*rooms)
        await speaker.emit("speak")
        others, union = ["all others"], ["red or blue", b"once"]
        last = ["red, the sender among them"]
        assert await until_end(speaker) == [last]
        assert await until_end(red) == [others, ["red"], union, last]
        assert await until_end(both) == [others, ["red"], union, ["blue"], last]
        assert await until_end(none) == [others]
        assert [client.unheard("message") for client in clients] == [0, 1, 1, 0]


async def test_rooms_of_one_namespace_are_not_those_of_another(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        one, two = await wire.joined("/chat"), await wire.joined("/chat")
        for namespace in (io.sockets, chat):
            for socket in namespace.connected.values():
                await socket.join("red")
        first = next(iter(chat.connected.values()))
        await first.to("red").emit("a", 1)
        await first.broadcast.emit("a", 2)
        assert [await two.receive() for _ in range(2)] == ['42/chat,["a",1]', '42/chat,["a",2]']
        await io.emit("end")
        assert await one.receive() == await two.receive() == '42["end"]'


@node
async def test_a_private_message_goes_to_the_room_of_an_id(make_server: MakeServer) -> None:
    io = make_server()

    @io.on("private")
    @io.of("/chat").on("private")
    async def private(socket: trio_sio.Socket, to: str, text: str) -> None:
        await socket.to(to).emit("a", socket.id, text)
        await socket.nsp.to(socket.id).emit("a", "copy")  # by io.to it may be oneself
        await socket.nsp.emit("end")

    async with served(io) as url, peer() as process:
        for address in (url, f"{url}/chat"):
            clients = [await process.open(address, hear=["a", "end"]) for _ in range(3)]
            ids = [(await client.hear("connect"))[0] for client in clients]
            anna, ben, carl = clients
            await anna.emit("private", ids[1], "psst")
            assert await until_end(anna) == [["copy"]]
            assert await until_end(ben) == [[ids[0], "psst"]]
            assert await until_end(carl) == []
            await carl.emit("private", ids[2], "to oneself")
            assert await until_end(carl) == [["copy"]]


# -- disconnect ----------------------------------------------------------------------------------


async def says(websocket: RawWebSocket, event: str, answer: str) -> None:
    """Emit; the answer is the next thing to come."""
    await websocket.send(event)
    assert await websocket.receive() == answer


@pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
async def test_disconnect_leaves_one_namespace_or_closes(make_server: MakeServer) -> None:
    io = make_server()
    io.on("here?", lambda _socket: "yes")
    namespaces = [io.sockets, io.of("/admin"), io.of("/chat")]
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin", "/chat")
        root, admin, chat = (only(namespace) for namespace in namespaces)
        await admin.disconnect()
        await admin.disconnect()  # it has left already
        assert await websocket.receive() == "41/admin,"
        await websocket.send('42/admin,1["here?"]')  # nobody there
        await says(websocket, '421["here?"]', '431["yes"]')  # the others stay
        await chat.disconnect(True)
        frames = [await websocket.receive_frame() for _ in range(3)]
        assert frames == [(TEXT, b"41"), (TEXT, b"41/chat,"), (CLOSE, b"")]
        for leaver in (root, admin, chat):
            assert leaver.reason == LEFT
            for emit in (leaver.emit, leaver.call, leaver.send):
                with pytest.raises(trio_sio.Disconnected, match=LEFT):
                    await emit("too late")
            with pytest.raises(trio_sio.Disconnected, match=LEFT):
                leaver.emit_nowait("too late")


async def test_to_disconnect_who_has_left_does_nothing(make_server: MakeServer) -> None:
    io = make_server()
    io.on("here?", lambda _socket: "yes")
    admin = io.of("/admin")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        leaver = only(admin)
        await leaver.disconnect()
        assert await websocket.receive() == "41/admin,"
        await leaver.disconnect(True)
        await says(websocket, '421["here?"]', '431["yes"]')


async def test_middleware_may_close_the_whole_connection(make_server: MakeServer) -> None:
    """In the reference it does nothing there, and the client is let in."""
    io = make_server()
    io.of("/admin").use(lambda socket: socket.disconnect(True))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/admin,")
        assert await websocket.receive() == "41"
        assert await websocket.receive_frame() == (8, b"")
        assert io.of("/admin").connected == {}


@node
async def test_disconnect_sends_the_javascript_client_away(make_server: MakeServer) -> None:
    io = make_server()
    io.of("/chat")
    async with served(io) as url, peer() as process:
        together = {"forceNew": False, "reconnectionDelay": 10}
        root = await process.connect(url, **together)
        chat = await process.connect(f"{url}/chat", **together)
        await only(io.of("/chat")).disconnect()
        assert await chat.hear("disconnect") == ["io server disconnect"]
        assert root.unheard("disconnect") == 0
        await chat.order("connect")
        await chat.hear("connect")
        await only(io.sockets).disconnect(True)
        for client in (root, chat):
            assert await client.hear("disconnect") == ["io server disconnect"]
        assert root.unheard("reconnecting") == chat.unheard("reconnecting") == 0
