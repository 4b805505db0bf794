"""Nothing is left of clients, whatever way they went."""

import gc
import logging
import weakref

import pytest
import trio

from trio_sio import ConnectionRefused, Disconnected, Packet, PacketType, Server, Socket
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.testing import MemoryClient, connect, open_wire

pytestmark = pytest.mark.slow


CLIENTS = 200
WAYS = 8


async def end(client: MemoryClient, socket: Socket, way: int) -> None:
    """End a client in one of several ways."""
    match way:
        case 0:
            pass  # `connect` closes the connection
        case 1:
            await client.leave()
        case 2:
            await socket.disconnect()
        case 3:
            await socket.disconnect(close=True)
        case 4:
            await client.send_engine_packet(EnginePacket(EnginePacketType.CLOSE))
        case 5:
            await client.send_engine_packet(EnginePacket(EnginePacketType.MESSAGE, b"unasked"))
        case 6:
            await client.emit("fail")
        case _:
            socket.nursery.start_soon(socket.call, "never answered")
            await client.emit("slow")


async def test_nothing_is_left(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "trio_sio")  # a record that pytest keeps holds its socket
    io = Server()
    chat = io.of("/chat")
    seen: set[str] = set()
    alive: weakref.WeakSet[Socket] = weakref.WeakSet()

    @chat.use
    async def sometimes(socket: Socket) -> None:
        alive.add(socket)
        seen.add(socket.id)
        await trio.sleep(0.1)
        if socket.handshake.query["way"] == "refuse":
            await socket.join("refused")
            raise ConnectionRefused("not you")

    @chat.on("connection")
    async def connection(socket: Socket) -> None:
        socket.data["itself"] = socket
        await socket.join("all", f"room-{socket.handshake.query['way']}")
        socket.on("disconnect", lambda reason: socket.join("too late"))

        @socket.on("fail")
        def fail() -> None:
            raise LookupError("a mistake")

        @socket.on("slow")
        async def slow() -> None:
            await trio.sleep(100)

    async def live(way: int) -> None:
        async with connect(io, "/chat", query={"way": str(way)}, raise_errors=False) as client:
            await trio.testing.wait_all_tasks_blocked()
            await end(client, chat.sockets[client.id], way)

    async def be_refused() -> None:
        try:
            async with connect(io, "/chat", query={"way": "refuse"}):
                raise AssertionError("the client was let in")
        except (ConnectionRefused, Disconnected):
            pass

    async with io:
        async with trio.open_nursery() as nursery:
            for number in range(CLIENTS):
                if number % (WAYS + 1) == WAYS:
                    nursery.start_soon(be_refused)
                else:
                    nursery.start_soon(live, number % (WAYS + 1))
        assert not io.router.clients
        assert not io.engine.sessions
        for namespace in io.router.namespaces.values():
            assert not namespace.sockets
            adapter = namespace.adapter
            assert vars(adapter)["rooms"] == vars(adapter)["sids"] == {}
        gc.collect()
        assert len(seen) == CLIENTS
        assert len(alive) == 0


class Load:
    """Stands for something large in a client's event."""


class LoadParser:
    """A parser whose events carry a `Load`; the rest is Socket.IO's own."""

    def __init__(self) -> None:
        self.loads: list[weakref.ref[Load]] = []

    def Encoder(self) -> Encoder:
        return Encoder()

    def Decoder(self) -> "LoadParser":
        return self

    def feed(self, message: str | bytes) -> Packet:
        load = Load()
        self.loads.append(weakref.ref(load))
        return Packet(PacketType.EVENT, "/", ["load", load])  # type: ignore[list-item]


async def test_an_event_goes_when_it_has_been_handled(autojump_clock: trio.abc.Clock) -> None:
    """It may be of 100 MB, and the next one may come tomorrow."""
    parser = LoadParser()
    io = Server(parser=parser)
    handled = trio.Event()

    @io.on("load")
    async def load(socket: Socket, load: object) -> None:
        await trio.lowlevel.checkpoint()
        handled.set()

    async with open_wire(io) as wire:
        client = await wire.websocket()
        await client.send("42")
        await handled.wait()
        await trio.testing.wait_all_tasks_blocked()
        (load_sent,) = parser.loads
        assert load_sent() is None
