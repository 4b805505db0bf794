"""Handlers of every event that is sent: once for each socket that gets it."""

import re
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.mixed import NEW, OLD, people
from trio_sio import (
    LimitReached,
    LocalProtocolError,
    MissingAnswers,
    PacketRefused,
    Server,
    Socket,
)
from trio_sio.testing import connect


async def test_each_socket_that_gets_an_event(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    seen: list[object] = []
    io.on("ask", lambda socket: "an answer is not told of")
    io.on_any_outgoing(lambda socket, event, *args: seen.append((socket.protocol, event, *args)))
    async with people(io, OLD, NEW, NEW) as (anna, bert, carl):
        bert.socket.on_any_outgoing(lambda *args: seen.append(("bert", *args)))
        await io.emit("all", 1)
        assert seen == [(4, "all", 1), (5, "all", 1), ("bert", "all", 1), (5, "all", 1)]
        seen.clear()
        await anna.socket.broadcast.emit("others")
        io.except_(bert.id).emit_nowait("now")
        await bert.socket.emit("one", 2, ack=repr)
        bert.socket.emit_nowait("one now")
        await carl.websocket.send('427["ask"]')
        await wait_all_tasks_blocked()
        with pytest.raises(trio.TooSlowError):
            await carl.socket.call("call", timeout=1)
        with pytest.raises(trio.TooSlowError):
            await io.to(anna.id).call("call", timeout=1)
        assert seen == [
            *[(5, "others"), ("bert", "others"), (5, "others")],
            *[(4, "now"), (5, "now")],
            *[(5, "one", 2), ("bert", "one", 2), (5, "one now"), ("bert", "one now")],
            *[(5, "call"), (4, "call")],
        ]


@pytest.mark.parametrize("recovery", [None, {}])
async def test_an_event_that_cannot_be_sent_is_neither_told_of_nor_counted(
    autojump_clock: MockClock, recovery: dict[str, object] | None
) -> None:
    io = Server(raise_errors=True, max_pending_acks=1, connection_state_recovery=recovery)
    seen: list[object] = []
    io.on_any_outgoing(lambda socket, event: seen.append((socket.protocol, event)))
    async with people(io, OLD, NEW) as crowd:
        for one in crowd:
            socket = one.socket
            for flagged in (socket, socket.volatile):
                with pytest.raises(LocalProtocolError):
                    await flagged.emit("odd", object(), ack=repr)
                with pytest.raises(LocalProtocolError):
                    await flagged.emit("odd", object())
            await socket.emit("first", ack=repr)
            with pytest.raises(LimitReached):
                await socket.emit("second", ack=repr)
            with pytest.raises(LimitReached):
                await socket.volatile.emit("second", ack=repr)
            with pytest.raises(LimitReached):
                await socket.call("second")
        with pytest.raises(MissingAnswers):
            await io.call("second")
        assert io.statistics().events_out == len(seen) == 2
        assert [len(one.socket.sender.acks) for one in crowd] == [1, 1]
    assert seen == [(4, "first"), (5, "first")]


async def test_volatile_events_are_told_of_when_they_are_sent(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    seen: list[object] = []
    io.on_any_outgoing(lambda socket, event: seen.append((socket.id, event)))
    async with connect(io, buffer=2) as slow, connect(io) as anna:
        await wait_all_tasks_blocked()
        socket = io.sockets.connected[slow.id]
        while True:
            try:
                socket.emit_nowait("fill")
            except trio.WouldBlock:
                break
        seen.clear()
        await io.volatile.emit("v")
        await socket.volatile.emit("v")
        await io.sockets.connected[anna.id].volatile.emit("one")
        with pytest.raises(trio.TooSlowError):
            await socket.volatile.call("v")
        assert seen == [(anna.id, "v"), (anna.id, "one")]


async def test_a_dynamic_namespace_tells_of_its_children(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    parent = io.of(re.compile("/room-.*"))
    seen: list[object] = []

    @parent.on_any_outgoing
    def told(socket: Socket, event: str) -> None:
        seen.append((socket.id, event))

    async with connect(io, "/room-1") as anna:
        await parent.emit("x")
        await io.emit("not here")
        assert seen == [(anna.id, "x")]
        parent.remove_any_outgoing(told)
        await parent.emit("x")
        assert (len(seen), parent.any_outgoing_handlers) == (1, ())


async def test_what_cannot_be_sent_is_not_told(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    seen: list[object] = []
    io.on_any_outgoing(lambda socket, *args: seen.append(args))
    async with people(io, OLD, NEW) as (anna, _):
        for emit in (io.emit, anna.socket.emit):
            with pytest.raises(LocalProtocolError):
                await emit("x", object())
    assert seen == []


async def test_what_one_raises_is_reported_and_the_event_is_sent(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server(raise_errors=False)
    errors: list[str] = []

    @io.on_any_outgoing
    def failing(socket: Socket, event: str) -> None:
        raise PacketRefused("not so") if event == "refused" else ValueError("mine")

    @io.on("error")
    async def error(socket: Socket, error: Exception) -> None:
        await trio.sleep(1)
        errors.append(str(error))

    async with people(io, OLD, NEW) as both:
        await io.emit("x")
        for one in both:
            assert await one.hear() == (None, ["x"])
        await both[1].socket.emit("y")
        await trio.sleep(2)
        assert errors == ["mine"] * 3
        await io.emit("refused")
        assert await both[0].hear() == (None, ["refused"])
        assert await both[0].websocket.receive() == '44"not so"'
    assert "failing, which sees every event that is sent, failed" in caplog.text
    assert io.sockets.statistics().failures == 3


async def test_so_many_reports_run_at_a_time_and_the_rest_is_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server(raise_errors=False, max_inbox=2)
    running = most = 0

    @io.on_any_outgoing
    def failing(socket: Socket, event: str) -> None:
        raise ValueError(event)

    @io.on("error")
    async def error(socket: Socket, error: Exception) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await trio.sleep(1)
        running -= 1

    async with connect(io, raise_errors=False):
        for number in range(10):
            await io.emit(str(number))
        await trio.sleep(30)
    assert (running, most) == (0, 2)
    assert io.sockets.statistics().failures == 10


async def test_with_raise_errors_it_ends_the_server(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)

    @io.on_any_outgoing
    def failing(socket: Socket, event: str) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        async with connect(io):
            await io.emit("x")
            await trio.sleep(1)


async def test_it_cannot_be_async(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)

    async def waits(socket: Socket, event: str) -> None:
        await trio.sleep(1)

    class Waits:
        async def __call__(self, socket: Socket, event: str) -> None:
            await trio.sleep(1)

    for function in (waits, partial(waits)):
        with pytest.raises(TypeError, match=r"not async, not .*waits"):
            io.on_any_outgoing(function)
    assert io.any_outgoing_handlers == ()
    io.on_any_outgoing(Waits())
    with pytest.raises(TypeError, match="is async, and nobody can wait for it"):
        async with connect(io):
            await io.emit("x")
            await trio.sleep(1)
