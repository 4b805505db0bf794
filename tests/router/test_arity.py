"""How many arguments handlers take: left out, too many, too few, and errors that only look so."""

import functools
import logging
from collections.abc import Callable

import pytest
import trio

from trio_sio import DisconnectReason, Server, Socket, WrongArguments
from trio_sio.router.arity import fit, function_name
from trio_sio.testing import connect

OFFERED = ("socket", "reason")


class Holder:
    """Handlers as methods, and an object that is one."""

    def both(self, socket: object, reason: object) -> None: ...

    def one(self, socket: object) -> None: ...

    def none(self) -> None: ...

    def __call__(self, socket: object) -> None: ...


def both(socket: object, reason: object) -> None: ...


def one(socket: object) -> None: ...


def none() -> None: ...


def with_default(socket: object, reason: object = None) -> None: ...


def any_number(*args: object) -> None: ...


def keyword(socket: object, *, reason: object = None) -> None: ...


def needs_keyword(socket: object, *, reason: object) -> None: ...


def three(socket: object, reason: object, more: object) -> None: ...


def passes_on(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapper(*args: object, **options: object) -> object:
        return function(*args, **options)

    return wrapper


def adds_one(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapper(socket: object, reason: object) -> object:
        return function(socket, reason, 3)

    return wrapper


@pytest.mark.parametrize(
    ("function", "number"),
    [
        (both, None),
        (one, 1),
        (none, 0),
        (with_default, None),
        (any_number, None),
        (keyword, 1),
        (Holder().both, None),
        (Holder().one, 1),
        (Holder().none, 0),
        (Holder(), 1),
        (functools.partial(three, 1), None),
        (functools.partial(both, 1), 1),
        (passes_on(both), None),
        (passes_on(one), 1),
        (passes_on(none), 0),
        (adds_one(three), None),
        (lambda: None, 0),
        (print, None),
    ],
)
def test_arguments_may_be_left_out(function: Callable[..., object], number: int | None) -> None:
    assert fit("disconnect", function, OFFERED) == number
    function(*("a", "b")[:number])


@pytest.mark.parametrize("function", [three, needs_keyword, functools.partial(needs_keyword)])
def test_what_no_number_of_arguments_fits_is_refused(function: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match=r"gets \(socket, reason\), and may leave out.*socket"):
        fit("disconnect", function, OFFERED)


def test_a_handler_that_cannot_be_called_is_refused_where_it_is_registered() -> None:
    io = Server()
    with pytest.raises(TypeError, match=r"'connection' gets \(socket\).*connect\(sid, environ\)"):

        @io.on("connection")  # type: ignore[type-var]
        def connect(sid: str, environ: object) -> None: ...

    with pytest.raises(TypeError, match="gets"):

        @io.event
        def disconnecting(socket: Socket, reason: object, more: object) -> None: ...

    assert io.event_names() == []


async def test_handlers_of_the_end_leave_arguments_out(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    heard: list[object] = []

    @io.on("disconnect")
    async def without_reason(socket: Socket) -> None:
        heard.append("without")

    @io.on("disconnecting")
    def with_reason(socket: Socket, reason: DisconnectReason) -> None:
        heard.append(reason)

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("disconnect")
        def own() -> None:
            heard.append("own")

        socket.once("disconnecting", lambda: heard.append("own, once"))

    async with connect(io):
        pass
    assert heard == [DisconnectReason.TRANSPORT_CLOSE, "own, once", "without", "own"]


async def complaint(
    io: Server,
    caplog: pytest.LogCaptureFixture,
    event: str,
    *args: object,
    raise_errors: bool = True,
) -> str:
    """Send an event that its handler cannot take, and return the one line of the log."""
    caplog.clear()
    async with connect(io, raise_errors=raise_errors) as client:
        await client.emit(event, *args)
        await trio.sleep(1)
        await client.emit("still here")
    lines = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(lines) == 1
    assert lines[0].exc_info is None
    return lines[0].getMessage()


@pytest.mark.parametrize("raise_errors", [False, True])
async def test_a_wrong_number_is_explained_and_ends_nothing(
    raise_errors: bool, autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    errors: list[Exception] = []

    @io.on("one")
    async def takes_one(socket: Socket, x: int) -> None: ...

    @io.on("error")
    def failed(socket: Socket, error: Exception) -> None:
        errors.append(error)

    text = await complaint(io, caplog, "one", 1, 2, raise_errors=raise_errors)
    assert "the client sent 2 arguments for 'one', and " in text
    assert "takes_one(socket, x) takes 1" in text
    assert [type(one) for one in errors] == [WrongArguments]
    assert "sent 0 arguments" in await complaint(io, caplog, "one")


async def test_what_a_handler_takes_in_words(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    io.on("range", lambda socket, a, b=1: None)
    io.on("least", lambda socket, a, *more: None)
    io.on("nothing", lambda socket: None)
    io.on("forgot", lambda data: None)
    io.on("answers", lambda socket, data, ack: None)
    io.on("answered", lambda socket, data, ack: None, ack=True)
    io.on("*", lambda socket, event: None)
    assert (await complaint(io, caplog, "range")).endswith("takes 1 to 2")
    assert (await complaint(io, caplog, "least")).endswith("takes at least 1")
    assert (await complaint(io, caplog, "nothing", 1)).endswith("takes 0")
    assert (await complaint(io, caplog, "forgot", 1)).endswith("the socket is its first argument")
    hint = "with ack=True it would be given 'ack'"
    assert (await complaint(io, caplog, "answers", 1)).endswith(hint)
    assert (await complaint(io, caplog, "answered")).endswith("takes 1")
    other = await complaint(io, caplog, "other", 1)
    assert "sent 1 argument for 'other'" in other
    assert other.endswith("takes 0")


async def test_there_is_no_answer(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    io.on("one", lambda socket: 1)
    io.on("two", lambda socket, ack: ack(1), ack=True)
    async with connect(io) as client:
        assert await client.call("one") == [1]
        for event in ("one", "two"):
            with pytest.raises(trio.TooSlowError):
                with trio.fail_after(5):
                    await client.call(event, 1)


def raises_itself(socket: Socket, *args: object) -> None:
    raise TypeError("mine")


def calls_wrongly(socket: Socket, *args: object) -> None:
    one()  # type: ignore[call-arg]


async def waits_and_raises(socket: Socket, *args: object) -> None:
    await trio.lowlevel.checkpoint()
    raise TypeError("mine")


def answers_wrongly(socket: Socket) -> None:
    int([])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "function",
    [raises_itself, calls_wrongly, waits_and_raises, answers_wrongly, passes_on(calls_wrongly)],
)
async def test_a_type_error_inside_the_handler_is_its_own(
    function: Callable[..., object],
    autojump_clock: trio.abc.Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()
    io.on("do", function)
    async with connect(io, raise_errors=False) as client:
        await client.emit("do")
        await trio.sleep(1)
    (line,) = caplog.records
    assert line.exc_info is not None
    assert f"{function_name(function)}, which handles 'do', failed" in line.getMessage()


async def test_of_a_flood_of_them_few_are_logged(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    io.on("one", lambda socket: None)
    async with connect(io) as client:
        for number in range(500):
            await client.emit("one", *range(1 + number % 300))
        await trio.sleep(1)
    assert 0 < len(caplog.records) < 20
