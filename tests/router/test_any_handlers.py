"""Handlers of every event that clients send, and what they may not change."""

import re
from collections.abc import Awaitable, Callable

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.examples import examples
from tests.support.mixed import NEW, OLD, people
from trio_sio import Packet, PacketRefused, Server, Socket, WrongArguments
from trio_sio.router.any_handlers import AnyTable
from trio_sio.testing import connect


async def test_they_come_before_everybody_else(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    order: list[object] = []

    def note(name: str) -> Callable[..., Awaitable[None]]:
        async def noted(*args: object) -> None:
            await trio.lowlevel.checkpoint()
            order.append((name, *(one for one in args if not isinstance(one, Socket))))

        return noted

    @io.on("x")
    def x(socket: Socket, *args: object) -> str:
        order.append(("handler", *args))
        return "answer"

    @io.on("*")
    def others(socket: Socket, event: str) -> None:
        order.append(("others", event))

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on_any(note("socket's"))
        socket.on_any(note("socket's first"), first=True)
        socket.use(lambda packet: order.append("middleware"))

    io.on_any(note("namespace's"))
    io.on_any(first=True)(note("namespace's first"))
    names = ["namespace's first", "namespace's", "socket's first", "socket's"]
    async with people(io, OLD, NEW) as both:
        for one in both:
            order.clear()
            await one.websocket.send('427["x",1]')
            assert await one.websocket.receive() == '437["answer"]'
            assert order == [*((name, "x", 1) for name in names), "middleware", ("handler", 1)]
            order.clear()
            await one.say("y")
            await wait_all_tasks_blocked()
            assert order == [*((name, "y") for name in names), "middleware", ("others", "y")]


async def test_a_handler_gets_the_socket_of_a_namespace(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    parent = io.of(re.compile("/room-.*"))
    seen: list[object] = []

    @parent.on_any
    def of_parent(socket: Socket, event: str, *args: object) -> None:
        seen.append(("parent", socket.id, event, *args))

    async with connect(io, "/room-1") as anna:
        io.of("/room-1").on_any(lambda socket, *args: seen.append(("child", socket.id, *args)))
        await anna.emit("x", 1)
        await wait_all_tasks_blocked()
        assert seen == [("parent", anna.id, "x", 1), ("child", anna.id, "x", 1)]
        parent.remove_any(of_parent)
        io.of("/room-1").remove_any()
        await anna.emit("y")
        await wait_all_tasks_blocked()
        assert len(seen) == 2
        assert parent.any_handlers == io.of("/room-1").any_handlers == ()


@pytest.mark.parametrize("waits", [False, True])
async def test_what_one_raises_is_reported_and_the_event_goes_on(
    waits: bool, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server(raise_errors=False)
    errors: list[BaseException] = []

    @io.on_any
    async def failing(socket: Socket, event: str, *args: object) -> None:
        if waits:
            await trio.sleep(1)
        raise ValueError("mine")

    @io.on("error")
    def error(socket: Socket, error: Exception) -> None:
        errors.append(error)

    io.on("x", lambda socket: "fine")
    async with people(io, OLD, NEW) as both:
        for one in both:
            await one.websocket.send('427["x"]')
            assert await one.websocket.receive() == '437["fine"]'
    assert [str(one) for one in errors] == ["mine", "mine"]
    assert "failing, which sees every event of clients, failed" in caplog.text
    assert io.sockets.statistics().failures == 2


async def test_with_raise_errors_it_ends_the_server(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)

    @io.on_any
    def failing(socket: Socket, *args: object) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        async with connect(io) as anna:
            await anna.emit("x")
            await trio.sleep(1)


async def test_one_that_refuses_tells_a_2x_client_and_the_event_goes_on(
    autojump_clock: MockClock,
) -> None:
    io = Server(raise_errors=True)

    @io.on_any
    def refusing(socket: Socket, *args: object) -> None:
        raise PacketRefused("not so", {"code": 1})

    io.on("x", lambda socket: "fine")
    async with people(io, OLD, NEW) as (anna, bert):
        for one in (anna, bert):
            await one.websocket.send('427["x"]')
        assert await anna.websocket.receive() == '44{"code":1}'
        assert await anna.websocket.receive() == '437["fine"]'
        assert await bert.websocket.receive() == '437["fine"]'


async def test_a_client_that_sends_too_many_arguments_has_not_failed_the_server(
    autojump_clock: MockClock,
) -> None:
    io = Server(raise_errors=True)
    errors: list[BaseException] = []
    io.on("error", lambda socket, error: errors.append(error))
    io.on("connection", lambda socket: socket.on_any(lambda event, one: None))
    io.on_any(lambda socket, event, one: None)
    async with people(io, OLD, NEW) as both:
        for one in both:
            await one.say("x", 1)
            await one.say("x", 1, 2)
            await wait_all_tasks_blocked()
    assert [type(one) for one in errors] == [WrongArguments] * 4


async def test_a_mistake_inside_one_is_a_failure(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)

    @io.on_any
    def failing(socket: Socket, *args: object) -> None:
        len(None)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="has no len"):
        async with connect(io) as anna:
            await anna.emit("x")
            await trio.sleep(1)


async def test_while_one_waits_later_events_wait_and_other_sockets_do_not(
    autojump_clock: MockClock,
) -> None:
    io = Server(raise_errors=True)
    order: list[object] = []

    @io.on_any
    async def slow(socket: Socket, event: str) -> None:
        order.append(("sees", event))
        await trio.sleep(1)

    io.on("a", lambda socket: order.append("a"))
    io.on("b", lambda socket: order.append("b"))
    io.of("/chat").on("c", lambda socket: order.append("c"))
    async with connect(io, "/chat") as anna:
        for name, event in (("/", "a"), ("/", "b"), ("/chat", "c")):
            await anna.send_packet(Packet(2, name, [event]))  # type: ignore[arg-type]  # an event
        await trio.sleep(5)
    assert order == [("sees", "a"), "c", "a", ("sees", "b"), "b"]


async def test_names_of_the_protocols_own_are_not_shown(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    seen: list[object] = []
    io.on_any(lambda socket, event, *args: seen.append(event))
    async with connect(io) as anna:
        for event in ("disconnect", "error", "newListener", "fine"):
            await anna.send_packet(Packet(2, "/", [event]))  # type: ignore[arg-type]  # an event
        await wait_all_tasks_blocked()
    assert seen == ["fine"]


@pytest.mark.parametrize("verb", ["on_any", "on_any_outgoing"])
def test_what_is_no_handler(verb: str) -> None:
    with pytest.raises(TypeError, match="a handler must be callable, not 1"):
        getattr(Server(), verb)(1)


def test_what_other_servers_call_it() -> None:
    io = Server()
    for name, here in (
        ("prependAny", "first=True"),
        ("offAny", "remove_any"),
        ("listenersAny", "any_handlers"),
        ("onAny", "'on_any'"),
    ):
        with pytest.raises(AttributeError, match=here):
            getattr(io, name)


STEPS = st.tuples(st.sampled_from(["last", "first", "remove", "remove all"]), st.integers(0, 2))


@examples(200)
@given(st.lists(STEPS, max_size=8))
def test_the_order_is_that_of_a_list(steps: list[tuple[str, int]]) -> None:
    functions = [lambda: 0, lambda: 1, lambda: 2]
    table, model = AnyTable(), []
    for step, number in steps:
        function = functions[number]
        if step == "last":
            table.add_incoming(function, first=False)
            table.add_outgoing(function, first=False)
            model.append(function)
        elif step == "first":
            table.add_incoming(function, first=True)
            table.add_outgoing(function, first=True)
            model.insert(0, function)
        elif step == "remove":
            table.remove_incoming(function)
            table.remove_outgoing(function)
            if function in model:
                model.remove(function)
        else:
            table.remove_incoming(None)
            table.remove_outgoing(None)
            model.clear()
        assert [*table.incoming] == [*table.outgoing] == model
