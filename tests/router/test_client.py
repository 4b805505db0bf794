"""One client in several namespaces: who may join, in which order, and who may not."""

import gc
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import (
    ConnectionRefused,
    Disconnected,
    DisconnectReason,
    Packet,
    PacketType,
    Server,
    Socket,
)
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.router import client as client_module
from trio_sio.testing import connect
from trio_sio.testing.wire import open_wire


def note_joins(io: Server, *namespaces: str) -> list[str]:
    """Have everyone who joins one of the namespaces noted."""
    noted: list[str] = []
    for name in namespaces:
        io.of(name).on("connection", lambda socket: noted.append(socket.namespace.name))
    return noted


async def test_everyone_joins_the_root_first(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    noted = note_joins(io, "/", "/chat")
    async with connect(io, "/chat") as client:
        assert client.id == f"/chat#{client.session.id}"
        await wait_all_tasks_blocked()
    assert noted == ["/", "/chat"]


async def test_other_namespaces_wait_until_the_root_is_joined(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    noted = note_joins(io, "/", "/a", "/b")

    @io.use
    async def slow(socket: Socket) -> None:
        await trio.sleep(10)
        noted.append("middleware")

    async with trio.open_nursery() as nursery:

        async def come() -> None:
            async with connect(io, "/a") as client:
                await client.send_packet(Packet(PacketType.CONNECT, "/b"))
                await wait_all_tasks_blocked()

        nursery.start_soon(come)
        await trio.sleep(5)
        assert noted == []
    assert noted == ["middleware", "/", "/a", "/b"]


async def test_those_who_wait_join_in_their_order(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    names = ("/c", "/a", "/b")
    noted = note_joins(io, *names)
    async with connect(io) as client:

        @io.use
        async def slow(socket: Socket) -> None:
            await trio.sleep(10)

        # The root is left and joined again; those of before may join at once.
        for name in names:
            await client.send_packet(Packet(PacketType.CONNECT, name))
        await wait_all_tasks_blocked()
        assert noted == list(names)


async def test_unknown_namespace_is_refused(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/nowhere"))
        await wait_all_tasks_blocked()
        assert list(io.router.namespaces) == ["/"]
        assert client.session.reason is None


async def test_second_connect_is_ignored(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    noted = note_joins(io, "/", "/chat")
    async with connect(io, "/chat") as client:
        for name in ("/chat", "/", "/chat?again=1"):
            await client.send_packet(Packet(PacketType.CONNECT, name))
        await wait_all_tasks_blocked()
        assert noted == ["/", "/chat"]
        assert len(io.of("/chat").sockets) == 1


async def test_rejoin_after_leaving(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    story: list[str] = []

    @io.of("/chat").on("connection")
    async def connection(socket: Socket) -> None:
        story.append("in")
        await socket.join("room")
        socket.on("disconnect", story.append)

    async with connect(io, "/chat") as client:
        await wait_all_tasks_blocked()
        for _ in range(2):
            await client.leave()
            await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
            await wait_all_tasks_blocked()
        assert io.of("/chat").adapter.rooms_of(client.id) == {client.id, "room"}
    left = "client namespace disconnect"
    assert story == ["in", left, "in", left, "in", "transport close"]


async def test_rejoining_waits_until_the_former_socket_is_gone(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    story: list[str] = []

    @io.of("/chat").on("connection")
    def connection(socket: Socket) -> None:
        story.append("in")

        @socket.on("disconnecting")
        async def disconnecting(reason: str) -> None:
            await trio.sleep(2)
            story.append(f"out {sorted(socket.rooms)}")

    async with connect(io, "/chat") as client:
        await client.leave()
        await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
        await trio.sleep(1)
        assert story == ["in"]
        await trio.sleep(2)
        assert story == ["in", f"out ['{client.id}']", "in"]


async def test_leaving_the_root_leaves_the_others(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    io.of("/chat").on("here?", lambda socket: "yes")
    async with connect(io, "/chat") as client:
        await client.send_packet(Packet(PacketType.DISCONNECT, "/"))
        await wait_all_tasks_blocked()
        assert not io.sockets.sockets
        assert await client.call("here?") == ["yes"]
        await client.send_packet(Packet(PacketType.CONNECT, "/"))
        await wait_all_tasks_blocked()
        assert list(io.sockets.sockets) == [client.session.id]


async def test_packets_for_namespaces_not_joined_are_ignored(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    heard = []
    io.of("/chat").on("x", lambda socket: heard.append("x"))
    async with connect(io) as client:
        for name in ("/chat", "/nowhere"):
            await client.send_packet(Packet(PacketType.EVENT, name, ["x"]))
            await client.send_packet(Packet(PacketType.ACK, name, [], 0))
            await client.send_packet(Packet(PacketType.ERROR, name, "what?"))
            await client.send_packet(Packet(PacketType.DISCONNECT, name))
        await wait_all_tasks_blocked()
        assert client.session.reason is None
    assert heard == []


NEVER_ASKED = "/never"
BINARY = (
    Packet(PacketType.BINARY_EVENT, "", ["x", b"\x01"]),
    Packet(PacketType.BINARY_ACK, "", [b""], 0),
)
PLAIN = (
    Packet(PacketType.EVENT, "", ["x"]),
    Packet(PacketType.ACK, "", [], 0),
    Packet(PacketType.DISCONNECT, ""),
)


@pytest.mark.parametrize("packet", [*PLAIN, *BINARY], ids=lambda one: one.type.name)
@pytest.mark.parametrize("name", ["/left", "/refused", "/unknown", "/slow", NEVER_ASKED])
async def test_a_later_client_may_be_late_but_not_wrong(
    autojump_clock: MockClock, packet: Packet, name: str
) -> None:
    """What is for a namespace that it has never asked for ends its session, in protocol 5."""
    io = Server()
    heard: list[str] = []
    for one in ("/left", "/refused", "/slow", "/never"):
        io.of(one).on("x", lambda socket, *args: heard.append("x"))

    @io.of("/refused").use
    def refuse(socket: Socket) -> None:
        raise ConnectionRefused("no")

    @io.of("/slow").use
    async def wait(socket: Socket) -> None:
        await trio.sleep(5)

    async with connect(io, protocol=5, raise_errors=False) as client:
        if name != NEVER_ASKED:
            await client.send_packet(Packet(PacketType.CONNECT, name))
        if name == "/left":
            await client.send_packet(Packet(PacketType.DISCONNECT, name))
        await wait_all_tasks_blocked()
        with suppress(Disconnected):  # behind the head of a packet with attachments
            await client.send_packet(replace(packet, namespace=name))
        await wait_all_tasks_blocked()
        reason = DisconnectReason.FORCED_CLOSE if name == NEVER_ASKED else None
        assert (client.reason, heard) == (reason, [])


async def test_a_client_knows_its_sockets(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    io.of("/b")
    async with connect(io, "/b") as client:
        (seen,) = io.router.clients
        assert list(seen.sockets) == ["/", "/b"]
        assert seen.id == client.session.id
        assert seen.conn is seen.session is client.session
        assert seen.request is client.session.request
        socket = io.of("/b").sockets[client.id]
        assert socket.client is seen
        assert socket.conn is client.session
        assert socket.nsp is socket.namespace is io.of("/b")
    assert not seen.sockets


async def test_too_many_namespaces_to_join_at_once(autojump_clock: trio.abc.Clock) -> None:
    """Those over the limit are refused; the client stays, and nothing is kept of them."""
    io = Server()

    async def never(socket: Socket) -> None:
        await trio.sleep_forever()

    for number in range(70):
        io.of(f"/{number}").use(never)
    async with connect(io) as client:
        for number in range(70):
            await client.send_packet(Packet(PacketType.CONNECT, f"/{number}"))
        await trio.sleep(1)
        (one,) = io.router.clients
        assert one.joins.pending == io.options.max_pending_namespaces
        assert not client.session.closed


@pytest.mark.parametrize("message", ["", b"binary", "5[", "2" + "[" * 5000])
async def test_broken_packet_closes_its_client_only(
    autojump_clock: trio.abc.Clock, message: str | bytes
) -> None:
    io = Server()
    story: list[tuple[str, str]] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("error", lambda error: story.append(("error", type(error).__name__)))
        socket.on("disconnect", lambda reason: story.append(("disconnect", reason)))
        socket.on("here?", lambda: "yes")

    async with connect(io, raise_errors=False) as bad, connect(io) as good:
        await bad.send_engine_packet(EnginePacket(EnginePacketType.MESSAGE, message))
        await wait_all_tasks_blocked()
        assert story == [("error", "RemoteProtocolError"), ("disconnect", "forced close")]
        assert await good.call("here?") == ["yes"]


@pytest.mark.parametrize("rooms", [1, 4, 50])
@pytest.mark.parametrize("max_namespaces", [3, 10])
async def test_sockets_that_are_still_leaving_count(
    autojump_clock: MockClock, max_namespaces: int, rooms: int
) -> None:
    """Or a client that joins and leaves in turn has any number of them; it may come back, too."""
    io = Server(max_namespaces=max_namespaces, grace=5)
    here = most = 0
    room = io.of(re.compile(r"/room\d+"))

    @room.on("connection")
    def came(_: Socket) -> None:
        nonlocal here, most
        here += 1
        most = max(most, here)

    @room.on("disconnect")
    async def left(_: Socket, reason: str) -> None:
        nonlocal here
        try:
            await trio.sleep(3)
        finally:
            here -= 1

    async with connect(io) as client:
        again = [number % rooms for number in range(50)]
        for number in [*again, *range(100, 150)]:
            await client.send_packet(Packet(PacketType.CONNECT, f"/room{number}"))
            await client.send_packet(Packet(PacketType.DISCONNECT, f"/room{number}"))
        await wait_all_tasks_blocked()
        await trio.sleep(300)
        assert most == max_namespaces - 1  # one is "/"
        assert here == sum(len(one.sockets) for one in room.children.values())


class SlowAdapter(MemoryAdapter):
    """Takes a second for each socket that is let in, as one that asks others might."""

    async def add_all(self, socket_id: str, rooms: Collection[str]) -> None:
        await trio.sleep(1)
        await super().add_all(socket_id, rooms)


async def test_what_has_waited_for_the_root_counts_until_it_has_joined(
    autojump_clock: MockClock,
) -> None:
    """Or what is asked for while it joins comes on top."""
    io = Server(max_namespaces=4, adapter=SlowAdapter)

    @io.use
    async def wait(_: Socket) -> None:
        await trio.sleep(1)

    for name in "abcdef":
        io.of(name)
    async with io, open_wire(io) as wire:
        session = await wire.handshake()
        await session.post("40/a,", "40/b,", "40/c,")
        await trio.sleep(2.5)  # it is in "/", and joins "/a"
        await session.post("40/d,", "40/e,", "40/f,")
        await trio.sleep(10)
        (client,) = io.router.clients
        assert sorted(client.sockets) == ["/", "/a", "/b", "/c"]


def test_it_is_asked_once_which_decoders_are_bounded() -> None:
    class Plain:
        def feed(self, message: str | bytes) -> Packet | None:
            return None

    known = len(client_module._IS_BOUNDED)
    for _ in range(3):
        assert client_module._as_bounded(Plain()) is None
        decoder = Decoder()
        assert client_module._as_bounded(decoder) is decoder
    assert len(client_module._IS_BOUNDED) <= known + 2
    del Plain
    gc.collect()  # a class is in a circle
    assert len(client_module._IS_BOUNDED) <= known + 1
