"""Answers of clients that the server waits for."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import (
    Disconnected,
    DisconnectReason,
    LimitReached,
    Packet,
    PacketType,
    Server,
    Socket,
)
from trio_sio.testing import connect


@pytest.mark.parametrize(
    ("said", "heard"),
    [([], None), ([1], 1), ([1, 2], (1, 2)), ([[1, 2]], [1, 2]), ([{"b": b"\0"}], {"b": b"\0"})],
)
async def test_call_returns_what_the_client_says(
    autojump_clock: trio.abc.Clock, said: list[object], heard: object
) -> None:
    io = Server()
    heards = []

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        heards.append(await socket.call("who?", b"binary"))

    async with connect(io) as client:
        packet = await client.receive_packet()
        assert (packet.event, packet.args) == ("who?", [b"binary"])
        await client.answer(packet, *said)
        await wait_all_tasks_blocked()
    assert heards == [heard]


async def test_call_inside_a_handler_does_not_block_its_own_answer(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("ask back")
        async def ask_back() -> str:
            return f"you said {await socket.call('what?')}"

    async def answer() -> None:
        await client.answer(await client.receive_packet(), "that")

    async with connect(io) as client, trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        assert await client.call("ask back") == ["you said that"]


async def test_call_gives_up_in_time_and_ignores_a_late_answer(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    outcomes: list[object] = []

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        with pytest.raises(trio.TooSlowError):
            await socket.call("first", timeout=2)
        outcomes.append(await socket.call("second"))

    async with connect(io) as client:
        first = await client.receive_packet()
        second = await client.receive_packet()
        assert first.id != second.id
        await client.answer(first, "late")
        await client.answer(second, "in time")
        await client.answer(second, "again")
        await wait_all_tasks_blocked()
    assert outcomes == ["in time"]


async def test_unknown_ids_are_ignored(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("here?", lambda: "yes")

    async with connect(io) as client:
        for ack_id in (0, 7, 10**9):
            await client.send_packet(Packet(PacketType.ACK, "/", ["what?"], ack_id))
        await client.send_packet(Packet(PacketType.ACK, "/nowhere", [], 0))
        assert await client.call("here?") == ["yes"]


async def test_whoever_waits_for_a_client_that_leaves_is_told(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    reasons = []

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        with pytest.raises(Disconnected) as gone:
            await socket.call("stay?", timeout=None)
        reasons.append(gone.value.reason)
        with pytest.raises(Disconnected):
            await socket.call("still there?")

    async with connect(io) as client:
        await client.receive_packet()
    assert reasons == [DisconnectReason.TRANSPORT_CLOSE]


async def test_emit_with_a_callback(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    heard: list[tuple[object, ...]] = []

    async def answered(*args: object) -> None:
        await trio.lowlevel.checkpoint()
        heard.append(args)

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        await socket.emit("hello", ack=answered)
        await socket.send("as message", ack=lambda *args: heard.append(args))
        await socket.emit("unanswered", ack=answered)

    async with connect(io) as client:
        for answers in (["one", 2], []):
            packet = await client.receive_packet()
            await client.answer(packet, *answers)
            await client.answer(packet, "a second time")
        await wait_all_tasks_blocked()
        assert heard == [("one", 2), ()]
    assert len(heard) == 2


async def test_failing_callback_is_an_error_of_a_handler(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        await socket.emit("hello", ack=lambda: 1 / 0)
        socket.on("here?", lambda: "yes")

    async with connect(io, raise_errors=False) as client:
        await client.answer(await client.receive_packet())
        assert await client.call("here?") == ["yes"]
    assert len(caplog.records) == 1


async def test_ids_are_counted_by_namespace(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    async def greet(socket: Socket) -> None:
        await socket.emit("hello", ack=print)

    io.on("connection", greet)
    io.of("/other").on("connection", greet)
    async with connect(io) as anna, connect(io) as bert, connect(io, "/other") as clara:
        ids = [(await client.receive_packet()).id for client in (anna, bert, clara)]
    # "/" has said hello to clara, too.
    assert ids == [0, 1, 0]


async def test_a_callback_counts_as_an_answer_that_is_owed_until_it_has_ended(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Or a client that answers sooner than they end would have any number of tasks run."""
    io = Server(max_pending_acks=3)
    gate = trio.Event()
    reached: list[str] = []

    async def slow(*_: object) -> None:
        await gate.wait()

    @io.on("go")
    async def go(socket: Socket) -> None:
        try:
            await socket.emit("question", ack=slow)
        except LimitReached as limit:
            reached.append(str(limit))

    async with connect(io) as client:
        for _ in range(3):
            await client.emit("go")
            await client.answer(await client.receive_packet())
        await client.emit("go")
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.connected.values()
        assert socket.background.callbacks == 3
        assert reached == ["a client owes 0 answers, and 3 callbacks run (max_pending_acks is 3)"]
        gate.set()
        await wait_all_tasks_blocked()
        await client.emit("go")
        assert (await client.receive_packet()).event == "question"
