"""Registering handlers by `on`, `once` and `event`, and removing them."""

import pytest
import trio

from trio_sio import Server, Socket
from trio_sio.router.handlers import HandlerTable, Registration, as_arguments, as_result
from trio_sio.testing import connect


def one(socket: Socket) -> None:
    """A handler."""


def two(socket: Socket) -> None:
    """Another."""


def functions(io: Server, event: str) -> list[object]:
    """The handlers of an event, in their order."""
    return [registration.function for registration in io.handlers.get(event)]


def test_on_takes_a_handler_or_decorates() -> None:
    io = Server()
    assert io.on("x", one) is one
    assert io.on("x")(two) is two
    assert functions(io, "x") == [one, two]
    assert functions(io, "y") == []


def test_event_registers_by_the_functions_name() -> None:
    io = Server()
    assert io.event(one) is one
    assert functions(io, "one") == [one]


def test_event_needs_a_name() -> None:
    class Nameless:
        def __call__(self, socket: Socket) -> None:
            """It can be called, and has no name."""

    with pytest.raises(TypeError, match="a function with a name"):
        Server().event(Nameless())


@pytest.mark.parametrize("handler", [1, "one", ()])
def test_a_handler_can_be_called(handler: object) -> None:
    with pytest.raises(TypeError, match="a handler must be callable"):
        Server().on("x", handler)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="a handler must be callable"):
        Server().once("x", handler)  # type: ignore[call-overload]


@pytest.mark.parametrize("event", [1, None, b"x"])
def test_an_event_name_is_a_str(event: str) -> None:
    with pytest.raises(TypeError, match="an event name must be a str"):
        Server().on(event, one)


def test_on_without_parentheses_says_what_to_write() -> None:
    io = Server()
    with pytest.raises(TypeError, match=r'@on takes the event: @on\("one"\), or @event'):
        io.on(one)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="@on takes the event"):
        io.once(one)  # type: ignore[call-overload]
    assert io.event_names() == []


def test_event_names() -> None:
    io = Server()
    assert io.event_names() == []
    io.on("x", one)
    io.once("__proto__", one)
    io.on("x", two)
    assert io.event_names() == ["x", "__proto__"]
    io.remove_listener("__proto__", one)
    assert io.event_names() == ["x"]


def test_remove_listener_removes_one_of_two() -> None:
    io = Server()
    io.on("x", one)
    io.on("x", two)
    io.on("x", one)
    io.remove_listener("x", one)
    assert functions(io, "x") == [one, two]
    io.remove_listener("x", one)
    io.remove_listener("x", one)
    io.remove_listener("unknown", one)
    assert functions(io, "x") == [two]


def test_remove_all_listeners() -> None:
    io = Server()
    for event in ("x", "y", "z"):
        io.on(event, one)
    io.remove_all_listeners("x")
    io.remove_all_listeners("unknown")
    assert io.event_names() == ["y", "z"]
    io.remove_all_listeners()
    assert io.event_names() == []


def test_once_is_taken_once() -> None:
    table = HandlerTable()
    table.add("x", Registration(one, once=True))
    table.add("x", Registration(two))
    assert [found.function for found in table.take("x")] == [one, two]
    assert [found.function for found in table.take("x")] == [two]


def test_once_beside_the_same_function_for_ever() -> None:
    table = HandlerTable()
    table.add("x", Registration(one, once=True))
    table.add("x", Registration(one))
    assert len(table.take("x")) == 2
    assert [found.once for found in table.take("x")] == [False]


@pytest.mark.parametrize(
    ("result", "arguments"),
    [(None, []), (0, [0]), ((), []), ((1,), [1]), ((1, None), [1, None]), ([1, 2], [[1, 2]])],
)
def test_results_and_arguments(result: object, arguments: list[object]) -> None:
    assert as_arguments(result) == arguments


@pytest.mark.parametrize(
    ("arguments", "result"), [([], None), ([0], 0), ([None], None), ([1, 2], (1, 2)), ([[]], [])]
)
def test_arguments_and_results(arguments: list[object], result: object) -> None:
    assert as_result(arguments) == result


# -- with a client -----------------------------------------------------------------------------


async def test_once_on_a_socket_hears_one_event(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    heard = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.once("x")
        async def x(number: int) -> None:
            heard.append(number)

        socket.on("sync", lambda: None)

    async with connect(io) as client:
        for number in range(3):
            await client.emit("x", number)
        await client.call("sync")
    assert heard == [0]


async def test_once_on_a_namespace_hears_one_client(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    heard = []
    io.once("connection", lambda socket: heard.append(socket.id))
    async with connect(io) as first, connect(io):
        pass
    assert heard == [first.id]


async def test_a_namespaces_handlers_get_the_socket_first(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    heard = []

    @io.event
    async def x(socket: Socket, *args: object) -> str:
        heard.append((socket.id, args))
        return "common"

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("x", lambda *args: heard.append(("own", args)))

    async with connect(io) as client:
        assert await client.call("x", 1, 2) == ["common"]
    assert heard == [(client.id, (1, 2)), ("own", (1, 2))]


async def test_handlers_may_change_handlers(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        def before() -> str:
            socket.remove_listener("x", before)
            socket.on("x", lambda: "after")
            return "before"

        socket.on("x", before)

    async with connect(io) as client:
        assert await client.call("x") == ["before"]
        assert await client.call("x") == ["after"]


async def test_a_partial_or_a_method_will_do(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    class Counter:
        count = 0

        async def add(self, number: int) -> int:
            await trio.lowlevel.checkpoint()
            self.count += number
            return self.count

    @io.on("connection")
    def connection(socket: Socket) -> None:
        counter = Counter()
        socket.on("add", counter.add)
        socket.event(counter.add)
        socket.remove_listener("add", counter.add)

    async with connect(io) as client:
        assert await client.call("add", 2) == [2]
        assert await client.call("add", 3) == [5]
