"""What is cancelled at any of its checkpoints has not happened: every table is as it was before."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import Disconnected, LimitReached, Server, Socket
from trio_sio.testing import connect

Verb = Callable[[Server, Socket], Awaitable[object]]
SMALL = 4  # packets


async def cancel_at(number: int, verb: Callable[[], Awaitable[object]]) -> bool:
    """Run a verb, and cancel it the `number`th time that it gives way; return whether it came to
    that."""
    scope = trio.CancelScope()
    turns = 0

    class Counter(trio.abc.Instrument):
        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            nonlocal turns
            if task is here:
                turns += 1
                if turns == number:
                    scope.cancel()

    here = trio.lowlevel.current_task()
    counter = Counter()
    trio.lowlevel.add_instrument(counter)
    try:
        with scope:
            if number == 0:
                scope.cancel()
            await verb()
    finally:
        trio.lowlevel.remove_instrument(counter)
    return scope.cancelled_caught


def tables(io: Server, socket: Socket) -> dict[str, object]:
    """Everything that a verb of a socket may have written to."""
    adapter: Any = socket.namespace.adapter
    return {
        "acks": len(socket.sender.acks),
        "rooms": {room: set(members) for room, members in adapter.rooms.items()},
        "rooms of each": {sid: set(rooms) for sid, rooms in adapter.sids.items()},
        "queued": socket.statistics().queued,
        "running": socket.background.running,
        "namespaces": {name: one.users for name, one in io.router.namespaces.items()},
        "clients": len(io.router.clients),
        "sessions": len(io.engine.sessions),
    }


def fill(socket: Socket) -> None:
    """Send until there is no room."""
    with contextlib.suppress(trio.WouldBlock):
        while True:
            socket.emit_nowait("filler")


async def emit(io: Server, socket: Socket) -> None:
    await socket.emit("event")


async def emit_with_ack(io: Server, socket: Socket) -> None:
    await socket.emit("event", ack=print)


async def emit_volatile_with_ack(io: Server, socket: Socket) -> None:
    await socket.volatile.emit("event", ack=print)


async def call(io: Server, socket: Socket) -> None:
    await socket.call("event")


async def join(io: Server, socket: Socket) -> None:
    await socket.join("room", "another")


async def leave(io: Server, socket: Socket) -> None:
    await socket.leave("here")


async def broadcast(io: Server, socket: Socket) -> None:
    await io.in_("here").emit("event")


async def clients(io: Server, socket: Socket) -> None:
    await io.in_("here").clients()


async def disconnect(io: Server, socket: Socket) -> None:
    await socket.disconnect()


VERBS = [
    *(emit, emit_with_ack, emit_volatile_with_ack, call, join, leave, broadcast, clients),
    disconnect,
]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_that_is_cancelled_leaves_every_table_as_it_was(
    verb: Verb, is_full: bool, number: int, autojump_clock: MockClock
) -> None:
    io = Server(max_outbox=SMALL, on_overflow="drop_newest")
    async with connect(io, buffer=1):
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        await socket.join("here")
        if is_full:
            fill(socket)
        before = tables(io, socket)
        reason = socket.reason
        was_cancelled = False
        with trio.move_on_after(5):  # at a full outbox, it waits for ever
            was_cancelled = await cancel_at(number, lambda: verb(io, socket))
        if was_cancelled and not (verb is call and not is_full):  # that has been asked
            assert tables(io, socket) == before
            assert socket.reason is reason
        if verb is call:
            assert len(socket.sender.acks) == 0


@pytest.mark.parametrize("verb", [emit_with_ack, call])
async def test_a_drain_does_not_wait_for_what_was_cancelled_while_it_waited_for_room(
    verb: Verb, autojump_clock: MockClock
) -> None:
    io = Server(max_outbox=SMALL)
    async with connect(io, buffer=1):
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        fill(socket)
        with trio.move_on_after(1) as scope:
            await verb(io, socket)
        assert scope.cancelled_caught
        assert len(socket.sender.acks) == 0
        with trio.fail_after(0.1):
            await socket.sender.acks.wait_empty()


async def test_an_emit_whose_client_leaves_while_it_waits_keeps_no_slot(
    autojump_clock: MockClock,
) -> None:
    io = Server(max_outbox=SMALL)
    story: list[str] = []
    async with connect(io, buffer=1) as client, trio.open_nursery() as nursery:
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        fill(socket)

        async def wait() -> None:
            with pytest.raises(Disconnected):
                await emit_with_ack(io, socket)
            story.append("told")

        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        assert client.session is socket.session
        socket.session.close()
    assert story == ["told"]
    assert len(socket.sender.acks) == 0


async def test_a_volatile_emit_over_the_limit_of_answers_sends_nothing(
    autojump_clock: MockClock,
) -> None:
    io = Server(max_pending_acks=1)
    async with connect(io) as client:
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        await socket.emit("first", ack=print)
        with pytest.raises(LimitReached):
            await socket.volatile.emit("second", ack=print)
        await socket.emit("third")
        assert [await client.receive() for _ in range(2)] == [["first"], ["third"]]
