"""Handlers that run beside a socket's own task: so many at a time, and in order."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import Server, Socket
from trio_sio.router.background import BackgroundTasks
from trio_sio.testing.wire import open_wire


async def test_what_is_begun_has_begun_in_order(autojump_clock: MockClock) -> None:
    beside = BackgroundTasks(limit=10)
    story: list[int] = []

    async def note(number: int) -> None:
        story.append(number)
        await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        beside.open(nursery)
        for number in range(10):
            await beside.begin_handler(note, number, name=note)
            assert story == list(range(number + 1))
        assert beside.is_full
        await beside.begin_callback(note, 10, name=note)
        assert beside.running == 11
        await beside.wait_done()
    assert beside.running == 0
    await beside.wait_room()
    await beside.wait_done()


@pytest.mark.parametrize("end", ["returns", "raises", "is cancelled"])
async def test_a_handler_gives_its_place_back_however_it_ends(
    end: str, autojump_clock: MockClock
) -> None:
    beside = BackgroundTasks(limit=1)

    async def handle() -> None:
        await trio.sleep(1)
        if end == "raises":
            raise ValueError
        if end == "is cancelled":
            await trio.sleep_forever()

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.deadline = 2
            beside.open(nursery)
            beside.open(nursery)
            await beside.begin_handler(handle, name=handle)

    async def wait(what: Callable[[], Awaitable[None]]) -> None:
        await what()
        woken.append(what)

    woken: list[object] = []
    async with trio.open_nursery() as waiters:
        with suppress(ExceptionGroup):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run)
                await wait_all_tasks_blocked()
                assert (beside.is_full, beside.running) == (True, 1)
                waiters.start_soon(wait, beside.wait_room)
                waiters.start_soon(wait, beside.wait_done)
        await trio.sleep(0.1)
        assert len(woken) == 2
    assert (beside.is_full, beside.running, beside.callbacks) == (False, 0, 0)


@pytest.mark.slow
async def test_as_many_handlers_run_as_may_and_then_the_client_is_not_read(
    autojump_clock: MockClock,
) -> None:
    io = Server(max_inbox=4, raise_errors=True)
    begun: list[int] = []
    gate = trio.Event()
    most = 0

    @io.on("work", concurrent=True)
    async def work(socket: Socket, number: int) -> None:
        nonlocal most
        begun.append(number)
        most = max(most, socket.background.running)
        await gate.wait()

    async with io, open_wire(io) as wire, trio.open_nursery() as nursery:
        session = await wire.handshake()
        events = [f'42["work",{number}]' for number in range(20_000)]
        nursery.start_soon(session.post, *events)
        await wait_all_tasks_blocked()
        assert begun == [0, 1, 2, 3]
        gate.set()
        await wait_all_tasks_blocked()
        assert begun == list(range(20_000))
        assert most == 4


async def test_a_full_socket_holds_up_no_other(autojump_clock: MockClock) -> None:
    io = Server(max_inbox=2, raise_errors=True)
    story: list[str] = []
    gate = trio.Event()

    @io.on("work", concurrent=True)
    async def work(_: Socket, number: int) -> None:
        story.append(f"work {number}")
        await gate.wait()

    io.of("/other").on("x", lambda _, number: story.append(f"other {number}"))
    async with io, open_wire(io) as wire:
        session = await wire.handshake()
        await session.post("40/other,")
        await wait_all_tasks_blocked()
        work_events = [f'42["work",{number}]' for number in range(4)]
        await session.post(*work_events, '42/other,["x",4]', '42/other,["x",5]')
        await wait_all_tasks_blocked()
        assert story == ["work 0", "work 1", "other 4", "other 5"]
        gate.set()
        await wait_all_tasks_blocked()
        assert story[4:] == ["work 2", "work 3"]
