"""The interfaces: an adapter and a parser of one's own are all that a server asks for.

That the package's own classes fit the protocols is for the type checker; here it is said to it.
"""

import re
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from trio_sio import Server, Socket
from trio_sio.abc import (
    AdapterNamespace,
    AnswerCollector,
    Gathered,
    GatheredList,
    HookT,
    Recipient,
    SocketDetails,
    Target,
)
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.testing import connect

if TYPE_CHECKING:
    from trio_sio import MemoryAdapter
    from trio_sio.abc import Adapter, PacketDecoder, PacketEncoder, Session, Transport
    from trio_sio.engine.session.session import Session as EngineSession
    from trio_sio.protocol.socketio.decoder import Decoder
    from trio_sio.protocol.socketio.encoder import Encoder
    from trio_sio.testing.transport import MemoryTransport

    def fits(
        transport: MemoryTransport,
        session: EngineSession,
        adapter: MemoryAdapter,
        encoder: Encoder,
        decoder: Decoder,
    ) -> tuple[Transport, Session, Adapter, PacketEncoder, PacketDecoder]:
        return transport, session, adapter, encoder, decoder


ADAPTERS = Path(__file__).parents[2] / "trio_sio" / "adapters"


class LateAdapter:
    """An adapter that knows `abc` and `protocol` alone, and takes its time."""

    def __init__(self, namespace: AdapterNamespace) -> None:
        self.namespace = namespace
        self.members: set[tuple[str, str]] = set()

    async def add_all(self, socket_id: str, rooms: Collection[str]) -> None:
        await trio.sleep(0.1)
        self.members |= {(socket_id, room) for room in rooms}

    async def remove(self, socket_id: str, room: str) -> None:
        await trio.sleep(0.1)
        self.members.discard((socket_id, room))

    async def remove_all(self, socket_id: str) -> None:
        self.members = {pair for pair in self.members if pair[0] != socket_id}
        await trio.sleep(0.1)

    async def broadcast(self, packet: Packet, target: Target) -> None:
        await trio.sleep(0.1)
        own = Packet(packet.type, self.namespace.name, packet.data)
        item = self.namespace.encode(own, target.flags, droppable=True)
        for socket_id in await self.clients(target.rooms):
            self.namespace.connected[socket_id].deliver(item)

    def broadcast_nowait(self, packet: Packet, target: Target) -> None:
        raise trio.WouldBlock

    async def clients(self, rooms: Collection[str]) -> Gathered[str]:
        await trio.sleep(0.1)
        connected = set(self.namespace.connected)
        return Gathered(
            sid for sid in connected if not rooms or not self.rooms_of(sid).isdisjoint(rooms)
        )

    @asynccontextmanager
    async def broadcast_with_ack(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AsyncIterator[None]:
        await self.broadcast(packet, target)
        yield

    async def fetch_sockets(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
        return GatheredList(self.namespace.connected.values())

    async def add_sockets(self, target: Target, rooms: Collection[str]) -> None:
        await trio.sleep(0.1)

    async def remove_sockets(self, target: Target, rooms: Collection[str]) -> None:
        await trio.sleep(0.1)

    async def disconnect_sockets(self, target: Target, close: bool = False) -> None:
        await trio.sleep(0.1)

    async def server_count(self) -> int:
        return 1

    async def server_side_emit(self, args: Sequence[JSON]) -> None:
        await trio.sleep(0.1)

    async def server_side_call(self, args: Sequence[JSON], seconds: float) -> list[JSON]:
        await trio.sleep(0.1)
        return []

    async def client_rooms(self, socket_id: str) -> frozenset[str]:
        await trio.sleep(0.1)
        return self.rooms_of(socket_id)

    def rooms_of(self, socket_id: str) -> frozenset[str]:
        return frozenset(room for sid, room in self.members if sid == socket_id)

    async def all_rooms(self) -> Gathered[str]:
        await trio.sleep(0.1)
        return Gathered(room for _, room in self.members)

    async def remote_join(self, socket_id: str, room: str) -> None:
        await self.namespace.connected[socket_id].join(room)

    async def remote_leave(self, socket_id: str, room: str) -> None:
        await self.namespace.connected[socket_id].leave(room)

    async def remote_disconnect(self, socket_id: str, close: bool = False) -> None:
        await self.namespace.connected[socket_id].disconnect(close)

    async def custom_request(self, data: JSON = None) -> list[JSON]:
        await trio.sleep(0.1)
        return []

    def on_custom_request(self, function: HookT) -> HookT:
        return function

    def close(self) -> None:
        self.members.clear()


@pytest.mark.parametrize("path", sorted(ADAPTERS.rglob("*.py")), ids=lambda path: path.name)
def test_adapters_know_neither_the_engine_nor_the_router(path: Path) -> None:
    modules = re.findall(
        r"^\s*(?:from|import) trio_sio\.(\w+)", path.read_text("utf-8"), re.MULTILINE
    )
    below = {
        *("abc", "disconnect", "exceptions", "failures", "logs", "options", "protocol"),
        *("recovery", "statistics", "sync"),
    }
    assert set(modules) <= below | {"adapters"}


async def test_an_adapter_that_takes_its_time(autojump_clock: trio.abc.Clock) -> None:
    io = Server(adapter=LateAdapter)

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("join")
        async def join(room: str) -> list[str]:
            await socket.join(room)
            return sorted(socket.rooms)

    async with connect(io) as anna, connect(io) as bert:
        assert await anna.call("join", "a") == [sorted([anna.id, "a"])]
        await io.to("a").emit("for anna")
        await io.emit("for all")
        assert await anna.receive() == ["for anna"]
        assert await anna.receive() == ["for all"]
        assert await bert.receive() == ["for all"]
        assert await io.in_("a").clients() == {anna.id}
    assert isinstance(io.sockets.adapter, LateAdapter)
    assert io.sockets.adapter.members == set()


async def test_clients_that_leave_while_the_adapter_lets_them_in(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server(adapter=LateAdapter)
    async with io:
        with trio.move_on_after(0.05):
            async with connect(io):
                raise AssertionError("the adapter was fast")
        await trio.sleep(10)
        assert isinstance(io.sockets.adapter, LateAdapter)
        assert io.sockets.adapter.members == set()
        assert not io.sockets.sockets
        assert not io.router.clients
