"""Clients that leave while they are still joining: nobody waits for them for ever."""

from collections.abc import Collection

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.modern import client
from trio_sio import (
    DisconnectReason,
    Headers,
    MemoryAdapter,
    Packet,
    PacketType,
    Request,
    Server,
    Session,
    Socket,
)
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.testing import connect
from trio_sio.testing.transport import MemoryTransport


class LateAdapter(MemoryAdapter):
    """An adapter that asks somebody else first."""

    async def add_all(self, socket_id: str, rooms: Collection[str]) -> None:
        await trio.sleep(1)
        await super().add_all(socket_id, rooms)


def early_bird(io: Server) -> tuple[Session, MemoryTransport]:
    """A session whose client can speak before it has joined "/"."""
    transport = MemoryTransport(100)
    request = Request("GET", "/socket.io/?EIO=3", Headers(), remote="192.0.2.1")
    session = io.engine.sessions.add("early bird", request, transport)
    return session, transport


async def test_client_leaves_while_those_who_wait_join(autojump_clock: trio.abc.Clock) -> None:
    io = Server(adapter=LateAdapter)

    @io.use
    async def think(socket: Socket) -> None:
        await trio.sleep(10)

    names = ("/a", "/b", "/c")
    story: list[str] = []
    for name in names:
        io.of(name).on("connection", lambda socket: story.append(socket.nsp.name))
    async with io, trio.open_nursery() as nursery:
        session, transport = early_bird(io)
        nursery.start_soon(io.engine.sessions.run, session, io.serve_session)
        for name in names:
            await transport.client_send(EnginePacket(EnginePacketType.MESSAGE, f"0{name}"))
        await trio.sleep(12.5)  # now "/" and "/a" are joined, and "/b" is being joined
        assert story == ["/a"]
        transport.client_close()
        with trio.fail_after(30):
            await session.wait_application_done()
        assert story == ["/a"]
        assert not io.router.clients
        assert all(not io.of(name).sockets for name in names)


async def test_client_leaves_while_it_waits_to_rejoin(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    chat = io.of("/chat")
    tries: list[str] = []

    @chat.use
    async def first_time_only(socket: Socket) -> None:
        tries.append(socket.id)
        if len(tries) > 1:
            await trio.sleep_forever()

    @chat.on("disconnecting")
    async def disconnecting(socket: Socket, reason: str) -> None:
        await trio.sleep(2)

    with trio.fail_after(60):
        async with connect(io, "/chat") as client:
            await client.leave()
            await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
            await wait_all_tasks_blocked()
    assert len(tries) == 1
    assert not chat.sockets


async def test_too_many_who_wait_are_the_clients_fault(autojump_clock: trio.abc.Clock) -> None:
    io = Server(handshake_packets=20)

    @io.use
    async def think(socket: Socket) -> None:
        await trio.sleep(10)

    for number in range(100):
        io.of(f"/{number}")
    async with io, trio.open_nursery() as nursery:
        session, transport = early_bird(io)
        nursery.start_soon(io.engine.sessions.run, session, io.serve_session)
        sent = 0
        try:
            for sent in range(100):
                packet = EnginePacket(EnginePacketType.MESSAGE, f"0/{sent}")
                await transport.client_send(packet)
        except trio.BrokenResourceError:
            pass
        assert 20 <= sent < 30
        await session.wait_application_done()
        assert session.reason is DisconnectReason.FORCED_CLOSE
        assert not io.router.clients
        async with connect(io, "/5") as client:
            assert client.session.reason is None


async def test_a_socket_that_left_while_its_adapter_joined_a_room_is_in_none(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server(adapter=LateAdapter)
    async with io, trio.open_nursery() as nursery:
        async with connect(io):
            await wait_all_tasks_blocked()
            (socket,) = io.sockets.sockets.values()
            nursery.start_soon(socket.join, "room")  # by a task that is not the socket's
            await wait_all_tasks_blocked()
        await trio.sleep(5)
        adapter = io.sockets.adapter
        assert isinstance(adapter, MemoryAdapter)
        assert (adapter.rooms, adapter.sids) == ({}, {})


@pytest.mark.parametrize("waits", [False, True])
async def test_the_next_request_is_looked_at_when_middleware_waits_or_has_passed(
    waits: bool, autojump_clock: MockClock
) -> None:
    io = Server()
    story: list[str] = []

    @io.of("/checked").use
    async def check(_: Socket) -> None:
        story.append("check")
        if waits:
            await trio.sleep(1)

    @io.of("/checked").use
    async def check_again(_: Socket) -> None:
        story.append("check again")

    for name in ("/checked", "/free"):
        io.of(name).on("connection", lambda socket: story.append(socket.nsp.name))
    async with connect(io) as client:
        for name in ("/checked", "/free"):
            await client.send_packet(Packet(PacketType.CONNECT, name))
        await trio.sleep(2)
    checked = ["check again", "/checked"]
    assert story == ["check", *(["/free", *checked] if waits else [*checked, "/free"])]


@pytest.mark.parametrize("fails", ["raises", "returns what is no packet"])
async def test_a_join_does_not_wait_for_an_error_handler_that_waits_for_the_client(
    fails: str, autojump_clock: MockClock
) -> None:
    """The handler runs in the turn of its event, in which the middleware cannot begin."""
    io = Server(raise_errors=False)
    answers: list[object] = []
    io.of("/checked").use(lambda socket: None)

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.use
        def fail(packet: Packet) -> object:
            if fails == "raises":
                raise LookupError
            return fails

    @io.on("error")
    async def ask(socket: Socket, error: Exception) -> None:
        answers.append(await socket.call("question", timeout=20))

    async with connect(io, raise_errors=False) as client:
        await client.emit("bad")
        question = await client.receive_packet()
        await client.emit("bad")
        await client.send_packet(Packet(PacketType.CONNECT, "/checked"))
        await client.answer(question, "yes")
        await trio.sleep(1)
        assert answers == ["yes"]
        assert len(io.of("/checked").connected) == 1


async def test_nobody_is_refused_who_left_while_a_dynamic_namespace_thought(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server(raise_errors=True)
    ended: list[str] = []

    @io.of
    async def think(name: str, auth: object) -> bool:
        try:
            await trio.sleep(10)
        finally:
            ended.append(name)
        return False

    async with client(io) as websocket:
        await websocket.send("40/a,")
        await wait_all_tasks_blocked()
        await websocket.close()
        await wait_all_tasks_blocked()
        assert ended == ["/a"]
        assert io.statistics().refused["namespace"] == 0
    async with client(io) as websocket:
        await websocket.send("40/b,")
        assert await websocket.receive() == '44/b,{"message":"Invalid namespace"}'
        assert io.statistics().refused["namespace"] == 1
    asked = [one for one in caplog.messages if "asked for the namespace" in one]
    assert len(asked) == 1
    assert "'/b'" in asked[0]
