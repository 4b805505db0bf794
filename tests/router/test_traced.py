"""A tracer is told of each call of the application's functions, and what came of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.router.invocation import function_name
from trio_sio.testing import connect

Note = tuple[str, ...]


class Tracer:
    """Writes down what it is told: when a call begins and ends, and what is between."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes

    @contextmanager
    def event(self, event: str, name: str, function: Callable[..., object]) -> Iterator[None]:
        with self._call(f"{event} as {name}", function):
            yield

    @contextmanager
    def call(self, role: str, function: Callable[..., object]) -> Iterator[None]:
        with self._call(role, function):
            yield

    @contextmanager
    def _call(self, what: str, function: Callable[..., object]) -> Iterator[None]:
        self._notes.append(("begin", what, function_name(function).rpartition(".")[2]))
        try:
            yield
        finally:
            self._notes.append(("end", what))

    def failed(self, error: BaseException) -> None:
        self._notes.append(("failed", type(error).__name__))

    def refused(self, error: BaseException) -> None:
        self._notes.append(("refused", type(error).__name__))


def traced() -> tuple[trio_sio.Server, list[Note]]:
    io, notes = trio_sio.Server(), list[Note]()
    io.router.context.tracing.begin(lambda socket: Tracer(notes))
    return io, notes


def passes(*args: object) -> None:
    """Do nothing."""


def fails(*args: object) -> None:
    raise LookupError


def refuses(*args: object) -> None:
    raise trio_sio.ConnectionRefused


async def refuses_and_fails(*args: object) -> None:
    raise ExceptionGroup("both", [trio_sio.ConnectionRefused(), LookupError()])


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (passes, []),
        (fails, [("failed", "LookupError")]),
        (refuses, [("refused", "ConnectionRefused")]),
        (refuses_and_fails, [("refused", "ConnectionRefused"), ("failed", "ExceptionGroup")]),
    ],
)
async def test_what_comes_of_a_call(
    function: Callable[..., object],
    what: list[Note],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = function.__name__
    io, notes = traced()
    io.on("news", function)
    io.of("/inner").use(function)
    async with connect(io, raise_errors=False) as client:
        await client.emit("news")
        await trio.sleep(1)
        told = [("begin", "news as news", name), *sorted(what), ("end", "news as news")]
        assert [notes[0], *sorted(notes[1:-1]), notes[-1]] == told
        notes.clear()
        try:
            async with connect(io, "/inner", raise_errors=False):
                assert not what
        except trio_sio.ConnectionRefused:
            assert what
    told = [("begin", "middleware", name), *sorted(what), ("end", "middleware")]
    assert [notes[0], *sorted(notes[1:-1]), notes[-1]] == told


async def test_a_catch_all_of_a_namespace_and_of_a_socket(autojump_clock: MockClock) -> None:
    io, notes = traced()
    io.on("*", passes)
    io.on("connection", lambda socket: socket.on("*", passes) and None)
    async with connect(io) as client:
        await client.call("news", 1)
    assert [note[1] for note in notes if note[0] == "begin"] == [
        *("connection", "* as news", "* as news")
    ]


async def test_the_adapter_is_not_the_applications(autojump_clock: MockClock) -> None:
    io, notes = traced()
    async with connect(io):
        pass
    assert notes == []


async def test_sockets_that_were_there_before_are_not_traced(autojump_clock: MockClock) -> None:
    io, notes = trio_sio.Server(), list[Note]()
    io.on("news", passes)
    async with io, connect(io) as before:
        io.router.context.tracing.begin(lambda socket: Tracer(notes))
        await before.call("news")
        assert notes == []
        async with connect(io) as after:
            await after.call("news")
        assert notes == [("begin", "news as news", "passes"), ("end", "news as news")]
