"""What a socket hears: events and what answers them, reserved names, errors."""

from collections.abc import Callable

import pytest
import trio

import trio_sio
from tests.support.peers import peer, served
from tests.support.raw import raw
from tests.support.raw_websocket import CLOSE, RawWebSocket, frame
from tests.support.servers import MakeServer

node = pytest.mark.node
Answer = Callable[..., None]
PLACEHOLDER = '{"_placeholder":true,"num":0}'
RESERVED = ["connect", "disconnect", "disconnecting", "error", "newListener", "removeListener"]


def only(namespace: trio_sio.Namespace) -> trio_sio.Socket:
    (socket,) = namespace.connected.values()
    return socket


def answering(make_server: MakeServer, **options: object) -> trio_sio.Server:
    """A server that answers "end": when that is there, everything before it is done."""
    io = make_server(**options)
    io.on("end", lambda _socket: None)
    return io


async def says(websocket: RawWebSocket, *messages: str | bytes) -> None:
    """Say something, and wait until the server has handled it without a word."""
    for message in (*messages, '4299["end"]'):
        await websocket.send(message)
    assert await websocket.receive() == "4399[]"


# -- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (None, ["437[]"]),
        ((), ["437[]"]),
        (0, ["437[0]"]),
        (False, ["437[false]"]),
        ((1, "two", None), ['437[1,"two",null]']),
        ([1, 2], ["437[[1,2]]"]),
        ({"a": 1}, ['437[{"a":1}]']),
        (b"\x01", [f"461-7[{PLACEHOLDER}]", b"\x04\x01"]),
        ((b"\x01", 2), [f"461-7[{PLACEHOLDER},2]", b"\x04\x01"]),
    ],
)
async def test_what_a_handler_returns_is_the_answer(
    result: object, answer: list[str | bytes], make_server: MakeServer
) -> None:
    io = answering(make_server)

    @io.on("a")
    async def handle(socket: trio_sio.Socket, *args: trio_sio.JSON) -> object:
        return result

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await says(websocket, '42["a"]', '428["nobody hears this"]')  # neither is answered
        await websocket.send('427["a",1]')
        assert [await websocket.receive() for _ in answer] == answer


async def test_an_answer_before_the_end_and_behind_it(make_server: MakeServer) -> None:
    """With ack=True the last argument answers: once, and even when the socket has left."""
    io = answering(make_server)
    go_on = trio.Event()
    kept: list[Answer] = []

    @io.on("a", ack=True)
    async def handle(socket: trio_sio.Socket, word: str, answer: Answer) -> str:
        answer(word, b"\x01")
        answer("only the first counts")
        await go_on.wait()
        await socket.emit("goes on")
        return "this is none"

    io.of("/chat").on("keep", lambda _socket, answer: kept.append(answer), ack=True)
    io.of("/chat").on("end", lambda _socket: None)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        await websocket.send('427["a","early"]')
        assert await websocket.receive() == f'461-7["early",{PLACEHOLDER}]'
        assert await websocket.receive() == b"\x04\x01"
        go_on.set()
        assert await websocket.receive() == '42["goes on"]'
        for message in ('42/chat,["keep"]', '42/chat,8["keep"]', '42/chat,9["end"]'):
            await websocket.send(message)
        assert await websocket.receive() == "43/chat,9[]"
        kept[0]("nobody asked")
        await only(io.of("/chat")).disconnect()
        assert await websocket.receive() == "41/chat,"
        kept[1]("late")
        assert await websocket.receive() == '43/chat,8["late"]'


# -- listeners -----------------------------------------------------------------------------------


@node
async def test_listeners_hear_in_the_order_of_their_registration(make_server: MakeServer) -> None:
    io = make_server()
    heard: list[str] = []

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        @socket.on("a")
        async def first(word: str) -> None:
            await trio.lowlevel.checkpoint()  # the next has to wait
            heard.append(f"first {word}")

        socket.once("a", lambda word: heard.append(f"once {word}"))
        socket.on("a", lambda word: heard.append(f"last {word}"))
        socket.on("a", lambda word: f"answer to {word}")

    async with served(io) as url, peer() as process:
        anna, ben = [await process.connect(url) for _ in range(2)]
        assert await anna.call("a", "1") == ["answer to 1"]
        assert await anna.call("a", "2") == ["answer to 2"]
        assert await ben.call("a", "3") == ["answer to 3"]
    one, two, three = ([line for line in heard if line.endswith(end)] for end in ("1", "2", "3"))
    assert heard == [*one, *two, *three]
    assert one == ["first 1", "once 1", "last 1"]
    assert two == ["first 2", "last 2"]
    assert three == ["first 3", "once 3", "last 3"]


