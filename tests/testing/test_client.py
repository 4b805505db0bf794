"""The client in memory: it behaves as a Socket.IO client does, and tells of the server's errors."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import (
    ConnectionRefused,
    Disconnected,
    DisconnectReason,
    Packet,
    PacketRefused,
    PacketType,
    Refused,
    Server,
    Socket,
)
from trio_sio.testing import connect


async def test_hello_and_back(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        socket.on("echo", socket.send)
        socket.on("message", lambda *args: socket.emit("heard", *args))
        socket.on("ask", lambda *args: args)

    async with connect(io) as client:
        await client.emit("echo", 1, {"b": b"\0"})
        assert await client.receive() == ["message", 1, {"b": b"\0"}]
        await client.send("x", None)
        assert await client.receive() == ["heard", "x", None]
        assert await client.call("ask", 1, b"2") == [1, b"2"]


@pytest.mark.parametrize(("namespace", "sep"), [("/", ""), ("/chat", "/chat#"), ("chat", "/chat#")])
async def test_id(autojump_clock: trio.abc.Clock, namespace: str, sep: str) -> None:
    io = Server()
    io.of("/chat")
    async with connect(io, namespace) as client:
        assert client.id == sep + client.session.id
        assert list(io.of(namespace).sockets) == [client.id]


async def test_refusals(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.of("/chat").use
    def refuse(socket: Socket) -> None:
        raise ConnectionRefused("no", {"code": 1})

    with pytest.raises(ConnectionRefused) as refused:
        async with connect(io, "/chat"):
            raise AssertionError("the client was let in")
    assert refused.value.data == {"code": 1}
    with pytest.raises(ConnectionRefused, match="Invalid namespace"):
        async with connect(io, "/unknown"):
            raise AssertionError("the client was let in")
    async with connect(io) as client:  # the server has closed with each of them, and opens again
        assert client.session.reason is None


async def test_a_refused_event_raises_where_it_is_received(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.use
        def refuse(packet: Packet) -> None:
            raise PacketRefused("not that")

    async with connect(io) as client:
        await client.emit("x")
        with pytest.raises(Refused, match="not that"):
            await client.receive()
        await client.emit("x")
        assert (await client.receive_packet()).type is PacketType.ERROR


@pytest.mark.parametrize("protocol", [4, 5])
async def test_silence_costs_no_time_and_no_session(
    autojump_clock: trio.abc.Clock, protocol: int
) -> None:
    io = Server(ping_interval=25, ping_timeout=5)
    async with (
        connect(io, protocol=protocol) as lively,
        connect(io, heartbeat=False, protocol=protocol) as silent,
    ):
        await trio.sleep(3600)
        assert lively.session.reason is None
        assert silent.session.reason is DisconnectReason.PING_TIMEOUT
        await io.emit("still here?")
        assert await lively.receive() == ["still here?"]


async def test_the_end_is_heard_after_what_was_sent_before(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        await socket.emit("last words")
        await socket.disconnect(close=True)

    async with connect(io) as client:
        await client.session.wait_application_done()
        assert await client.receive() == ["last words"]
        with pytest.raises(Disconnected) as gone:
            await client.receive()
        assert gone.value.reason is DisconnectReason.SERVER_NAMESPACE_DISCONNECT
        with pytest.raises(Disconnected):
            await client.emit("too late")
        with pytest.raises(Disconnected):
            await client.call("too late")


async def test_whoever_waits_for_an_answer_is_told_of_the_end(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("bye", lambda: socket.client.disconnect())

    async with connect(io) as client:
        with pytest.raises(Disconnected):
            await client.call("bye", timeout=1000)


async def test_after_leaving_nothing_is_received(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client:
        await io.emit("before")
        await wait_all_tasks_blocked()
        await client.leave()
        await io.emit("after")
        assert await client.receive() == ["before"]
        with pytest.raises(Disconnected):
            await client.receive()


async def test_errors_of_handlers_come_out_or_are_logged(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    io.on("fail", lambda socket: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        async with connect(io) as client:
            await client.emit("fail")
            await trio.sleep(1)
    assert caplog.records == []
    async with connect(io, raise_errors=False) as client:
        await client.emit("fail")
        await wait_all_tasks_blocked()
        assert client.session.reason is None
    assert len(caplog.records) == 1


async def test_a_client_that_does_not_receive_has_a_buffer(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server(max_outbox=4)
    async with connect(io, buffer=3) as slow, connect(io) as other:
        await wait_all_tasks_blocked()
        for number in range(6):
            await io.emit("x", number, b"an attachment is a part of its own")
            await wait_all_tasks_blocked()
        assert slow.session.statistics().queued == 4
        # Answers and events are read in one stream; whoever stops reading gets neither.
        for number in range(6):
            assert (await slow.receive())[1] == number
        assert slow.session.statistics().queued == 0
        assert (await other.receive())[1] == 0


async def test_what_is_sent_may_break_the_rules(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.DISCONNECT, "/never joined"))
        await client.send_packet(Packet(PacketType.EVENT, "/", ["disconnect", "faked"]))
        await wait_all_tasks_blocked()
        assert client.session.reason is None
