"""Packet middleware: it sees each event first, and may change it or refuse it."""

from collections.abc import Callable

import pytest
import trio

import trio_sio
from tests.support.peers import peer, served
from tests.support.raw import raw
from tests.support.raw_websocket import RawWebSocket
from tests.support.servers import MakeServer

node = pytest.mark.node
PLACEHOLDER = '{"_placeholder":true,"num":0}'
Middleware = Callable[[trio_sio.Packet], object]


def guarded(make_server: MakeServer, *middleware: Middleware, **options: object) -> trio_sio.Server:
    """A server whose sockets have this middleware, and repeat what they hear as "a" and "b"."""
    io = make_server(**options)
    for namespace in (io.sockets, io.of("/chat")):
        namespace.on("a", lambda socket, *args: ("a", *args))
        namespace.on("b", lambda socket, *args: ("b", *args))

        @namespace.on("connection")
        def connection(socket: trio_sio.Socket) -> None:
            for function in middleware:
                socket.use(function)

    return io


async def hears(websocket: RawWebSocket, *messages: str | bytes) -> None:
    """Compare what has come with what should have."""
    assert [await websocket.receive() for _ in messages] == [*messages]


# -- what it sees --------------------------------------------------------------------------------


async def test_it_sees_events_and_nothing_else(make_server: MakeServer) -> None:
    """One after the other, in the order of their registration."""
    seen: list[object] = []

    async def first(packet: trio_sio.Packet) -> None:
        await trio.lowlevel.checkpoint()  # the next has to wait
        seen.append(("first", packet.event, packet.args, packet.id))

    def second(packet: trio_sio.Packet) -> None:
        seen.append(("second", packet.event, packet.args, packet.id))

    io = guarded(make_server, first, second)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (socket,) = io.sockets.connected.values()
        await socket.emit("question", ack=print)
        await hears(websocket, '420["question"]')
        # An answer, an error, and names that are reserved do not pass it.
        for message in ("430[]", '44"error"', '42["disconnect"]', '42["nobody hears",1]'):
            await websocket.send(message)
        await websocket.send(f'451-7["a",{{"x":{PLACEHOLDER}}}]')
        await websocket.send(b"\x04\x01")
        await hears(websocket, f'461-7["a",{{"x":{PLACEHOLDER}}}]', b"\x04\x01")
    events = [("nobody hears", [1], None), ("a", [{"x": b"\x01"}], 7)]
    assert seen == [(which, *event) for event in events for which in ("first", "second")]


async def test_it_is_one_sockets_own(make_server: MakeServer) -> None:
    """And holds from the next event on, also when it is registered by a handler."""
    io = guarded(make_server)

    def refuse(packet: trio_sio.Packet) -> None:
        raise trio_sio.PacketRefused(f"no {packet.event}")

    @io.on("guard")
    def guard(socket: trio_sio.Socket) -> None:
        assert socket.use(refuse) is refuse  # it is a decorator
        with pytest.raises(TypeError, match="middleware must be callable"):
            socket.use("refuse")  # type: ignore[arg-type]

    async with served(io) as url, raw(url) as wire:
        websocket, other = await wire.joined("/chat"), await wire.joined()
        await websocket.send('421["guard"]')
        await websocket.send('422["a"]')
        await hears(websocket, "431[]", '44"no a"')
        await websocket.send('42/chat,3["a"]')
        await hears(websocket, '43/chat,3["a"]')
        await other.send('424["a"]')
        await hears(other, '434["a"]')


# -- changing ------------------------------------------------------------------------------------


async def test_it_changes_events(make_server: MakeServer) -> None:
    """Its name, its arguments, by one function after the other."""

    def rename(packet: trio_sio.Packet) -> trio_sio.Packet | None:
        if packet.event != "a":
            return None  # as it is
        return trio_sio.Packet(packet.type, packet.namespace, ["b", *packet.args], packet.id)

    async def append(packet: trio_sio.Packet) -> trio_sio.Packet:
        data: list[trio_sio.JSON] = [packet.event, *packet.args, "more", b"\x01"]
        return trio_sio.Packet(packet.type, packet.namespace, data, packet.id)

    io = guarded(make_server, rename, append)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        await websocket.send('421["a",1]')
        await hears(websocket, f'461-1["b",1,"more",{PLACEHOLDER}]', b"\x04\x01")
        await websocket.send('42/chat,2["b",1]')
        await hears(websocket, f'461-/chat,2["b",1,"more",{PLACEHOLDER}]', b"\x04\x01")


