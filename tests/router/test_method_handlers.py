"""Handlers as methods: what is registered, what is inherited, what looks like a slip."""

import re
from collections.abc import Callable

import pytest
import trio

import trio_sio
from trio_sio import DisconnectReason, Handlers, Server, Socket
from trio_sio.testing import connect


class Chat(Handlers):
    """A chat; it notes what happens."""

    def __init__(self) -> None:
        self.story: list[object] = []

    @property
    def on_property(self) -> None:
        raise AssertionError("nobody asks for it")

    def on_connection(self, socket: Socket) -> None:
        self.story.append(f"hello from {socket.namespace.name}")

    async def on_disconnect(self, socket: Socket) -> None:
        self.story.append("gone")

    async def on_disconnecting(self, socket: Socket, reason: DisconnectReason) -> None:
        self.story.append(reason)

    async def on_message(self, socket: Socket, text: str) -> str:
        return text.upper()

    @staticmethod
    def on_static(socket: Socket) -> str:
        return "static"

    @trio_sio.on("chat message", ack=True)
    @trio_sio.on("say", ack=True)
    def say(self, socket: Socket, text: str, ack: Callable[..., object]) -> None:
        ack("said", text)

    @trio_sio.on("*")
    def anything(self, socket: Socket, event: str) -> str:
        return f"what is {event}?"

    def helper(self) -> None:
        raise AssertionError("nobody calls it")


class Loud(Chat):
    """It inherits the rest."""

    async def on_message(self, socket: Socket, text: str) -> str:
        return await super().on_message(socket, text) + "!"

    def say(self, socket: Socket, text: str, ack: Callable[..., object]) -> None:
        ack("shouted", text)


@pytest.mark.parametrize(("kind", "mark", "verb"), [(Chat, "", "said"), (Loud, "!", "shouted")])
async def test_methods_are_handlers(kind: type[Chat], mark: str, verb: str) -> None:
    io, chat = Server(), kind()
    assert io.register("/chat", chat) is io.of("/chat")
    async with connect(io, "/chat") as client:
        assert await client.call("message", "hi") == [f"HI{mark}"]
        assert await client.call("static") == ["static"]
        for event in ("say", "chat message"):
            assert await client.call(event, "hi") == [verb, "hi"]
        for event in ("helper", "property", "anything"):
            assert await client.call(event) == [f"what is {event}?"]
    assert chat.story == ["hello from /chat", DisconnectReason.TRANSPORT_CLOSE, "gone"]


async def test_one_object_for_two_namespaces_and_a_dynamic_one() -> None:
    io, chat = Server(), Chat()
    for name in ("/news", "/chat", re.compile("/room-.*")):
        io.register(name, chat)
    for path in ("/news", "/chat", "/room-1"):
        async with connect(io, path) as client:
            assert await client.call("message", "hi") == ["HI"]
    assert [one for one in chat.story if str(one).startswith("hello")] == [
        *("hello from /news", "hello from /chat", "hello from /room-1"),
    ]


async def test_bound_methods_anywhere() -> None:
    io, chat = Server(), Chat()
    io.on("x", chat.on_message)
    async with connect(io) as client:
        assert await client.call("x", "hi") == ["HI"]
        io.remove_listener("x", Chat().on_message)
        assert io.event_names() == ["x"]
        io.remove_listener("x", chat.on_message)
        assert io.event_names() == []


async def test_concurrent_methods(autojump_clock: trio.abc.Clock) -> None:
    class Slow(Handlers):
        @trio_sio.on("wait", concurrent=True)
        async def wait(self, socket: Socket) -> None:
            await trio.sleep(10)

        def on_next(self, socket: Socket) -> float:
            return trio.current_time()

    io = Server()
    io.register("/", Slow())
    async with connect(io) as client:
        begun = trio.current_time()
        await client.emit("wait")
        assert await client.call("next") == [begun]


def test_on_backlog_is_told_of_backlogs() -> None:
    class Watch(Handlers):
        def on_backlog(self, socket: Socket, is_behind: bool) -> None: ...

    io = Server()
    namespace = io.register("/", Watch())
    assert namespace.event_names() == []
    assert namespace.handlers.names() != []


class Empty(Handlers):
    def helper(self) -> None: ...


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (Chat, r"takes an object: Chat\(\)"),
        (object(), "an object of trio_sio.Handlers, not"),
        (Empty(), "Empty has no method on_"),
    ],
)
def test_what_cannot_be_registered(wrong: Handlers, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        Server().register("/", wrong)


def test_on_needs_an_event() -> None:
    with pytest.raises(TypeError, match="@on takes the event"):
        trio_sio.on(test_on_needs_an_event)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("on_disconect", "did you mean on_disconnect"),
        ("on_conection", "did you mean on_connection"),
        ("onMessage", "a handler is called on_message"),
        ("ondisconnect", "a handler is called on_disconnect"),
        ("trigger_event", r'@trio_sio.on\("\*"\)'),
    ],
)
def test_a_slip_is_warned_of(name: str, text: str) -> None:
    methods = {name: lambda self, socket: None, "on_message": lambda self, socket: None}
    kind = type("Slip", (Handlers,), methods)
    with pytest.warns(UserWarning, match=rf"Slip\.{name}: .*{text}"):
        Server().register("/", kind())


def test_what_is_no_slip_is_not_warned_of(recwarn: pytest.WarningsRecorder) -> None:
    Server().register("/", Chat())
    assert len(recwarn) == 0


class Shop(Handlers):
    """Takes orders."""

    async def on_order(self, socket: Socket, item: str, pieces: int = 1) -> list[object]:
        return [item, pieces]

    @trio_sio.on("strict", validate=True)
    async def strict(self, socket: Socket, price: float) -> str:
        return type(price).__name__

    @trio_sio.on("lax", validate=False)
    @trio_sio.on("usual")
    async def lax(self, socket: Socket, price: float) -> str:
        return type(price).__name__


@pytest.mark.parametrize("validate", [True, False])
async def test_arguments_of_methods_are_checked(
    validate: bool, autojump_clock: trio.abc.Clock
) -> None:
    """By the server's option, and by that of each mark; `self` is none of them."""
    io = Server(validate=validate)
    io.register("/", Shop())

    @io.on("error")
    def refused(socket: Socket, error: Exception) -> None:
        assert isinstance(error, trio_sio.WrongArguments)

    async with connect(io) as client:
        assert await client.call("order", "tea", 2) == [["tea", 2]]
        assert await client.call("strict", 1) == ["float"]
        assert await client.call("lax", 1) == ["int"]
        assert await client.call("usual", 1) == ["float" if validate else "int"]
        for wrong in (("order", 7), ("usual", "1"), ("strict", "1")):
            if validate or wrong[0] == "strict":
                with pytest.raises(trio.TooSlowError):
                    await client.call(*wrong, timeout=1)
                with pytest.raises(trio_sio.Refused, match="argument 1"):
                    await client.receive()


def test_what_cannot_be_checked_is_refused_at_registration() -> None:
    class Strange(Handlers):
        @trio_sio.on("strange", validate=True)
        async def strange(self, socket: Socket, thing: type[Server]) -> None: ...

    with pytest.raises(TypeError, match="strange"):
        Server().register("/", Strange())
