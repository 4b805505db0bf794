"""Generated conversations: played to our server, and to one that does it wrong."""

from collections.abc import AsyncIterator

import pytest

import trio_sio
from tests.support.conformance import scripted
from tests.support.peers import served
from trio_sio.conformance.conversations import conversation_check, play
from trio_sio.conformance.target import Target
from trio_sio.failures import leaves
from trio_sio.testing.clients.expectation import Unexpected
from trio_sio.testing.conversations import Conversation, Say, Turn


def application(*, fault: str = "") -> trio_sio.Server:
    """The events that conversations have; `fault` is what one of them does wrong."""
    io = trio_sio.Server()
    for name in ("/", "/chat"):
        namespace = io.of(name)

        @namespace.on("echo")
        async def echo(socket: trio_sio.Socket, *args: trio_sio.JSON) -> None:
            await socket.emit("echo", *(args[1:] if fault == "echo" else args))

        @namespace.on("ack")
        async def ack(socket: trio_sio.Socket, *args: trio_sio.JSON) -> tuple[trio_sio.JSON, ...]:
            return args

        @namespace.on("burst")
        async def burst(socket: trio_sio.Socket, count: int) -> None:
            for number in range(count):
                await socket.emit("number", number)

        @namespace.on("join")
        async def join(socket: trio_sio.Socket, room: str) -> None:
            await socket.join(room)

        @namespace.on("leave")
        async def leave(socket: trio_sio.Socket, room: str) -> None:
            if fault != "leave":
                await socket.leave(room)

        @namespace.on("tell")
        async def tell(socket: trio_sio.Socket, room: str, *args: trio_sio.JSON) -> None:
            await socket.namespace.to(room).emit("told", *args)

        @namespace.on("tell others")
        async def others(socket: trio_sio.Socket, room: str, *args: trio_sio.JSON) -> None:
            await socket.to(room).emit("told", *args)

    return io


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with served(application()) as url:
        yield Target.parse(url)


async def test_a_server_that_does_it_right(target: Target) -> None:
    check = conversation_check(5, seed=1)
    assert check.name == "conversations/generated"
    assert "5 generated conversations" in check.sentence
    await check.run(target)


TURNS = (
    Turn(0, (Say("join", ("hall",)), Say("tell", ("hall", 1)))),
    Turn(1, (Say("join", ("hall",)), Say("join", ("hall",), "/chat"))),
    Turn(0, (Say("tell others", ("hall", b"x")), Say("ack", (None, "a")), Say("burst", (3,)))),
    Turn(1, (Say("leave", ("hall",)), Say("echo", (True,)))),
    Turn(0, (Say("tell", ("hall", "alone")),)),
)


@pytest.mark.parametrize("how", [("polling", "websocket"), ("upgraded", "polling-jsonp")])
async def test_one_that_is_written_by_hand(how: tuple[str, str], target: Target) -> None:
    await play(target, Conversation(how, TURNS))


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("leave", "what client 1 heard when client 0 spoke: expected {}, got"),
        ("echo", "what client 1 heard when client 1 spoke"),
    ],
)
async def test_what_is_wrong_is_told_with_the_conversation(fault: str, what: str) -> None:
    async with served(application(fault=fault)) as url:
        with pytest.raises(Unexpected) as caught:
            await play(Target.parse(url), Conversation(("websocket", "websocket"), TURNS))
    message = str(caught.value)
    assert message.startswith(what)
    assert all(str(turn) in message for turn in TURNS)


async def test_a_server_that_says_nothing() -> None:
    async with scripted() as target:
        with pytest.raises(Unexpected, match="waited"):
            await play(target, Conversation(("polling",), TURNS[:1]))


@pytest.mark.slow
async def test_a_fault_is_found_and_made_short() -> None:
    async with served(application(fault="echo")) as url:
        with pytest.raises((Unexpected, ExceptionGroup)) as caught:
            await conversation_check(50, seed=0).run(Target.parse(url))
    message = str(next(leaves(caught.value)))
    assert message.count("Turn(") == message.count("Say(") == 1
    assert "Say(verb='echo'" in message
