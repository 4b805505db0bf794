"""A lobby: everybody in a room hears how many people are there, and that somebody is typing."""

from collections import Counter

import trio

import trio_sio

TYPING = 3
"""Seconds for which somebody counts as typing."""


def make_server():
    io = trio_sio.Server()
    people: Counter[str] = Counter()

    async def change(room, by):
        people[room] += by
        await io.to(room).emit("people", room, people[room])

    @io.on("join")
    async def join(socket, room):
        await socket.join(room)
        await change(room, +1)
        return people[room]

    @io.on("leave")
    async def leave(socket, room):
        await socket.leave(room)
        await change(room, -1)
        return people[room]

    @io.on("disconnecting")
    async def disconnecting(socket, reason):
        for room in socket.rooms - {socket.id}:
            await change(room, -1)

    @io.on("typing")
    async def typing(socket, room):
        await socket.to(room).emit("typing", room, True)
        socket.nursery.start_soon(stop_typing, socket, room)

    async def stop_typing(socket, room):
        await trio.sleep(TYPING)
        await socket.to(room).emit("typing", room, False)

    return io
