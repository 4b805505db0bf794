"""The first steps of a socket: who lets it in, who greets it, and who is said to be at work."""

from collections.abc import Collection

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import (
    ConnectionRefused,
    Disconnected,
    DisconnectReason,
    MemoryAdapter,
    PacketRefused,
    Refused,
    Server,
    Socket,
)
from trio_sio.router.invocation import BROKEN
from trio_sio.testing import connect, open_wire


def watched(io: Server) -> list[str]:
    """Have each step noted, and of whom the socket says at that time that it runs."""
    story: list[str] = []

    def note(socket: Socket) -> None:
        name, _, whom = socket.invoker.doing().partition(" for ")
        assert whom == repr(socket)
        story.append(name.rpartition(".")[2])

    @io.use
    async def first_middleware(socket: Socket) -> None:
        note(socket)
        await trio.lowlevel.checkpoint()
        note(socket)

    @io.use
    def second_middleware(socket: Socket) -> None:
        note(socket)

    @io.on("connection")
    def connection_handler(socket: Socket) -> None:
        note(socket)

    @io.on("connect")
    async def connect_handler(socket: Socket) -> None:
        note(socket)

    @io.on("disconnect")
    def disconnect_handler(socket: Socket, reason: str) -> None:
        note(socket)

    return story


async def test_its_steps_and_who_is_said_to_take_each(autojump_clock: MockClock) -> None:
    io = Server()
    story = watched(io)
    async with connect(io):
        await wait_all_tasks_blocked()
        assert story == [
            *("first_middleware", "first_middleware", "second_middleware"),
            *("connect_handler", "connection_handler"),
        ]
    assert story[5:] == ["disconnect_handler"]


async def test_a_socket_that_nobody_has_done_anything_for_does_nothing(
    autojump_clock: MockClock,
) -> None:
    io = Server()
    async with connect(io):
        (socket,) = io.sockets.sockets.values()
        assert socket.invoker.doing() == ""


@pytest.mark.parametrize(
    ("error", "answer"), [(ConnectionRefused("not you"), "not you"), (LookupError(), BROKEN)]
)
async def test_middleware_that_refuses_or_fails_is_the_last(
    error: Exception, answer: str, autojump_clock: MockClock
) -> None:
    io = Server()

    @io.use
    async def refuse(socket: Socket) -> None:
        raise error

    story = watched(io)
    with pytest.raises(ConnectionRefused, match=f"^{answer}$"):
        async with connect(io, raise_errors=False):
            raise AssertionError("the client was let in")
    assert story == []


async def test_who_leaves_in_the_middle_is_not_let_in(autojump_clock: MockClock) -> None:
    io = Server()

    @io.use
    async def close(socket: Socket) -> None:
        await socket.disconnect(close=True)

    story = watched(io)
    with pytest.raises(Disconnected):
        async with connect(io):
            raise AssertionError("the client was let in")
    assert not {"connect_handler", "connection_handler", "disconnect_handler"} & {*story}


async def test_a_greeting_may_show_the_client_out(autojump_clock: MockClock) -> None:
    io = Server()

    @io.on("connect")
    async def refuse(socket: Socket) -> None:
        raise PacketRefused("too late")

    story = watched(io)
    async with connect(io) as client:
        with pytest.raises(Refused, match="too late"):
            await client.receive()
        with pytest.raises(Disconnected):
            await client.receive()
        assert client.session.reason is None  # it may be elsewhere
    assert story == ["first_middleware"] * 2 + ["second_middleware", "disconnect_handler"]


async def test_a_greeting_that_fails_keeps_nobody_out(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()

    @io.on("connect")
    async def fail(socket: Socket) -> None:
        raise LookupError("a mistake")

    io.on("here?", lambda _socket: "yes")
    story = watched(io)
    async with connect(io, raise_errors=False) as client:
        assert await client.call("here?") == ["yes"]
    assert story[-3:] == ["connect_handler", "connection_handler", "disconnect_handler"]
    assert caplog.text.count("which handles 'connect', failed") == 1


@pytest.mark.parametrize("answer", [ConnectionRefused("no"), ConnectionRefused, ValueError("no")])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("place", ["middleware", "a dynamic namespace"])
async def test_an_exception_that_is_returned_lets_nobody_in(
    place: str,
    is_async: bool,
    answer: object,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As in JavaScript: `return next(new Error())`."""

    async def later(*_: object) -> object:
        await trio.lowlevel.checkpoint()
        return answer

    def check(*_: object) -> object:
        return later() if is_async else answer

    io = Server()
    if place == "middleware":
        io.of("/chat").use(check)
    else:
        io.of(check)
    with pytest.raises(ConnectionRefused):
        async with connect(io, "/chat", raise_errors=False):
            raise AssertionError("it was let in")
    kind = answer if isinstance(answer, type) else type(answer)
    assert f"returned {kind.__name__}: raise it to refuse" in caplog.text


async def test_what_else_middleware_returns_is_not_looked_at(autojump_clock: MockClock) -> None:
    io = Server()
    for answer in (None, False, True, "", 0):
        io.use(lambda _, answer=answer: answer)
    async with connect(io):
        pass


@pytest.mark.parametrize("recovery", [None, {}])
@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("middleware", [0, 2])
@pytest.mark.parametrize("leaves", [False, True], ids=["its adapter fails", "it leaves"])
async def test_nobody_is_greeted_who_is_not_let_in(
    leaves: bool,
    middleware: int,
    protocol: int,
    recovery: dict[str, object] | None,
    autojump_clock: MockClock,
) -> None:
    """The last moment at which that may turn out is when its adapter puts it into its room."""
    seen: list[str] = []

    class Late(MemoryAdapter):
        async def add_all(self, socket_id: str, rooms: Collection[str]) -> None:
            if self.namespace.name == "/":
                await super().add_all(socket_id, rooms)
            elif leaves:
                await super().add_all(socket_id, rooms)
                for one in [*io.router.clients]:
                    one.session.abort(DisconnectReason.TRANSPORT_CLOSE)
                with trio.CancelScope(shield=True):  # as `add_all` above, for longer
                    await trio.sleep(1)
            else:
                raise LookupError

    io = Server(adapter=Late, connection_state_recovery=recovery)
    chat = io.of("/chat")
    for _ in range(middleware):
        chat.use(lambda socket: seen.append("middleware"))
    for event in ("connection", "disconnecting", "disconnect"):
        chat.on(event, lambda socket, *args, event=event: seen.append(event))
    async with open_wire(io) as wire:
        websocket = await wire.websocket(eio=3 if protocol == 4 else 4)
        await websocket.receive()
        if protocol == 4:
            assert await websocket.receive() == "40"
        await websocket.send("40/chat,")
        if not leaves:
            refusal = await websocket.receive()
            assert isinstance(refusal, str)
            assert refusal.startswith("44/chat,")
        await trio.sleep(5)
        assert (dict(chat.connected), chat.users) == ({}, 0)
    assert seen == ["middleware"] * middleware
