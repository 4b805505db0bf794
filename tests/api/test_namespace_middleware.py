"""Who may join a namespace: its middleware, what a refused client gets, who leaves meanwhile."""

import pytest
import trio

import trio_sio
from tests.support.peers import WEBSOCKET, peer, served
from tests.support.raw import raw
from tests.support.raw_websocket import RawWebSocket
from tests.support.servers import MakeServer

node = pytest.mark.node


async def hears(websocket: RawWebSocket, *messages: str | bytes) -> None:
    """Assert that those come next."""
    for message in messages:
        assert await websocket.receive() == message


class Gate:
    """Middleware that waits until it is told to go on.

    Attributes:
        asked: somebody waits.
        go: set it to let everyone in.
        story: what happened.
    """

    def __init__(self, namespace: trio_sio.Namespace) -> None:
        self.asked, self.go, self.over = trio.Event(), trio.Event(), trio.Event()
        self.story: list[str] = []
        namespace.use(self._wait)
        namespace.on("connection", lambda socket: self.story.append("connection"))
        namespace.on("disconnect", lambda socket, reason: self.story.append("disconnect"))

    async def _wait(self, socket: trio_sio.Socket) -> None:
        self.asked.set()
        try:
            await self.go.wait()
            self.story.append("let in")
        except trio.Cancelled:
            self.story.append("cancelled")
            raise
        finally:
            self.over.set()


# -- the row of them -----------------------------------------------------------------------------


