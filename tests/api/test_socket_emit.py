"""What a socket says to its client: events, questions and their answers, and how they travel."""

import gzip
import zlib
from collections.abc import Awaitable, Callable

import pytest
import trio

import trio_sio
from tests.support.peers import peer, served
from tests.support.raw import raw
from tests.support.raw_websocket import TEXT, RawWebSocket
from tests.support.servers import MakeServer

node = pytest.mark.node
LONG = "x" * 2000
BYTES = b"\x01\x02"
PLACEHOLDER = '{"_placeholder":true,"num":0}'
COMPRESSED = TEXT | 0x40  # RSV1


def only(namespace: trio_sio.Namespace) -> trio_sio.Socket:
    (socket,) = namespace.connected.values()
    return socket


async def hears(websocket: RawWebSocket, *messages: str | bytes) -> None:
    """Compare what has come with what should have."""
    assert [await websocket.receive() for _ in messages] == [*messages]


# -- emit and send -------------------------------------------------------------------------------


async def test_emit_and_send_on_the_wire(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        root, inside = only(io.sockets), only(chat)
        await root.emit("a")
        await inside.emit("project:delete", 123, None, {"ü": [True, 0.5]})
        await hears(websocket, '42["a"]', '42/chat,["project:delete",123,null,{"ü":[true,0.5]}]')
        await root.emit("b", BYTES, {"deep": [b""]})
        head = f'452-["b",{PLACEHOLDER},{{"deep":[{PLACEHOLDER.replace("0", "1")}]}}]'
        await hears(websocket, head, b"\x04" + BYTES, b"\x04")
        await root.send("words", 2)
        await inside.send()
        await hears(websocket, '42["message","words",2]', '42/chat,["message"]')


@node
async def test_emit_and_send_to_the_javascript_client(make_server: MakeServer) -> None:
    """And its own `send` is an event like any other."""
    io = make_server()
    io.on("message", lambda socket, *args: socket.send("heard", *args))
    async with served(io) as url, peer() as process:
        client = await process.connect(url, hear=["a", "message"])
        args: list[object] = [None, True, 0.5, "é\U0001f600", BYTES, {"x": {"y": b""}}, []]
        await only(io.sockets).emit("a", *args)
        assert await client.hear("a") == args
        await client.order("send", "words")
        assert await client.hear("message") == ["heard", "words"]


async def test_emit_nowait_keeps_its_place_among_the_others(make_server: MakeServer) -> None:
    io = make_server()

    @io.on("count")
    async def count(socket: trio_sio.Socket) -> None:
        await socket.emit("n", 1)
        socket.emit_nowait("n", 2, BYTES)
        socket.compress(False).emit_nowait("n", 3)
        await socket.emit("n", 4)

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send('42["count"]')
        await hears(websocket, '42["n",1]', f'451-["n",2,{PLACEHOLDER}]', b"\x04" + BYTES)
        await hears(websocket, '42["n",3]', '42["n",4]')


async def test_emit_waits_for_a_client_that_is_behind_and_emit_nowait_does_not(
    make_server: MakeServer,
) -> None:
    io = make_server(max_outbox=2)
    story: list[str] = []

    async def say(socket: trio_sio.Socket) -> None:
        await socket.emit("n", 3)
        story.append("said")

    async with served(io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await wire.polling()
        socket = only(io.sockets)
        await socket.emit("n", 1)
        socket.emit_nowait("n", 2)
        with pytest.raises(trio.WouldBlock):
            socket.emit_nowait("n", "lost")
        nursery.start_soon(say, socket)
        await trio.testing.wait_all_tasks_blocked()
        assert story == []
        assert await polling.get() == (200, b'9:42["n",1]9:42["n",2]')
        assert await polling.get() == (200, b'9:42["n",3]')
        assert story == ["said"]


# -- answers to emit -----------------------------------------------------------------------------


async def test_emit_with_ack_calls_back_once_with_the_answer(make_server: MakeServer) -> None:
    """Ids are the namespace's, from 0 on."""
    io = make_server()
    answers: list[tuple[object, ...]] = []
    io.on("end", lambda _socket: None)
    io.of("/chat").on("end", lambda _socket: None)

    async def later(*args: object) -> None:
        answers.append(("later", *args))

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        root, inside = only(io.sockets), only(io.of("/chat"))
        await root.emit("ferret", "tobi", ack=later)
        await root.emit("b", BYTES, ack=lambda *args: answers.append(args))
        await inside.emit("ferret", ack=lambda *args: answers.append(args))
        await root.send("words", ack=lambda *args: answers.append(args))
        await hears(websocket, '420["ferret","tobi"]')
        await hears(websocket, f'451-1["b",{PLACEHOLDER}]', b"\x04" + BYTES)
        await hears(websocket, '42/chat,0["ferret"]', '422["message","words"]')
        await websocket.send('430["yes",{"a":1}]')
        await websocket.send('430["again"]')  # only the first counts
        await websocket.send(f'461-1[{PLACEHOLDER},"binary"]')
        await websocket.send(b"\x04\x00\xff")
        await websocket.send("43/chat,0[]")
        await websocket.send("432")  # without a payload
        await websocket.send('439["nobody asked"]')
        await websocket.send('427["end"]')
        await hears(websocket, "437[]")
    assert sorted(answers, key=len) == [(), (), (b"\x00\xff", "binary"), ("later", "yes", {"a": 1})]


@node
async def test_emit_with_ack_to_the_javascript_client(make_server: MakeServer) -> None:
    io = make_server()
    put, answers = trio.open_memory_channel[object](9)
    async with served(io) as url, peer() as process:
        await process.connect(url, answers={"a": None, "message": ["got it"]})
        socket = only(io.sockets)
        await socket.emit("a", 1, BYTES, ack=lambda *args: put.send_nowait(args))
        assert await answers.receive() == (1, BYTES)
        await socket.send("words", ack=lambda *args: put.send_nowait(args))
        assert await answers.receive() == ("got it",)


async def test_who_has_left_answers_nobody(make_server: MakeServer) -> None:
    io = make_server()
    answers: list[object] = []
    io.on("end", lambda _socket: None)
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        await only(chat).emit("a", ack=answers.append)
        await hears(websocket, '42/chat,0["a"]')
        await websocket.send("41/chat,")
        await websocket.send("40/chat,")
        await hears(websocket, "40/chat,")
        await websocket.send('43/chat,0["too late"]')
        await websocket.send('421["end"]')
        await hears(websocket, "431[]")
    assert answers == []


# -- call ----------------------------------------------------------------------------------------


@node
async def test_call_returns_nothing_one_value_or_a_tuple(make_server: MakeServer) -> None:
    io = make_server()
    one: dict[str, list[object]] = {"null": [None], "one": [{"x": BYTES}], "list": [[1, 2]]}
    async with served(io) as url, peer() as process:
        await process.connect(url, answers={**one, "none": [], "two": [1, [2]], "back": None})
        socket = only(io.sockets)
        assert await socket.call("none") is None
        assert await socket.call("null") is None
        assert await socket.call("one") == {"x": BYTES}
        assert await socket.call("list") == [1, 2]
        assert await socket.call("two") == (1, [2])
        assert await socket.call("back", "x", BYTES) == ("x", BYTES)


async def test_call_gives_up_and_a_late_answer_is_nobodys(make_server: MakeServer) -> None:
    io = make_server()

    @io.on("ask")
    async def ask(socket: trio_sio.Socket) -> object:
        with pytest.raises(trio.TooSlowError):
            await socket.call("q", 1, timeout=0.01)
        await socket.emit("gave up")
        return await socket.call("q", 2, timeout=None)

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send('425["ask"]')
        await hears(websocket, '420["q",1]', '42["gave up"]', '421["q",2]')
        await websocket.send('430["late"]')
        await websocket.send('431["in time"]')
        await hears(websocket, '435["in time"]')


@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        (lambda _, websocket: websocket.send("41"), "client namespace disconnect"),
        (lambda socket, _: socket.disconnect(), "server namespace disconnect"),
        (lambda _, websocket: websocket.stream.aclose(), "transport close"),
    ],
)
async def test_call_ends_when_the_client_leaves(
    leave: Callable[[trio_sio.Socket, RawWebSocket], Awaitable[None]],
    reason: str,
    make_server: MakeServer,
) -> None:
    async with served(io := make_server()) as url, raw(url) as wire:
        websocket = await wire.joined()
        socket = only(io.sockets)

        async def ask() -> None:
            with pytest.raises(trio_sio.Disconnected, match=reason) as gone:
                await socket.call("q", timeout=None)
            assert gone.value.reason == reason

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await hears(websocket, '420["q"]')
            await leave(socket, websocket)


