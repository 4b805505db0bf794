"""A lobby: everybody in a room hears how many people are there, and that somebody is typing."""

from collections import defaultdict

import trio

import trio_sio

TYPING = 3
"""Seconds for which somebody counts as typing."""


def make_server():
    io = trio_sio.Server()
    people: dict[str, set[str]] = defaultdict(set)  # their ids: who joins twice is one

    async def tell(room):
        await io.to(room).emit("people", room, len(people[room]))
        return len(people[room])

    @io.on("join")
    async def join(socket, room):
        await socket.join(room)
        people[room].add(socket.id)
        return await tell(room)

    @io.on("leave")
    async def leave(socket, room):
        await socket.leave(room)
        people[room].discard(socket.id)
        return await tell(room)

    @io.on("disconnecting")
    async def disconnecting(socket, reason):
        for room in socket.rooms - {socket.id}:
            people[room].discard(socket.id)
            await tell(room)

    @io.on("typing")
    async def typing(socket, room):
        await socket.to(room).emit("typing", room, True)
        socket.nursery.start_soon(stop_typing, socket, room)

    async def stop_typing(socket, room):
        await trio.sleep(TYPING)
        await socket.to(room).emit("typing", room, False)

    return io
