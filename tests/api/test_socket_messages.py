"""What a socket says and hears: events, answers, handlers, errors."""

import pytest
import trio

import trio_sio
from tests.support.peers import WEBSOCKET, peer, served
from tests.support.raw import raw
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node
HEAR = ["a", "message", "end"]


async def only(io: trio_sio.Server) -> trio_sio.Socket:
    (socket,) = io.sockets.connected.values()
    return socket


# -- sending -------------------------------------------------------------------------------------


async def test_emit_and_send(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, peer() as process:
        client = await process.connect(url, hear=HEAR)
        socket = await only(io)
        await socket.emit("a")
        await socket.emit("a", None, True, 1, 0.5, "é\U0001f600", [b"\x00"], {"x": {"y": b""}})
        socket.emit_nowait("a", "now")
        await socket.send("words", 2)
        await socket.binary(False).emit("a", b"\x01")
        await socket.compress(True).emit("end")
        assert await client.hear("end") == []
        heard = [await client.hear("a") for _ in range(4)]
        assert heard == [
            [],
            [None, True, 1, 0.5, "é\U0001f600", [b"\x00"], {"x": {"y": b""}}],
            ["now"],
            [{"type": "Buffer", "data": [1]}],
        ]
        assert await client.hear("message") == ["words", 2]


async def test_emit_with_an_acknowledgement(make_server: MakeServer) -> None:
    io = make_server()
    answered: list[object] = []
    done = trio.Event()

    async def take(*args: object) -> None:
        answered.append(args)
        done.set()

    async with served(io) as url, peer() as process:
        await process.connect(url, answers={"a": [1, b"2"]})
        await (await only(io)).emit("a", "x", ack=take)
        await done.wait()
        assert answered == [(1, b"2")]


async def test_call(make_server: MakeServer) -> None:
    io = make_server()
    answers: dict[str, list[object] | None] = {
        "none": [],
        "one": [{"x": b"1"}],
        "two": [1, [2]],
        "back": None,
    }
    async with served(io) as url, peer() as process:
        client = await process.connect(url, answers=answers, hear=["silent"])
        socket = await only(io)
        assert await socket.call("none") is None
        assert await socket.call("one") == {"x": b"1"}
        assert await socket.call("two") == (1, [2])
        assert await socket.call("back", "x", b"y") == ("x", b"y")
        with pytest.raises(trio.TooSlowError):
            await socket.call("silent", timeout=0.1)

        async def ask() -> None:
            with pytest.raises(trio_sio.Disconnected) as gone:
                await socket.call("silent", timeout=None)
            assert gone.value.reason == "client namespace disconnect"

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await client.hear("silent")
            await client.hear("silent")
            await client.close()


async def test_ids_are_shared_by_a_namespace(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        first, second = await wire.joined(), await wire.joined()
        one, two = io.sockets.connected.values()
        nursery.start_soon(one.call, "q")
        assert await first.receive() == '420["q"]'
        nursery.start_soon(two.call, "q")
        assert await second.receive() == '421["q"]'
        await first.send("431[]")  # of another's call: nobody is meant
        await first.send("430[]")
        await second.send("431[]")


@pytest.mark.parametrize(
    "event",
    ["connect", "disconnect", "disconnecting", "error", "newListener", "removeListener"],
)
async def test_reserved_names(event: str, make_server: MakeServer) -> None:
    """Refused when we emit them, ignored when a client does."""
    io = make_server()
    heard: list[object] = []
    io.on("connection", lambda socket: socket.on(event, heard.append))
    io.on("fine", lambda _socket: "fine")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send(f'420["{event}","x"]')
        await websocket.send('421["fine"]')
        assert await websocket.receive() == '431["fine"]'
        assert heard == []
        socket = await only(io)
        for emit in (socket.emit, socket.call, socket.volatile.emit):
            with pytest.raises(ValueError, match=f"the event name '{event}' is reserved"):
                await emit(event)


# -- hearing -------------------------------------------------------------------------------------


async def test_what_a_handler_returns_is_the_answer(make_server: MakeServer) -> None:
    io = make_server()

    @io.on("sum")
    async def add(socket: trio_sio.Socket, *args: int) -> int:
        return sum(args)

    io.on("nothing", lambda socket: None)
    io.on("several", lambda socket: (1, {"x": b"2"}))
    io.on("a list", lambda socket: [1, 2])

    @io.on("early", ack=True)
    async def early(socket: trio_sio.Socket, answer: object) -> str:
        assert callable(answer)
        answer("before", "the end")
        answer("only the first counts")
        return "this is none"

    async with served(io) as url, peer() as process:
        client = await process.connect(url)
        assert await client.call("sum", 1, 2, 3) == [6]
        assert await client.call("nothing") == []
        assert await client.call("several") == [1, {"x": b"2"}]
        assert await client.call("a list") == [[1, 2]]
        assert await client.call("early") == ["before", "the end"]


async def test_listeners(make_server: MakeServer) -> None:
    io = make_server()
    heard: list[str] = []

    def second(word: str) -> None:
        heard.append(f"second {word}")

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        socket.on("a", lambda word: heard.append(f"first {word}"))
        socket.on("a", second)
        socket.once("a", lambda word: heard.append(f"once {word}"))

        @socket.event
        async def named(word: str) -> str:
            return f"named {word}"

        @socket.on("stop")
        def stop(how: str) -> list[str]:
            if how == "one":
                socket.remove_listener("a", second)
            else:
                socket.remove_all_listeners("a" if how == "event" else None)
            return socket.event_names()

    io.on("a", lambda _socket, word: heard.append(f"all {word}"))
    async with served(io) as url, peer() as process:
        client = await process.connect(url)
        await client.emit("a", 1)
        assert await client.call("named", "x") == ["named x"]
        assert heard == ["all 1", "first 1", "second 1", "once 1"]
        heard.clear()
        assert await client.call("stop", "one") == [["a", "named", "stop"]]
        await client.emit("a", 2)
        assert await client.call("stop", "event") == [["named", "stop"]]
        assert heard == ["all 2", "first 2"]
        await client.emit("a", 3)
        assert await client.call("stop", "everything") == [[]]
        assert heard[-1] == "all 3"


async def test_a_message_is_an_event(make_server: MakeServer) -> None:
    io = make_server()
    io.on("message", lambda socket, *args: args)
    async with served(io) as url, peer() as process:
        client = await process.connect(url)
        assert await client.call("message", "send() of the client", b"1") == [
            "send() of the client",
            b"1",
        ]


async def test_events_are_handled_in_their_order(make_server: MakeServer) -> None:
    io = make_server()
    heard: list[int] = []

    @io.on("a")
    async def handle(socket: trio_sio.Socket, number: int) -> None:
        await trio.sleep(0.01 if number % 2 else 0)
        heard.append(number)

    async with served(io) as url, peer() as process:
        client = await process.connect(url, **WEBSOCKET.options)
        for number in range(6):
            await client.emit("a", number)
        await client.emit("a", 6)
        while len(heard) < 7:  # noqa: ASYNC110 - they are handled one after the other
            await trio.sleep(0.005)
        assert heard == [0, 1, 2, 3, 4, 5, 6]


# -- errors --------------------------------------------------------------------------------------


async def test_error_handlers(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """Of a handler that fails, of what a client reports, of a packet that is none."""
    io = make_server(raise_errors=False)
    told: list[str] = []

    def fail(socket: trio_sio.Socket) -> None:
        raise ZeroDivisionError("mine")

    io.on("fail", fail)
    io.on("here?", lambda _socket: "yes")
    io.on("error", lambda socket, error: told.append(f"all: {error}"))
    io.on("connection", lambda socket: socket.on("error", lambda error: told.append(str(error))))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send('42["fail"]')
        await websocket.send('44"the client says so"')
        await websocket.send('421["here?"]')
        assert await websocket.receive() == '431["yes"]'
        assert told == ["all: mine", "mine", "all: the client says so", "the client says so"]
        assert caplog.text.count("ZeroDivisionError: mine") == 1
        told.clear()
        await websocket.send("42not JSON")
        assert await websocket.receive_frame() == (8, b"")
        while len(told) < 2:  # noqa: ASYNC110 - the handlers run now
            await trio.sleep(0.005)
        assert told[0].startswith("all: invalid payload")
        assert told[1].startswith("invalid payload")
