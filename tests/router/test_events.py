"""From an event to its answer."""

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.testing import connect


@pytest.mark.parametrize(
    ("result", "answer"),
    [(None, []), (5, [5]), ((1, 2), [1, 2]), ([1, 2], [[1, 2]]), ((), []), (False, [False])],
)
async def test_a_result_is_the_answer(
    result: object, answer: list[object], autojump_clock: MockClock
) -> None:
    io = trio_sio.Server()
    io.on("ask", lambda socket: result)
    async with connect(io) as client:
        assert await client.call("ask") == answer


async def test_the_first_of_several_results_is_the_answer(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    io.on("ask", lambda socket: None)
    io.on("ask", lambda socket: "second")
    io.on("ask", lambda socket: "third")
    async with connect(io) as client:
        assert await client.call("ask") == ["second"]


async def test_an_event_without_handlers_is_not_answered(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    async with connect(io) as client:
        with pytest.raises(trio.TooSlowError):
            await client.call("nobody", timeout=60)


async def test_a_handler_that_fails_does_not_answer(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()

    @io.on("ask")
    def fail(socket: trio_sio.Socket) -> None:
        raise KeyError("a")

    async with connect(io, raise_errors=False) as client:
        with pytest.raises(trio.TooSlowError):
            await client.call("ask", timeout=60)


async def test_an_answer_before_the_end_counts_once(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    done: list[float] = []

    @io.on("ask", ack=True)
    async def ask(socket: trio_sio.Socket, question: str, ack: Callable[..., None]) -> str:
        ack("early", question)
        ack("again")
        await trio.sleep(10)
        done.append(trio.current_time())
        return "late"

    async with connect(io) as client:
        assert await client.call("ask", "why") == ["early", "why"]
        assert done == []
        await client.emit("ask", "no answer wanted")
        await trio.sleep(30)
        assert done == [10.0, 20.0]


async def test_an_answer_that_cannot_be_sent_is_an_error(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    io.on("ask", lambda socket: {1, 2})
    io.on("hello", lambda socket: "still here")
    async with connect(io, raise_errors=False) as client:
        with pytest.raises(trio.TooSlowError):
            await client.call("ask", timeout=5)
        assert await client.call("hello") == ["still here"]
    assert "set has no form in JSON" in caplog.text


async def test_an_answer_waits_for_room(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(max_outbox=2)

    @io.on("ask")
    async def ask(socket: trio_sio.Socket) -> str:
        for number in range(3):
            socket.emit_nowait("filler", number)
        return "answer"

    async with connect(io, buffer=1) as client:
        packet = trio_sio.Packet(trio_sio.PacketType.EVENT, "/", ["ask"], 7)
        await client.send_packet(packet)
        await trio.sleep(5)
        assert [await client.receive() for _ in range(3)] == [["filler", n] for n in range(3)]
        assert await client.call("ask") == ["answer"]


async def test_a_client_cannot_set_off_the_namespaces_connection_handlers(
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server()
    calls: list[str] = []

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        calls.append("joined")
        socket.on("connection", lambda text: calls.append(text))

    async with connect(io) as client:
        await client.emit("connection", "an event by that name")
        await trio.sleep(1)
    assert calls == ["joined", "an event by that name"]