# -- compress, volatile, binary ------------------------------------------------------------------


async def test_compress_false_sends_a_frame_as_it_is(make_server: MakeServer) -> None:
    io = make_server(per_message_deflate=True)
    async with served(io) as url, raw(url) as wire:
        offer = "permessage-deflate; client_max_window_bits"
        websocket = await wire.websocket(Sec_WebSocket_Extensions=offer)
        assert [str(await websocket.receive())[:2] for _ in range(2)] == ["0{", "40"]
        socket, event = only(io.sockets), f'42["a","{LONG}"]'.encode()
        inflater = zlib.decompressobj(-15)
        for flagged in (socket.compress(False), socket.compress(True).compress(False)):
            await flagged.emit("a", LONG)
            assert await websocket.receive_frame() == (TEXT, event)
            await socket.emit("a", LONG)  # the flag was for one event
            first, payload = await websocket.receive_frame()
            assert first == COMPRESSED
            assert inflater.decompress(payload + b"\0\0\xff\xff") == event


async def test_compress_false_sends_a_polling_answer_as_it_is(make_server: MakeServer) -> None:
    """Unless something else is in it that may be compressed."""
    io = make_server()
    event = f'2010:42["a","{LONG}"]'.encode()
    async with served(io) as url, raw(url) as wire:
        polling, socket = await wire.polling(), only(io.sockets)
        for flags in ([False], [True], [False, False], [False, True]):
            for flag in flags:
                await socket.compress(flag).emit("a", LONG)
            response = await wire.get(polling.target, {"Accept-Encoding": "gzip"})
            encoding = response.headers.get("content-encoding")
            assert encoding == ("gzip" if True in flags else "")
            body = gzip.decompress(response.body) if encoding else response.body
            assert body == event * len(flags)


async def test_volatile_skips_a_client_between_two_polls(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        await only(io.sockets).volatile.emit("n", "lost", ack=print)
        only(io.sockets).volatile.emit_nowait("n", "lost, too")
        await only(io.sockets).emit("n", 1)
        assert await polling.get() == (200, b'9:42["n",1]')
        websocket = await wire.joined()
        await [*io.sockets.connected.values()][1].volatile.emit("n", 2)
        await hears(websocket, '42["n",2]')


async def test_binary_says_how_bytes_are_written(make_server: MakeServer) -> None:
    """True with nothing binary is an ordinary event: JavaScript would throw at "450-"."""
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        websocket, socket = await wire.joined(), only(io.sockets)
        await socket.binary(False).emit("b", BYTES)
        await hears(websocket, '42["b",{"type":"Buffer","data":[1,2]}]')
        await socket.binary(True).emit("b", BYTES)
        await hears(websocket, f'451-["b",{PLACEHOLDER}]', b"\x04" + BYTES)
        await socket.binary(True).emit("nb", 1)
        await hears(websocket, '42["nb",1]')
