"""What clients send: in which order it is handled, what is not handled."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import DisconnectReason, Packet, PacketType, Server, Socket
from trio_sio.protocol.socketio.packet import RESERVED_EVENTS
from trio_sio.testing import connect


async def test_events_of_a_socket_are_handled_one_after_the_other(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    story: list[object] = []

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        @socket.on("x")
        async def x(number: int) -> None:
            await trio.sleep(10 - number)
            story.append(number)

        await trio.sleep(5)
        story.append("connected")

    async with connect(io) as client:
        for number in range(3):
            await client.emit("x", number)
        await trio.sleep(100)
    assert story == ["connected", 0, 1, 2]


async def test_concurrent_handlers_do_not_wait(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    story = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("x", concurrent=True)
        async def x(number: int) -> int:
            await trio.sleep(10 - number)
            story.append(number)
            return number

        @socket.on("y")
        def y() -> None:
            story.append(-1)

    async with connect(io) as client:
        for number in range(3):
            await client.emit("x", number)
        await client.call("y")
        assert await client.call("x", 5) == [5]
        await trio.sleep(100)
    assert story == [-1, 5, 2, 1, 0]


async def test_several_handlers_hear_an_event_in_their_order(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    story: list[str] = []
    io.on("x", lambda socket: story.append("common"))

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("x")
        async def slow() -> None:
            await trio.sleep(1)
            story.append("slow")

        socket.on("x", lambda: story.append("fast"))

    async with connect(io) as client:
        await client.call("x")
    assert story == ["common", "slow", "fast"]


async def test_a_full_inbox_stalls_its_own_client_only(autojump_clock: trio.abc.Clock) -> None:
    io = Server(max_inbox=2)
    handled = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("slow")
        async def slow(number: int) -> None:
            await trio.sleep(10)
            handled.append(number)

        socket.on("here?", lambda: "yes")

    async with connect(io) as busy, connect(io) as other:
        with trio.move_on_after(5):
            for number in range(100):
                await busy.emit("slow", number)
        # One is being handled, two wait in the inbox, one with the reader, which reads no more.
        assert number == 4
        assert await other.call("here?") == ["yes"]
        await trio.sleep(100)
        assert handled == [0, 1, 2, 3]


@pytest.mark.parametrize("event", sorted(RESERVED_EVENTS))
async def test_reserved_names_from_the_wire_are_ignored(
    autojump_clock: trio.abc.Clock, event: str
) -> None:
    io = Server()
    heard: list[object] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on(event, lambda *args: heard.append(args))
        socket.on("here?", lambda: "yes")

    async with connect(io) as client:
        await client.emit(event, "fake")
        assert await client.call("here?") == ["yes"]
        assert heard == []
        assert client.session.reason is None


async def test_connection_as_a_clients_event_is_its_own(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    heard = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        heard.append("connection")
        socket.on("connection", lambda: heard.append("event"))

    async with connect(io) as client:
        await client.call("connection")
    assert heard == ["connection", "event"]


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("__proto__", "__proto__"),
        ("constructor", "constructor"),
        ("", ""),
        ("ünïcode \N{PILE OF POO}", "ünïcode \N{PILE OF POO}"),
        (5, "5"),
        (5.0, "5"),
        (1.5, "1.5"),
    ],
)
async def test_odd_names(autojump_clock: trio.abc.Clock, sent: str | float, name: str) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on(name, lambda *args: args)

    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.EVENT, "/", [sent, 1]))
        if isinstance(sent, str):
            assert await client.call(sent, 1) == [1]
        else:
            await wait_all_tasks_blocked()


async def test_binary_arrives_as_it_was_sent(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    io.on("echo", lambda socket, *args: args)
    async with connect(io) as client:
        args = [b"", {"deep": [b"\0\xff", {"deeper": b"x" * 1000}]}, None, "text"]
        assert await client.call("echo", *args) == args


async def test_events_before_a_leave_are_handled(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    story: list[object] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("x")
        async def x(number: int) -> None:
            await trio.sleep(1)
            story.append(number)

        socket.on("disconnect", story.append)

    async with connect(io) as client:
        for number in range(3):
            await client.emit("x", number)
        await client.leave()
        await client.emit("x", "too late")
        await trio.sleep(100)
    assert story == [0, 1, 2, DisconnectReason.CLIENT_NAMESPACE_DISCONNECT]


async def test_events_behind_our_own_disconnect_are_not_handled(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    story = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("x")
        async def x(number: int) -> None:
            story.append(number)
            await socket.disconnect()

    async with connect(io) as client:
        for number in range(3):
            await client.emit("x", number)
        await wait_all_tasks_blocked()
    assert story == [0]
