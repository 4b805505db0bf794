"""What clients send: in which order it is handled, what is not handled."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.support.held_loop import Counter, counter as counter
from trio_sio import DisconnectReason, Packet, PacketType, Refused, Server, Socket
from trio_sio.protocol.socketio.packet import RESERVED_EVENTS_4
from trio_sio.statistics import DURATIONS
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


@pytest.mark.parametrize("event", sorted(RESERVED_EVENTS_4))
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


async def test_a_catch_all_gets_what_nobody_else_handles() -> None:
    io = Server()
    heard: list[tuple[object, ...]] = []
    io.on("known", lambda socket, *args: heard.append(("known", *args)))

    @io.on("*")
    async def anything(socket: Socket, event: str, *args: object) -> str:
        heard.append((socket.id, event, *args))
        return f"nobody knows {event}"

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("own", lambda *args: heard.append(("own", *args)))
        socket.on("*", lambda event, *args: heard.append((event, *args)))

    async with connect(io) as client:
        await client.call("known", 1)
        await client.call("own", 2)
        assert heard == [("known", 1), ("own", 2)]
        heard.clear()
        for event in ("other", "*", "connection", "__class__"):
            assert await client.call(event, 3) == [f"nobody knows {event}"]
            assert heard == [(client.id, event, 3), (event, 3)]
            heard.clear()


async def test_a_catch_all_of_a_dynamic_namespace_and_once(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    heard: list[object] = []
    rooms = io.of(lambda name, query: True)
    rooms.on("*", lambda socket, event, ack: ack(socket.namespace.name, event), ack=True)
    io.of("/a").once("*", lambda socket, event: heard.append(event))
    async with connect(io, "/a") as client:
        await client.emit("one")
        await client.emit("two")
        await trio.sleep(1)
        assert heard == ["one"]
    async with connect(io, "/b") as client:
        assert await client.call("three") == ["/b", "three"]


async def test_a_catch_all_is_not_told_of_the_sockets_own_life(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    heard: list[object] = []
    io.on("*", lambda *args: heard.append(args))
    async with connect(io) as client:
        for event in RESERVED_EVENTS_4:
            await client.emit(event)
        await trio.sleep(1)
    assert heard == []


async def test_a_catch_all_that_fails_is_named_with_the_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()

    @io.on("*")
    def broken(socket: Socket, event: str) -> None:
        raise ValueError("no")

    io.on("next", lambda socket: 1)
    async with connect(io, raise_errors=False) as client:
        await client.emit("news")
        await client.call("next")
    assert "broken, which handles 'news' as '*', failed" in caplog.text


async def test_a_catch_all_can_be_removed(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    heard: list[object] = []
    io.on("*", heard.append)
    assert io.event_names() == ["*"]
    io.remove_listener("*", heard.append)
    async with connect(io) as client:
        await client.emit("*")
        await client.emit("any")
        await trio.sleep(1)
    assert heard == []


# -- how long handlers take ----------------------------------------------------------------------


def calls_by_bound(io: Server) -> dict[float, int]:
    """How many calls of handlers there were, by the bound of the durations they are among."""
    durations = io.sockets.statistics().durations
    bounds = (*DURATIONS, float("inf"))
    return {bound: count for bound, count in zip(bounds, durations, strict=True) if count}


@pytest.mark.parametrize("slow_step", [0.25, None])
async def test_each_call_takes_its_own_time(
    slow_step: float | None, counter: Counter, autojump_clock: trio.abc.Clock
) -> None:
    """Of calls that follow each other, or wait for each other, in however few steps of the loop."""
    io = Server(slow_step=slow_step, raise_errors=False)
    may_end = trio.Event()

    @io.on("compute")
    def compute(socket: Socket, seconds: float) -> None:
        counter.hold(seconds)

    @io.on("wait", concurrent=True)
    async def wait(socket: Socket) -> None:
        counter.hold(0.125)
        await may_end.wait()
        counter.hold(0.125)

    @io.on("end")
    def end(socket: Socket) -> None:
        counter.hold(4)
        may_end.set()

    async with io, connect(io) as client:
        for seconds in (0.0009765625, 0.00390625, 0.5, 0.5, 16.0):
            await client.emit("compute", seconds)
        await wait_all_tasks_blocked()
        now = io.sockets.statistics()
        assert calls_by_bound(io) == {0.001: 1, 0.005: 1, 0.5: 2, float("inf"): 1}
        assert now.call_seconds == 17.0048828125
        await client.emit("wait")
        await client.emit("end")
        await wait_all_tasks_blocked()
    whole = io.sockets.statistics()
    assert whole.call_seconds - now.call_seconds == 4 + 4.25
    assert calls_by_bound(io) == {0.001: 1, 0.005: 1, 0.5: 2, 5: 2, float("inf"): 1}
    assert (whole.calls, whole.failures) == (7, 0)


async def test_packet_middleware_is_no_time_of_the_handler(
    counter: Counter, autojump_clock: trio.abc.Clock
) -> None:
    io = Server()
    io.on("connection", lambda socket: socket.use(lambda packet: counter.hold(3)))
    io.on("compute", lambda socket: counter.hold(1))
    async with connect(io) as client:
        await client.call("compute")
    assert io.sockets.statistics().call_seconds == 1


async def test_who_fails_has_taken_time_as_well(
    counter: Counter, autojump_clock: trio.abc.Clock
) -> None:
    io = Server(raise_errors=False)

    @io.on("fail")
    def fail(socket: Socket) -> None:
        counter.hold(2)
        raise LookupError("a mistake")

    @io.on("refuse")
    def refuse(socket: Socket) -> None:
        counter.hold(2)
        raise Refused("no")

    async with connect(io, raise_errors=False) as client:
        for event in ("fail", "refuse"):
            await client.emit(event)
        await wait_all_tasks_blocked()
    now = io.sockets.statistics()
    assert (now.calls, now.call_seconds, now.failures) == (2, 4, 1)
