"""What a client that asks is answered."""

from collections.abc import Callable

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import LocalProtocolError, Packet, PacketType, Server, Socket
from trio_sio.testing import connect


@pytest.mark.parametrize(
    ("returned", "answer"),
    [
        (None, []),
        (1, [1]),
        ("", [""]),
        ([1, 2], [[1, 2]]),
        ((1, "two"), [1, "two"]),
        ((), []),
        ((None,), [None]),
        ({"a": [b"\0", {"b": b"\xff"}]}, [{"a": [b"\0", {"b": b"\xff"}]}]),
    ],
)
async def test_what_a_handler_returns_is_the_answer(
    autojump_clock: trio.abc.Clock, returned: object, answer: list[object]
) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("ask")
        async def ask() -> object:
            return returned

    async with connect(io) as client:
        assert await client.call("ask") == answer


async def test_handler_with_ack_answers_before_it_ends(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    done = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("work", ack=True)
        async def work(amount: int, ack: Callable[..., None]) -> str:
            ack("begun", amount)
            await trio.sleep(60)
            done.append(amount)
            return "this is no answer"

    async with connect(io) as client:
        assert await client.call("work", 3) == ["begun", 3]
        assert done == []
        await trio.sleep(61)
        assert done == [3]


async def test_only_the_first_answer_counts(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("ask", ack=True, concurrent=True)
        async def ask(ack: Callable[..., None]) -> None:
            ack("first")
            await trio.sleep(10)
            ack("second")

        @socket.on("ask")
        def as_well() -> str:
            return "third"

        @socket.on("wait")
        async def wait() -> str:
            await trio.sleep(20)
            return "waited"

    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.EVENT, "/", ["ask"], 0))
        await wait_all_tasks_blocked()
        # This has the id 0 again, so that another answer to the first question would be its own.
        assert await client.call("wait") == ["waited"]


async def test_of_several_handlers_the_first_result_is_the_answer(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("ask", lambda: None)
        socket.on("ask", lambda: "second")
        socket.on("ask", lambda: "third")
        socket.on("nothing", lambda: None)
        socket.on("nothing", lambda: None)

    async with connect(io) as client:
        assert await client.call("ask") == ["second"]
        assert await client.call("nothing") == []


async def test_event_without_handlers_is_not_answered(autojump_clock: trio.abc.Clock) -> None:
    async with connect(Server()) as client:
        with pytest.raises(trio.TooSlowError):
            await client.call("nobody", timeout=5)


async def test_event_that_wants_no_answer_gets_none(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("tell", ack=True)
        async def tell(ack: Callable[..., None]) -> None:
            ack("nobody asked")
            await socket.emit("done")

    async with connect(io) as client:
        await client.emit("tell")
        assert await client.receive() == ["done"]


async def test_result_that_cannot_be_sent_is_reported_and_the_client_stays(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("bad", lambda: object())
        socket.on("good", lambda: "good")

    async with connect(io, raise_errors=False) as client:
        with pytest.raises(trio.TooSlowError):
            await client.call("bad", timeout=5)
        assert await client.call("good") == ["good"]
    assert len(caplog.records) == 1
    assert "returned for 'bad' cannot be sent as JSON: object at args[0]" in caplog.text


async def test_answer_that_cannot_be_sent_leaves_the_callable_usable(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("ask", ack=True)
        def ask(ack: Callable[..., None]) -> None:
            with pytest.raises(LocalProtocolError):
                ack(object())
            ack("better")

    async with connect(io) as client:
        assert await client.call("ask") == ["better"]
