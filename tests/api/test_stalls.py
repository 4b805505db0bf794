"""An event loop that is held: who did it is told, and no client is blamed for it."""

import logging
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.held_loop import Counter, warnings
from tests.support.peers import served
from tests.support.raw import raw
from tests.support.raw_websocket import CLOSE, TEXT, frame
from tests.support.servers import MakeServer
from trio_sio.testing import connect

HELD = "the event loop was held for 40.00 s (slow_step is 0.25 s) by "


async def test_a_client_that_gave_up_meanwhile_is_not_to_blame(
    make_server: MakeServer, counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    """Its last ping and its goodbye lie in the connection until we look again."""
    caplog.set_level(logging.INFO, "trio_sio")
    io = make_server()
    details: list[trio_sio.DisconnectDetail | None] = []
    io.on("work", lambda _socket: counter.hold(40))
    io.on("disconnect", lambda socket, _reason: details.append(socket.detail))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (socket,) = io.sockets.connected.values()
        before = repr(socket)
        await websocket.send('421["work"]')
        assert await websocket.receive() == "431[]"
        await websocket.stream.send_all(frame(TEXT, b"2") + frame(CLOSE, b""))
        assert (await websocket.receive_frame())[0] == TEXT  # a pong
        assert (await websocket.receive_frame())[0] == CLOSE
        await websocket.stream.aclose()
        await socket.session.wait_closed()
        await wait_all_tasks_blocked(0.01)
    (told,) = warnings(caplog)
    assert told.startswith(HELD)
    assert f"<lambda> for {before} (task trio_sio.router.lifecycle.Lifecycle.run)" in told
    (detail,) = details
    assert detail is not None
    assert (detail.reason, detail.text, detail.stalled) == ("transport close", "", 40)
    assert str(detail) == "transport close: our own event loop was held for 40.00 s meanwhile"
    assert f"session {socket.session.id[:6]}…: {detail}" in caplog.messages
    now = io.statistics()
    assert (now.stalls, now.stalled, now.longest_stall) == (1, 40, 40)


async def test_none_is_told_where_nobody_watches(
    make_server: MakeServer, counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    io = make_server(slow_step=None)
    io.on("work", lambda _socket: counter.hold(40))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send('421["work"]')
        assert await websocket.receive() == "431[]"
    assert warnings(caplog) == []
    assert io.statistics().stalls == 0


# -- who it was ----------------------------------------------------------------------------------


def as_a_handler(io: trio_sio.Server, hold: Callable[[], None]) -> None:
    @io.on("work")
    def holding(socket: trio_sio.Socket) -> None:
        hold()


def as_an_async_handler(io: trio_sio.Server, hold: Callable[[], None]) -> None:
    @io.on("work")
    async def holding(socket: trio_sio.Socket) -> None:
        hold()


def as_a_handler_of_the_socket(io: trio_sio.Server, hold: Callable[[], None]) -> None:
    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        @socket.on("work")
        def holding() -> None:
            hold()


def as_packet_middleware(io: trio_sio.Server, hold: Callable[[], None]) -> None:
    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        @socket.use
        def holding(packet: trio_sio.Packet) -> None:
            hold()


def as_an_error_handler(io: trio_sio.Server, hold: Callable[[], None]) -> None:
    @io.on("work")
    def fail(socket: trio_sio.Socket) -> None:
        raise LookupError

    @io.on("error")
    def holding(socket: trio_sio.Socket, error: Exception) -> None:
        hold()


@pytest.mark.parametrize(
    "register",
    [
        as_a_handler,
        as_an_async_handler,
        as_a_handler_of_the_socket,
        as_packet_middleware,
        as_an_error_handler,
    ],
)
async def test_a_function_is_named_with_its_socket(
    register: Callable[[trio_sio.Server, Callable[[], None]], None],
    counter: Counter,
    caplog: pytest.LogCaptureFixture,
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server()
    register(io, lambda: counter.hold(40))
    async with connect(io, raise_errors=False) as client:
        await client.emit("work")
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        (told,) = (one for one in warnings(caplog) if "held" in one)
        assert told.startswith(HELD)
        assert f".holding for {socket!r} (task trio_sio.router.lifecycle.Lifecycle.run);" in told


def of_the_namespace(io: trio_sio.Server, function: Callable[..., object]) -> None:
    io.use(function)


def at_the_connection(io: trio_sio.Server, function: Callable[..., object]) -> None:
    io.on("connection", function)


@pytest.mark.parametrize("register", [of_the_namespace, at_the_connection])
async def test_who_lets_clients_in_is_named_as_well(
    register: Callable[[trio_sio.Server, Callable[..., object]], None],
    counter: Counter,
    caplog: pytest.LogCaptureFixture,
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server()

    def holding(socket: trio_sio.Socket) -> None:
        counter.hold(40)

    register(io, holding)
    async with connect(io):
        await wait_all_tasks_blocked()
        (told,) = warnings(caplog)
        assert ".holding for <Socket 'memory…' in '/', " in told


async def test_a_function_that_waits_is_named_with_the_place(
    counter: Counter, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    io = trio_sio.Server()

    @io.on("work")
    async def holding(socket: trio_sio.Socket) -> None:
        counter.hold(40)
        await trio.sleep(1)

    async with connect(io) as client:
        await client.emit("work")
        await wait_all_tasks_blocked()
    (told,) = warnings(caplog)
    line = holding.__code__.co_firstlineno + 3
    assert f".holding, which waits at test_stalls.py:{line} now (task " in told


async def test_a_concurrent_handler_is_named(
    counter: Counter, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    io = trio_sio.Server()

    @io.on("work", concurrent=True)
    async def holding(socket: trio_sio.Socket) -> None:
        await trio.sleep(1)
        counter.hold(40)

    io.on("quick", lambda _socket: None)
    async with connect(io) as client:
        await client.emit("work")
        await client.call("quick")  # the last that was called by the socket's own task
        await trio.sleep(2)
    (told,) = warnings(caplog)
    assert "by task tests.api.test_stalls.test_a_concurrent_" in told
    assert ".holding;" in told


async def test_an_acknowledgements_callback_is_named(
    counter: Counter, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    io = trio_sio.Server()

    def holding(answer: str) -> None:
        counter.hold(40)

    async with connect(io) as client:
        (socket,) = io.sockets.sockets.values()
        await socket.emit("question", ack=holding)
        await client.answer(await client.receive_packet(), "yes")
        await wait_all_tasks_blocked()
    (told,) = warnings(caplog)
    assert "test_an_acknowledgements_callback_is_named.<locals>.holding;" in told


# -- no client is blamed -------------------------------------------------------------------------


async def test_what_we_were_held_counts_against_no_heartbeat(
    counter: Counter, autojump_clock: MockClock
) -> None:
    autojump_clock.rate = 1.0  # as everywhere but in tests: what holds the loop takes time
    io = trio_sio.Server(ping_interval=25, ping_timeout=5)

    @io.on("work")
    def holding(socket: trio_sio.Socket) -> None:
        counter.hold(20)
        autojump_clock.jump(20)

    async with connect(io, heartbeat=False) as client:
        await client.emit("work")
        await client.session.wait_closed()
        assert trio.current_time() >= 30 + 20
        detail = client.session.detail
        assert detail is not None
        assert (detail.reason, detail.stalled) == ("ping timeout", 20)
        assert str(detail).endswith(
            "(ping_timeout): our own event loop was held for 20.00 s meanwhile"
        )


async def test_what_was_long_before_is_no_excuse(
    counter: Counter, autojump_clock: MockClock
) -> None:
    autojump_clock.rate = 1.0
    io = trio_sio.Server(ping_interval=25, ping_timeout=5)
    io.on("work", lambda _socket: counter.hold(20))
    async with connect(io) as client:
        await client.emit("work")
        await trio.sleep(100)  # it pings meanwhile
        client.session.close()
        detail = client.session.detail
        assert detail is not None
        assert (detail.stalled, str(detail)) == (0, "forced close")


async def test_a_slow_machine_changes_no_virtual_time(
    counter: Counter, autojump_clock: MockClock
) -> None:
    io = trio_sio.Server(ping_interval=25, ping_timeout=5)
    io.on("work", lambda _socket: counter.hold(20))
    async with connect(io, heartbeat=False) as client:
        await client.emit("work")
        await client.session.wait_closed()
        assert trio.current_time() == 30
        assert (
            str(client.session.detail)
            == "ping timeout: nothing was heard for 30.0 s (ping_timeout)"
        )