async def test_each_waits_for_the_one_before(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    gate = Gate(chat)
    chat.use(lambda socket: gate.story.append("second"))

    @chat.use
    async def third(socket: trio_sio.Socket) -> None:
        await trio.lowlevel.checkpoint()
        gate.story.append("third")

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/chat,")
        await gate.asked.wait()
        await websocket.send("2")
        await hears(websocket, "3")  # the connection goes on, and is not in yet
        assert gate.story == []
        assert chat.connected == {}
        gate.go.set()
        await hears(websocket, "40/chat,")
    assert gate.story[:4] == ["let in", "second", "third", "connection"]


async def test_who_is_asked_already_is_not_asked_by_those_registered_later(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    gate = Gate(chat)
    asked: list[str] = []
    async with served(io) as url, raw(url) as wire:
        first, second = await wire.joined(), await wire.joined()
        await first.send("40/chat,")
        await gate.asked.wait()
        chat.use(lambda socket: asked.append(socket.id))
        gate.go.set()
        await hears(first, "40/chat,")
        assert asked == []
        await second.send("40/chat,")
        await hears(second, "40/chat,")
        assert asked == [[*chat.connected][-1]]


async def test_what_middleware_does_stays_and_what_it_says_comes_before_the_packet(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")

    @chat.use
    async def greet(socket: trio_sio.Socket) -> None:
        assert not socket.connected
        await socket.emit("early", 1)
        await socket.join("room")
        socket.data["name"] = "anna"

    chat.on("who", lambda socket: socket.data["name"])
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/chat,")
        await hears(websocket, '42/chat,["early",1]', "40/chat,")
        await chat.to("room").emit("a", 2)
        await hears(websocket, '42/chat,["a",2]')
        await websocket.send('42/chat,3["who"]')
        await hears(websocket, '43/chat,3["anna"]')


@node
async def test_the_javascript_client_hears_what_was_said_early(make_server: MakeServer) -> None:
    """It keeps that until it is let in, and its own words, too."""
    io = make_server()
    chat = io.of("/chat")
    gate = Gate(chat)
    chat.use(lambda socket: socket.emit_nowait("early", 1))
    chat.on("echo", lambda socket, *args: args)
    async with served(io) as url, peer() as process:
        client = await process.open(f"{url}/chat", hear=["early"], **WEBSOCKET.options)
        await gate.asked.wait()
        await client.emit("echo", "before it is in")
        gate.go.set()
        assert await client.hear("early") == [1]
        assert await client.call("echo", "after") == ["after"]


# -- refusals ------------------------------------------------------------------------------------

REFUSALS = {
    "text": (trio_sio.ConnectionRefused("m"), '"m"'),
    "object": (trio_sio.ConnectionRefused("m", data={"x": 1}), '{"x":1}'),
    "list": (trio_sio.ConnectionRefused("m", data=["x", None]), '["x",null]'),
    "zero": (trio_sio.ConnectionRefused("m", data=0), '"m"'),
    "empty": (trio_sio.ConnectionRefused(""), '""'),
    "error": (ZeroDivisionError("secret"), '"Internal server error"'),
}


@pytest.mark.parametrize("how", REFUSALS)
async def test_a_refusal_is_an_error_packet_and_one_may_try_again(
    how: str, make_server: MakeServer
) -> None:
    error, words = REFUSALS[how]
    io = make_server(raise_errors=False)
    chat = io.of("/chat")
    story: list[str] = []

    @chat.use
    async def check(socket: trio_sio.Socket) -> None:
        story.append("asked")
        if "token" not in socket.handshake.query:
            await socket.join("room")
            raise error

    chat.use(lambda socket: story.append("second"))
    chat.on("connection", lambda socket: story.append("connection"))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/chat,")
        await hears(websocket, f"44/chat,{words}")
        assert story == ["asked"]
        assert chat.connected == {}
        await websocket.send("40/chat?token=1,")
        await hears(websocket, "40/chat,")
        assert await chat.to("room").clients() == set()  # though it has the id of the first
    assert story == ["asked", "asked", "second", "connection"]


@node
async def test_the_javascript_client_hears_a_refusal_as_an_error(make_server: MakeServer) -> None:
    """And those of its other namespaces hear nothing."""
    io = make_server(raise_errors=False)
    asked = trio.Event()

    @io.of(lambda name, query: name.removeprefix("/") in REFUSALS).use
    async def refuse(socket: trio_sio.Socket) -> None:
        asked.set()
        raise REFUSALS[socket.nsp.name.removeprefix("/")][0]

    heard = {
        "text": "m",
        "object": {"x": 1},
        "list": ["x", None],
        "zero": "m",
        "empty": "",
        "error": "Internal server error",
    }
    async with served(io) as url, peer() as process:
        root = await process.connect(url, forceNew=False, **WEBSOCKET.options)
        for how, answer in heard.items():
            client = await process.open(f"{url}/{how}", forceNew=False, **WEBSOCKET.options)
            assert await client.hear("error") == [answer]
            assert client.unheard("connect") == 0
        assert asked.is_set()
        io.on("here?", lambda socket: "yes")
        assert await root.call("here?") == ["yes"]
        assert (root.unheard("error"), root.unheard("disconnect")) == (0, 0)


# -- the root's own ------------------------------------------------------------------------------


async def test_each_namespace_asks_its_own(make_server: MakeServer) -> None:
    io = make_server()
    asked: list[str] = []
    for name in ("/", "/a", "/b"):
        io.of(name).use(lambda socket: asked.append(socket.nsp.name))
    async with served(io) as url, raw(url) as wire:
        await wire.joined("/b", "/a")
    assert asked == ["/", "/b", "/a"]


async def test_who_is_refused_in_the_root_gets_in_nowhere(make_server: MakeServer) -> None:
    """The connection stays: nothing ends it but the client or its silence."""
    io = make_server()
    joined: list[str] = []
    io.of("/chat").on("connection", lambda socket: joined.append(socket.id))

    @io.use
    async def refuse(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("who are you?", data={"code": 7})

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        assert str(await websocket.receive()).startswith("0{")
        await hears(websocket, '44{"code":7}')
        await websocket.send("40/chat,")
        await websocket.send("40/nope,")
        await websocket.send("2")
        heard = [await websocket.receive() for _ in range(2)]
        assert heard == ['44/nope,"Invalid namespace"', "3"]
    assert joined == []


# -- who leaves while it is asked ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["/", "/chat"])
async def test_who_hangs_up_is_asked_no_more_and_no_handler_runs(
    name: str, make_server: MakeServer
) -> None:
    io = make_server()
    gate = Gate(io.of(name))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        assert str(await websocket.receive()).startswith("0{")
        if name != "/":
            await hears(websocket, "40")
            await websocket.send(f"40{name},")
        await gate.asked.wait()
        await websocket.stream.aclose()
        await gate.over.wait()
        gate.go.set()
        assert io.of(name).connected == {}
    assert gate.story == ["cancelled"]


async def test_to_leave_a_namespace_that_has_not_let_one_in_does_nothing(
    make_server: MakeServer,
) -> None:
    """Nor does a second request, in the middle of the first; so it is in the reference."""
    io = make_server()
    gate = Gate(io.of("/chat"))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/chat,")
        await gate.asked.wait()
        await websocket.send("41/chat,")
        await websocket.send('42/chat,["nobody hears this"]')
        await websocket.send("2")
        await hears(websocket, "3")
        gate.go.set()
        await hears(websocket, "40/chat,")
    assert gate.story[:2] == ["let in", "connection"]