@node
async def test_listeners_can_be_removed(make_server: MakeServer) -> None:
    io = make_server()
    heard: list[str] = []

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        def second() -> None:
            heard.append("second")

        def first() -> None:
            heard.append("first")
            socket.remove_listener("a", second)  # this once it is still called

        socket.on("a", first)
        socket.on("a", second)
        socket.once("b", lambda: heard.append("b"))

    @io.on("remove")
    def remove(socket: trio_sio.Socket, *which: str) -> list[str]:
        socket.remove_all_listeners(*which)
        socket.remove_listener("never there", print)
        return socket.event_names()

    io.on("names", lambda socket: socket.event_names())
    async with served(io) as url, peer() as process:
        anna, ben = [await process.connect(url) for _ in range(2)]
        assert await anna.call("names") == [["a", "b"]]
        await anna.emit("a")
        await anna.emit("a")
        await anna.emit("b")
        assert await anna.call("names") == [["a"]]  # the other one was for one event
        assert heard == ["first", "second", "first", "b"]
        assert await ben.call("remove", "a") == [["b"]]
        assert await ben.call("remove") == [[]]
        await ben.emit("a")
        await ben.emit("b")
        assert await ben.call("names") == [[]]
        assert heard == ["first", "second", "first", "b"]
        assert await anna.call("names") == [["a"]]


async def test_ordinary_names_that_look_special(make_server: MakeServer) -> None:
    io = answering(make_server)
    heard: list[object] = []
    for name in ("1", "__proto__", "constructor", ""):
        io.on(name, lambda socket, *args: heard.append(args))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await says(websocket, '42[1,"z"]', '42["__proto__",1]', '42["constructor",2]', '42["",3]')
        assert heard == [("z",), (1,), (2,), (3,)]
        await says(websocket, "42", "425", '47["x"]', '42/nowhere,["constructor"]')  # nothing
        assert len(heard) == 4


# -- reserved names ------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [*RESERVED, "connect_error"])
async def test_reserved_names_are_not_emitted(event: str, make_server: MakeServer) -> None:
    io = answering(make_server)
    heard: list[object] = []
    async with served(io) as url, raw(url) as wire:
        websocket, socket = await wire.joined(), only(io.sockets)
        socket.on(event, heard.append)
        for emit in (socket.emit, socket.call, socket.volatile.emit, socket.broadcast.emit):
            with pytest.raises(ValueError, match=f"'{event}' is reserved"):
                await emit(event, "x")
        with pytest.raises(ValueError, match=f"'{event}' is reserved"):
            socket.emit_nowait(event, "x")
        await says(websocket)  # nothing has been sent
        assert heard == []  # nor do they set off our own handlers, as they do in JavaScript
        await socket.emit("connection", "x")  # means something on a namespace only
        assert await websocket.receive() == '42["connection","x"]'


async def test_reserved_names_from_the_wire_set_nothing_off(make_server: MakeServer) -> None:
    io = answering(make_server)
    heard: list[tuple[str, object]] = []
    for name in RESERVED:
        if name != "connect":  # that one hears of sockets, and has done so before
            io.on(name, lambda socket, argument, name=name: heard.append((name, argument)))

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        for name in [*RESERVED, "connection"]:
            socket.on(name, lambda argument, name=name: heard.append((name, argument)))
        io.on("connect", lambda *args: heard.append(("connect", args)))
        io.on("connection", lambda *args: heard.append(("connection", args)))

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await says(websocket)
        for name in RESERVED:
            await says(websocket, f'42["{name}","x"]', f'42["{name}"]', f'427["{name}"]')
            await says(websocket, f'451-["{name}",{PLACEHOLDER}]', b"\x04\x01")
        assert heard == []
        await says(websocket, '42["connection","x"]')  # an ordinary name on a socket
        assert heard == [("connection", "x")]
        heard.clear()
        over = trio.Event()
        only(io.sockets).on("disconnect", lambda reason: over.set())
        await websocket.send("41")
        await over.wait()
    reason = "client namespace disconnect"
    assert heard == [(name, reason) for name in ("disconnecting", "disconnect") for _ in range(2)]


# -- error ---------------------------------------------------------------------------------------


async def test_a_client_reports_an_error_to_one_socket(make_server: MakeServer) -> None:
    io = answering(make_server)
    put, told = trio.open_memory_channel[tuple[str, str]](9)
    for name in ("/", "/admin"):
        nsp = io.of(name)
        nsp.on("error", lambda socket, error: put.send_nowait((socket.nsp.name, str(error))))
    async with served(io) as url, raw(url) as wire:
        websocket, stranger = await wire.joined("/admin"), await wire.joined()
        only(io.of("/admin")).on("error", lambda error: put.send_nowait(("own", str(error))))
        await says(websocket, '44"x"', '44/nowhere,"y"')
        assert await told.receive() == ("/", "x")
        await websocket.send('44/admin,"z"')
        assert [await told.receive() for _ in range(2)] == [("/admin", "z"), ("own", "z")]
        await says(websocket)
        await says(stranger)
        with pytest.raises(trio.WouldBlock):
            told.receive_nowait()


@pytest.mark.parametrize("packet", ["4", "42{}", '42["x"', "41{}", '45["x"]', '4511-["x"]'])
async def test_a_packet_that_is_none_is_told_to_all_sockets(
    packet: str, make_server: MakeServer
) -> None:
    io = make_server()
    told: list[str] = []
    for name in ("/", "/admin"):
        nsp = io.of(name)
        nsp.on("error", lambda socket, error: told.append(f"error {socket.nsp.name}"))
        nsp.on("disconnect", lambda socket, reason: told.append(f"{reason} {socket.nsp.name}"))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        await websocket.send(packet)
        assert await websocket.receive_frame() == (CLOSE, b"")
        await websocket.stream.send_all(frame(CLOSE, b""))
        assert await websocket.rest() == b""
    assert told == ["error /", "error /admin", "forced close /", "forced close /admin"]
