"""Sending to one socket: waiting, not waiting, flags, and clients who do not read."""

import re

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import Disconnected, DisconnectReason, LocalProtocolError, Server, Socket
from trio_sio.options import OverflowPolicy
from trio_sio.protocol.socketio.packet import RESERVED_EVENTS
from trio_sio.testing import connect


async def only_socket(io: Server, name: str = "/") -> Socket:
    """The one socket of a namespace."""
    await wait_all_tasks_blocked()
    (socket,) = io.of(name).sockets.values()
    return socket


async def test_emit_send_and_emit_nowait_keep_their_order(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    io.of("/chat")
    async with connect(io, "/chat") as client:
        socket = await only_socket(io, "/chat")
        await socket.emit("a", 1, {"b": b"\0"})
        socket.emit_nowait("b")
        await socket.send("c", None)
        assert await client.receive() == ["a", 1, {"b": b"\0"}]
        assert await client.receive() == ["b"]
        assert await client.receive() == ["message", "c", None]


@pytest.mark.parametrize("event", sorted(RESERVED_EVENTS))
async def test_reserved_names_are_refused(autojump_clock: trio.abc.Clock, event: str) -> None:
    io = Server()
    async with connect(io) as client:
        socket = await only_socket(io)
        with pytest.raises(ValueError, match=re.escape(f"{event!r} is reserved")):
            await socket.emit(event)
        with pytest.raises(ValueError, match="reserved"):
            socket.emit_nowait(event)
        with pytest.raises(ValueError, match="reserved"):
            await socket.call(event)
        with pytest.raises(ValueError, match="reserved"):
            await socket.volatile.emit(event)
        await socket.emit("connection")  # on a socket it means nothing
        assert await client.receive() == ["connection"]


async def test_wrong_names_and_arguments_are_refused(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client:
        socket = await only_socket(io)
        with pytest.raises(TypeError, match="an event name must be a str"):
            await socket.emit(1)  # type: ignore[call-overload]
        for wrong in (object(), {1, 2}, 1j):
            with pytest.raises(LocalProtocolError):
                await socket.emit("x", wrong)
            with pytest.raises(LocalProtocolError):
                await socket.call("x", wrong)
        assert len(socket.sender.acks) == 0
        await socket.emit("y")
        assert await client.receive() == ["y"]


async def test_binary_false_writes_javascripts_buffer(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client:
        socket = await only_socket(io)
        await socket.binary(False).emit("x", b"\1")
        await socket.binary(False).compress(False).volatile.emit("y", [b"\2"])
        await socket.binary(False).binary(True).emit("z", b"\3")
        assert await client.receive() == ["x", {"type": "Buffer", "data": [1]}]
        assert await client.receive() == ["y", [{"type": "Buffer", "data": [2]}]]
        assert await client.receive() == ["z", b"\3"]


async def test_compress_is_a_flag_of_the_item(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io):
        socket = await only_socket(io)
        for target, wanted in [(socket, True), (socket.compress(False), False)]:
            assert socket.sender.encode("x", (), target.flags).compress is wanted


async def test_flags_leave_the_socket_as_it_was(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io):
        socket = await only_socket(io)
        before = socket.flags
        volatile = socket.volatile
        assert volatile.flags.volatile
        assert volatile.compress(False) != volatile
        assert volatile == socket.volatile
        assert socket.flags == before
        assert socket.to("a").volatile != socket.to("a")


# -- clients who do not read -------------------------------------------------------------------


async def test_emit_waits_for_room(autojump_clock: trio.abc.Clock) -> None:
    io = Server(max_outbox=2)
    async with connect(io, buffer=1) as client:
        socket = await only_socket(io)
        sent = []

        async def emit_many() -> None:
            for number in range(10):
                await socket.emit("x", number)
                sent.append(number)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(emit_many)
            await trio.sleep(1)
            assert 0 < len(sent) < 10
            with pytest.raises(trio.WouldBlock):
                socket.emit_nowait("no room")
            assert [await client.receive() for _ in range(10)] == [["x", n] for n in range(10)]
        assert len(sent) == 10


async def test_who_waits_for_room_is_told_of_the_end(autojump_clock: trio.abc.Clock) -> None:
    io = Server(max_outbox=2)
    reasons = []
    async with io:
        async with connect(io, buffer=1):
            socket = await only_socket(io)

            async def emit_for_ever() -> None:
                try:
                    while True:
                        await socket.emit("x")
                except Disconnected as gone:
                    reasons.append(gone.reason)

            async with trio.open_nursery() as tasks:
                tasks.start_soon(emit_for_ever)
                await trio.sleep(1)
                socket.session.close()
        with pytest.raises(Disconnected):
            await socket.emit("x")
        with pytest.raises(Disconnected):
            socket.emit_nowait("x")
        with pytest.raises(Disconnected):
            await socket.volatile.emit("x")
    assert reasons == [DisconnectReason.FORCED_CLOSE]


async def test_volatile_is_dropped_where_there_is_no_room(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io, buffer=3) as slow, connect(io) as fast:
        await wait_all_tasks_blocked()
        socket = io.sockets.sockets[slow.id]
        await io.sockets.sockets[slow.id].emit("fill")
        for number in range(5):
            await io.emit("all", number)
            await io.volatile.emit("volatile", number)
            await socket.volatile.emit("volatile", "own")
        dropped = slow.session.outbox.dropped
        assert dropped > 0
        await io.emit("end")
        heard = []
        while (event := await slow.receive()) != ["end"]:
            heard.append(event)
        assert [event for event in heard if event[0] == "all"] == [["all", n] for n in range(5)]
        assert len(heard) == 1 + 5 + 10 - dropped
        heard = []
        while (event := await fast.receive()) != ["end"]:
            heard.append(event)
        assert len(heard) == 10


async def test_volatile_with_a_callback(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    heard: list[object] = []
    async with connect(io, buffer=1) as client:
        socket = await only_socket(io)
        await socket.volatile.emit("hello", ack=heard.append)
        await socket.volatile.emit("dropped", ack=heard.append)
        await client.answer(await client.receive_packet(), "answer")
        await wait_all_tasks_blocked()
        assert len(socket.sender.acks) == 0
    assert heard == ["answer"]


async def test_a_broadcast_to_a_full_outbox_closes_that_client(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server(max_outbox=2)
    reasons: dict[str, str] = {}
    io.on("disconnect", lambda socket, reason: reasons.update({socket.id: reason}))
    async with connect(io, buffer=1) as slow, connect(io) as fast:
        for number in range(20):
            await io.emit("x", number)
            assert await fast.receive() == ["x", number]
        await wait_all_tasks_blocked()
        assert reasons == {slow.id: DisconnectReason.SLOW_CONSUMER}
        assert await io.clients() == {fast.id}


async def test_what_may_be_dropped_has_no_acknowledgement(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    async with connect(io) as client:
        (socket,) = io.sockets.connected.values()
        emitter = socket.on_overflow("drop_newest")
        with pytest.raises(TypeError, match="on_overflow"):
            await emitter.emit("x", ack=print)
        with pytest.raises(TypeError, match="on_overflow"):
            await emitter.call("x")
        await emitter.volatile.emit("y")
        assert await client.receive() == ["y"]
        assert not socket.sender.acks


def test_there_is_no_such_policy() -> None:
    with pytest.raises(ValueError, match="not 'explode'"):
        Server().on_overflow("explode")


@pytest.mark.parametrize("policy", ["drop_newest", "drop_oldest"])
async def test_other_policies_drop_and_keep_the_client(
    autojump_clock: trio.abc.Clock, policy: OverflowPolicy
) -> None:
    io = Server(max_outbox=3, on_overflow=policy)
    async with connect(io, buffer=1) as slow, connect(io) as fast:
        await wait_all_tasks_blocked()
        for number in range(20):
            await io.emit("x", number)
            assert await fast.receive() == ["x", number]
        assert slow.session.reason is None
        dropped = slow.session.outbox.dropped
        heard = [(await slow.receive())[1] for _ in range(20 - dropped)]
        assert 0 < dropped < 20
        assert heard == sorted(heard)
        assert (19 in heard) is (policy == "drop_oldest")
        await io.emit("end")
        assert await slow.receive() == ["end"]
