"""One client in one namespace: what it is, its nursery, and every way to its end."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import (
    ConnectionRefused,
    Disconnected,
    DisconnectReason,
    Packet,
    PacketType,
    Server,
    Socket,
)
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.testing import MemoryClient, connect


async def only_socket(io: Server, name: str = "/") -> Socket:
    """The one socket of a namespace."""
    await wait_all_tasks_blocked()
    (socket,) = io.of(name).sockets.values()
    return socket


async def test_what_a_socket_is(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    chat = io.of("/chat")
    async with connect(io, "/chat") as client:
        socket = await only_socket(io, "/chat")
        assert socket.id == client.id == f"/chat#{client.session.id}"
        assert socket.nsp is socket.namespace is chat
        assert socket.connected
        assert not socket.disconnected
        assert socket.reason is None
        assert repr(socket) == "<Socket 'memory…' in '/chat', connected>"
        assert (await only_socket(io)).id == client.session.id
    assert socket.disconnected
    assert not socket.connected
    assert socket.reason is DisconnectReason.TRANSPORT_CLOSE
    assert repr(socket) == "<Socket 'memory…' in '/chat', ended>"
    with pytest.raises(RuntimeError, match="nursery"):
        socket.nursery  # noqa: B018


# -- its nursery -------------------------------------------------------------------------------


async def test_background_work_ends_with_the_socket(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    story: list[str] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        async def tick() -> None:
            try:
                for number in range(1000):
                    await socket.emit("tick", number)
                    await trio.sleep(1)
            finally:
                story.append("cancelled")

        socket.nursery.start_soon(tick)
        socket.on("disconnecting", lambda reason: story.append("disconnecting"))

    async with connect(io) as client:
        assert [await client.receive() for _ in range(3)] == [["tick", n] for n in range(3)]
    assert story == ["cancelled", "disconnecting"]


async def test_a_failing_task_closes_its_socket_only(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    reasons: list[str] = []

    async def fail() -> None:
        await trio.sleep(1)
        raise LookupError("a mistake")

    @io.of("/chat").on("connection")
    def connection(socket: Socket) -> None:
        socket.nursery.start_soon(fail)
        socket.on("disconnect", reasons.append)

    io.on("here?", lambda socket: "yes")
    async with connect(io, "/chat", raise_errors=False) as client, connect(io) as other:
        with pytest.raises(Disconnected):
            await client.receive()
        assert await other.call("here?") == ["yes"]
        assert client.session.reason is None
        assert list(io.sockets.sockets) == [client.session.id, other.id]
    assert reasons == [DisconnectReason.SERVER_NAMESPACE_DISCONNECT]
    assert len(caplog.records) == 1
    assert "a task in its nursery failed" in caplog.text


async def test_a_failing_task_comes_out_of_a_test(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    reasons: list[str] = []

    async def fail() -> None:
        raise LookupError("a mistake")

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.nursery.start_soon(fail)
        socket.on("disconnect", reasons.append)

    with pytest.raises(LookupError):
        async with connect(io):
            await trio.sleep_forever()
    assert len(reasons) == 1
    assert caplog.records == []


async def test_speaking_to_a_client_that_left_is_quiet(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    reasons: list[str] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        async def shout() -> None:
            with trio.CancelScope(shield=True):
                await trio.sleep(60)
            await socket.emit("anybody?")

        socket.nursery.start_soon(shout)
        socket.on("disconnect", reasons.append)

    async with connect(io):
        await wait_all_tasks_blocked()
    assert reasons == [DisconnectReason.TRANSPORT_CLOSE]
    assert caplog.records == []


# -- the end -----------------------------------------------------------------------------------


async def end_by_client(io: Server, client: MemoryClient) -> None:
    await client.leave()


async def end_by_server(io: Server, client: MemoryClient) -> None:
    await io.sockets.sockets[client.id].disconnect()


async def end_by_closing(io: Server, client: MemoryClient) -> None:
    await io.sockets.sockets[client.id].disconnect(close=True)


async def end_by_close_packet(io: Server, client: MemoryClient) -> None:
    await client.send_engine_packet(EnginePacket(EnginePacketType.CLOSE))


async def end_by_session(io: Server, client: MemoryClient) -> None:
    client.session.close()


async def end_by_silence(io: Server, client: MemoryClient) -> None:
    await trio.sleep(40)


async def end_by_nonsense(io: Server, client: MemoryClient) -> None:
    await client.send_engine_packet(EnginePacket(EnginePacketType.MESSAGE, b"unasked"))


async def end_by_shutdown(io: Server, client: MemoryClient) -> None:
    await io.aclose()


ENDS = [
    (end_by_client, DisconnectReason.CLIENT_NAMESPACE_DISCONNECT),
    (end_by_server, DisconnectReason.SERVER_NAMESPACE_DISCONNECT),
    (end_by_closing, DisconnectReason.SERVER_NAMESPACE_DISCONNECT),
    (end_by_close_packet, DisconnectReason.TRANSPORT_CLOSE),
    (end_by_session, DisconnectReason.FORCED_CLOSE),
    (end_by_silence, DisconnectReason.PING_TIMEOUT),
    (end_by_nonsense, DisconnectReason.FORCED_CLOSE),
    (end_by_shutdown, DisconnectReason.SERVER_SHUTTING_DOWN),
]


@pytest.mark.parametrize(("end", "reason"), ENDS, ids=[end.__name__ for end, _ in ENDS])
async def test_reasons(
    autojump_clock: trio.abc.Clock,
    end: Callable[[Server, MemoryClient], Awaitable[None]],
    reason: DisconnectReason,
) -> None:
    io = Server()
    story: list[tuple[str, str]] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("disconnecting", lambda why: story.append(("disconnecting", why)))
        socket.on("disconnect", lambda why: story.append(("disconnect", why)))

    heartbeat = end is not end_by_silence
    async with io, connect(io, heartbeat=heartbeat, raise_errors=False) as client:
        await wait_all_tasks_blocked()
        await end(io, client)
        await wait_all_tasks_blocked()
        assert story == [("disconnecting", reason), ("disconnect", reason)]
        with pytest.raises(Disconnected):
            await client.receive()


async def test_all_namespaces_are_left_with_the_connection(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    story: list[str] = []
    for name in ("/", "/a", "/b"):
        io.of(name).on("disconnect", lambda socket, why: story.append(f"{socket.nsp.name} {why}"))
    async with connect(io, "/a") as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/b"))
        await wait_all_tasks_blocked()
        await (await only_socket(io, "/b")).disconnect(close=True)
        await wait_all_tasks_blocked()
        assert client.session.closed
    why = DisconnectReason.SERVER_NAMESPACE_DISCONNECT
    assert sorted(story) == sorted(f"{name} {why}" for name in ("/", "/a", "/b"))


async def test_disconnecting_twice_is_once(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    reasons: list[str] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("disconnect", reasons.append)

    async with connect(io) as client:
        socket = await only_socket(io)
        for close in (True, False, True):
            await socket.disconnect(close)
        await client.session.wait_application_done()
        await socket.disconnect()
    assert reasons == [DisconnectReason.SERVER_NAMESPACE_DISCONNECT]


async def test_running_handlers_get_grace_and_no_more(autojump_clock: trio.abc.Clock) -> None:
    io = Server(grace=5)
    story: list[str] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("work")
        async def work(seconds: int) -> None:
            try:
                await trio.sleep(seconds)
                story.append("finished")
            except trio.Cancelled:
                story.append("cut")
                raise

        socket.on("disconnect", story.append)

    for seconds in (4, 6):
        async with connect(io) as client:
            await client.emit("work", seconds)
            await wait_all_tasks_blocked()
    assert story == ["finished", "transport close", "cut", "transport close"]


# -- the application ends what is ours -------------------------------------------------------------


async def cancel_nursery(io: Server, socket: Socket) -> None:
    socket.nursery.cancel_scope.cancel()


async def cancel_nursery_in_a_task(io: Server, socket: Socket) -> None:
    async def cancel() -> None:
        await trio.sleep(1)
        socket.nursery.cancel_scope.cancel()

    socket.nursery.start_soon(cancel)


async def disconnect_itself(io: Server, socket: Socket) -> None:
    await socket.disconnect()


async def disconnect_from_another_task(io: Server, socket: Socket) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(socket.disconnect)


@pytest.mark.parametrize("place", ["connection", "do", "do, concurrent", "middleware"])
@pytest.mark.parametrize(
    "act",
    [
        *(cancel_nursery, cancel_nursery_in_a_task),
        *(disconnect_itself, disconnect_from_another_task),
    ],
)
async def test_a_socket_that_the_application_ends_in_any_way_tells_its_client(
    act: Callable[[Server, Socket], Awaitable[None]], place: str, autojump_clock: trio.abc.Clock
) -> None:
    io = Server()
    chat = io.of("/chat")
    gone: list[str] = []

    async def end(socket: Socket, *args: object) -> None:
        await act(io, socket)
        await trio.sleep(2)

    if place == "middleware":
        chat.use(end)
    else:
        event, _, kind = place.partition(", ")
        chat.on(event, end, concurrent=kind == "concurrent")
    chat.on("disconnect", lambda socket, reason: gone.append(reason))
    refused: Exception | None = None
    async with io:
        try:
            async with connect(io, "/chat") as client:
                assert place != "middleware"
                await client.emit("do")
                with pytest.raises(Disconnected):
                    await client.receive()
                assert client.session.reason is None  # it was told, and may be elsewhere
        except (ConnectionRefused, Disconnected) as error:
            refused = error
        assert not chat.sockets
        assert chat.users == 0
        assert not io.router.clients
    if place == "middleware" and act in (cancel_nursery, cancel_nursery_in_a_task):
        assert str(refused) == "Internal server error"
    elif place == "middleware":
        assert isinstance(refused, Disconnected)
    else:
        assert gone == ["server namespace disconnect"]


@pytest.mark.parametrize("place", ["connection", "do", "disconnecting", "disconnect"])
@pytest.mark.parametrize("verb", ["aclose", "session.close", "sockets.clear", "disconnect all"])
async def test_the_application_may_end_everything_in_any_handler(
    verb: str, place: str, autojump_clock: trio.abc.Clock
) -> None:
    io = Server(grace=4)
    gone: list[str] = []
    came: list[str] = []
    io.on("connect", lambda socket: came.append(socket.id))
    io.on("disconnect", lambda socket, reason: gone.append(socket.id))

    @io.on(place)
    async def end(socket: Socket, *args: object) -> None:
        match verb:
            case "aclose":
                await io.aclose()
            case "session.close":
                socket.session.close()
            case "sockets.clear":
                io.sockets.sockets.clear()
            case _:
                for one in tuple(io.sockets.sockets.values()):
                    await one.disconnect(close=True)

    async with io:
        with contextlib.suppress(Disconnected):
            async with connect(io) as first, connect(io) as second:
                assert first.id != second.id
                with contextlib.suppress(Disconnected):
                    await first.emit("do")
                await trio.sleep(10)
        assert came
        assert sorted(gone) == sorted(came)
        assert not io.router.clients
        assert not io.sockets.sockets
        assert io.sockets.users == 0
        assert trio.current_time() < 60
