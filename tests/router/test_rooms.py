"""A socket's rooms hold from the end of `join`, and never longer than the socket."""

from collections.abc import Collection

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from trio_sio.abc import Room, SocketId
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.testing import connect


async def test_rooms_are_joined_and_left(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    async with connect(io):
        (socket,) = io.sockets.sockets.values()
        assert socket.rooms == {socket.id}
        await socket.join("a", "b")
        assert socket.rooms == {socket.id, "a", "b"}
        await socket.leave("a")
        await socket.leave("never joined")
        assert socket.rooms == {socket.id, "b"}
    await wait_all_tasks_blocked()
    assert socket.rooms == frozenset()


@pytest.mark.parametrize("name", ["to", "in_", "broadcast"])
async def test_the_sender_is_left_out(name: str, autojump_clock: MockClock) -> None:
    io = trio_sio.Server()

    @io.on("say")
    async def say(socket: trio_sio.Socket) -> None:
        target = socket.broadcast if name == "broadcast" else getattr(socket, name)("room")
        await target.emit("said")
        await socket.emit("done")

    async with connect(io) as speaker, connect(io) as listener:
        for socket in tuple(io.sockets.sockets.values()):
            await socket.join("room")
        await speaker.emit("say")
        assert await listener.receive() == ["said"]
        assert await speaker.receive() == ["done"]


async def test_joining_after_the_end_does_nothing(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    async with connect(io):
        (socket,) = io.sockets.sockets.values()
    await wait_all_tasks_blocked()
    await socket.join("room")
    assert socket.rooms == frozenset()
    assert not io.sockets.adapter.rooms_of(socket.id)


async def test_more_than_max_rooms_are_refused_and_counted(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(max_rooms=3)
    async with connect(io):
        (socket,) = io.sockets.sockets.values()
        with pytest.raises(trio_sio.LimitReached, match="max_rooms"):
            await socket.join("a", "b", "c", "d")
        assert socket.rooms == {socket.id}
        await socket.join("a", "b")
        assert io.statistics().limits["max_rooms"] == 1


async def test_who_leaves_while_the_adapter_waits_is_in_no_room(
    autojump_clock: MockClock,
) -> None:
    class Slow(MemoryAdapter):
        async def add_all(self, socket_id: SocketId, rooms: Collection[Room]) -> None:
            if "room" in rooms:
                await trio.sleep(10)
            await super().add_all(socket_id, rooms)

    io = trio_sio.Server(adapter=Slow)
    async with trio.open_nursery() as nursery:
        async with connect(io):
            (socket,) = io.sockets.sockets.values()
            nursery.start_soon(socket.join, "room")
            await wait_all_tasks_blocked()
    assert socket.rooms == frozenset()