@node
async def test_it_changes_what_the_javascript_client_says(make_server: MakeServer) -> None:
    def translate(packet: trio_sio.Packet) -> trio_sio.Packet:
        words = {"un": "one", "deux": "two"}
        data = ["a", *(words[str(arg)] for arg in packet.args)]
        return trio_sio.Packet(packet.type, packet.namespace, [*data], packet.id)

    async with served(guarded(make_server, translate)) as url, peer() as process:
        for address in (url, f"{url}/chat"):
            client = await process.connect(address)
            assert await client.call("french", "un", "deux") == ["a", "one", "two"]


# -- refusing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "data"),
    [
        (trio_sio.PacketRefused("Not a doge error"), '"Not a doge error"'),
        (trio_sio.PacketRefused("text", data={"a": 1}), '{"a":1}'),
        (trio_sio.PacketRefused("text", data=["a", 1]), '["a",1]'),
        (trio_sio.PacketRefused("text", data=0), '"text"'),
        (trio_sio.PacketRefused(), '""'),
    ],
)
async def test_it_refuses_with_a_text_or_data(
    refusal: trio_sio.PacketRefused, data: str, make_server: MakeServer
) -> None:
    """The client gets an error and no answer; all goes on, and nobody here is told."""
    seen: list[str] = []

    async def check(packet: trio_sio.Packet) -> None:
        if packet.event == "b":
            raise refusal

    io = guarded(make_server, check, lambda packet: seen.append(packet.event))
    for namespace in (io.sockets, io.of("/chat")):
        namespace.on("error", lambda socket, error: seen.append(f"error {error}"))
        namespace.on("b", lambda socket: seen.append("handled"))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        await websocket.send('421["b"]')
        await hears(websocket, f"44{data}")
        await websocket.send('42["b"]')
        await websocket.send('422["a"]')
        await hears(websocket, f"44{data}", '432["a"]')
        await websocket.send('42/chat,3["b"]')
        await hears(websocket, f"44/chat,{data}")
        await websocket.send('42/chat,4["a"]')
        await hears(websocket, '43/chat,4["a"]')
    assert seen == ["a", "a"]


@node
async def test_the_javascript_client_hears_of_a_refusal_as_an_error(
    make_server: MakeServer,
) -> None:
    def check(packet: trio_sio.Packet) -> None:
        if packet.event == "b":
            text, *data = packet.args
            raise trio_sio.PacketRefused(str(text), data=data[0] if data else None)

    async with served(guarded(make_server, check)) as url, peer() as process:
        client = await process.connect(url)
        await client.order("call", "refused", "b", "not this")
        assert await client.hear("error") == ["not this"]
        await client.order("call", "refused", "b", "not this", {"code": 7})
        assert await client.hear("error") == [{"code": 7}]
        assert await client.call("a", 1) == ["a", 1]
        assert client.unheard("answer refused") == 0
        assert client.unheard("disconnect") == 0


async def test_middleware_that_fails_drops_the_event_and_tells_our_side_alone(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def check(packet: trio_sio.Packet) -> object:
        if packet.args == ["fail"]:
            raise ZeroDivisionError("mine")
        return None if packet.args == [] else packet.args  # an answer is none of its business

    io = guarded(make_server, check, raise_errors=False)
    io.on("error", lambda socket, error: told.append(type(error).__name__))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        for message in ('421["a","fail"]', '422["a","list"]', '423["a"]'):
            await websocket.send(message)
        await hears(websocket, '433["a"]')  # the others are not answered
    assert told == ["ZeroDivisionError", "TypeError"]
    assert "ZeroDivisionError: mine" in caplog.text
