"""Draining: clients go one after the other, and what is under way for them is done first."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from trio_sio.testing import connect
from trio_sio.testing.wire import open_wire


async def test_clients_go_evenly_over_the_time(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    left: list[tuple[float, str]] = []

    @io.on("disconnect")
    def note(socket: trio_sio.Socket, reason: str) -> None:
        left.append((trio.current_time(), reason))

    async with io, connect(io), connect(io), connect(io, "/"):
        begun = trio.current_time()
        await io.drain(spread=10)
        assert [(at - begun, reason) for at, reason in left] == [
            (0.0, "server shutting down"),
            (5.0, "server shutting down"),
            (10.0, "server shutting down"),
        ]
        assert io.sockets.connected == {}


async def test_nobody_is_fine(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    async with io:
        await io.drain(spread=10)
    assert trio.current_time() < 1


@pytest.mark.parametrize("concurrent", [False, True])
async def test_handlers_and_what_waits_for_them_are_done_first(
    concurrent: bool, autojump_clock: MockClock
) -> None:
    io = trio_sio.Server()
    done: list[tuple[int, float]] = []

    @io.on("work", concurrent=concurrent)
    async def work(socket: trio_sio.Socket, number: int) -> int:
        await trio.sleep(3)
        done.append((number, trio.current_time()))
        return number

    async with io, connect(io) as client, trio.open_nursery() as nursery:
        begun = trio.current_time()
        answers: list[object] = []
        for number in (1, 2):

            @nursery.start_soon
            async def ask(number: int = number) -> None:
                answers.append(await client.call("work", number))

            await wait_all_tasks_blocked()
        await io.drain(spread=0)
        each = [3.0, 3.0] if concurrent else [3.0, 6.0]
        assert [at - begun for _, at in done] == each
        assert sorted(map(repr, answers)) == ["[1]", "[2]"]


async def test_calls_get_their_answers_and_callbacks_are_called(
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server()
    heard: list[object] = []
    async with io, connect(io) as client, trio.open_nursery() as nursery:
        (socket,) = io.sockets.connected.values()

        async def called_back(answer: object) -> None:
            await trio.sleep(2)
            heard.append(answer)

        @nursery.start_soon
        async def answer() -> None:
            packets = [await client.receive_packet() for _ in range(2)]
            await trio.sleep(3)
            for packet in packets:
                await client.answer(packet, str(packet.args[0]).upper())

        @nursery.start_soon
        async def call() -> None:
            heard.append(await socket.call("ask", "a"))

        await socket.emit("ask", "b", ack=called_back)
        await wait_all_tasks_blocked()
        await io.drain(spread=0)
    assert sorted(map(str, heard)) == ["A", "B"]


async def test_nobody_holds_it_for_longer_than_grace(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(grace=1)

    @io.on("work")
    async def work(socket: trio_sio.Socket) -> None:
        await trio.sleep_forever()

    async with io, connect(io) as client:
        await client.emit("work")
        await wait_all_tasks_blocked()
        begun = trio.current_time()
        await io.drain(grace=5, spread=0)
        assert 5 <= trio.current_time() - begun <= 8


async def test_who_leaves_meanwhile_is_not_waited_for(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    async with io, trio.open_nursery() as nursery:
        async with connect(io), connect(io):
            nursery.start_soon(lambda: io.drain(spread=100))
            await wait_all_tasks_blocked()
            assert len(io.sockets.connected) == 1
        assert io.sockets.connected == {}


async def test_who_is_left_when_it_is_cancelled_stays_and_new_ones_are_welcome(
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server(raise_errors=True)
    io.on("hello", lambda socket: "hello")
    async with io, open_wire(io) as wire, connect(io), connect(io) as second:
        with trio.move_on_after(5):
            await io.drain(spread=10)
        assert trio.current_time() == 5
        assert [*io.sockets.sockets] == [second.id]
        assert await second.call("hello") == ["hello"]
        assert (await wire.request("GET", wire.target("polling"))).status == 200
        await io.drain(spread=1)
        assert not io.sockets.sockets
        assert (await wire.request("GET", wire.target("polling"))).status == 503


async def test_one_that_is_cancelled_leaves_another_one_alone(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(raise_errors=True)
    async with io, open_wire(io) as wire, connect(io), connect(io):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: io.drain(spread=10))
            with trio.move_on_after(5):
                await io.drain(spread=20)
            assert (await wire.request("GET", wire.target("polling"))).status == 503
        assert trio.current_time() == 10


async def test_closing_cannot_be_taken_back(autojump_clock: MockClock) -> None:
    """Who is cancelled while it closes has told everybody to go; a server that is opened anew
    takes clients again."""
    io = trio_sio.Server(raise_errors=True, grace=5)

    @io.on("disconnect")
    async def stay(socket: trio_sio.Socket, reason: str) -> None:
        await trio.sleep(3)

    async with io, open_wire(io) as wire, connect(io) as client:
        with trio.move_on_after(1):
            await io.drain(spread=0, grace=0)
        assert trio.current_time() == 1
        assert client.session.closed
        assert (await wire.request("GET", wire.target("polling"))).status == 503
    async with io, open_wire(io) as wire:
        assert (await wire.request("GET", wire.target("polling"))).status == 200
