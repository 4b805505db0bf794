"""Rooms: join, leave, talk to one, to several, to all but some."""

import trio_sio

io = trio_sio.Server()


@io.on("join")
async def join(socket, room):
    await socket.join(room)
    await socket.to(room).emit("joined", socket.id)  # the room, but not the sender
    return sorted(await io.in_(room).clients())


@io.on("leave")
async def leave(socket, room):
    await socket.leave(room)
    await io.to(room).emit("left", socket.id)


@io.on("whisper")
async def whisper(socket, other_id, text):
    await socket.to(other_id).emit(
        "whisper", socket.id, text
    )  # every socket is in a room of its own


@io.on("position")
async def position(socket, x, y):
    team = io.to("red", "blue").except_("spectators")  # immutable: keep it, share it
    await team.volatile.emit("position", socket.id, x, y)  # skipped for whoever is behind


@io.on("disconnecting")
async def say_goodbye(socket, reason):
    for room in socket.rooms - {socket.id}:  # still there; empty in "disconnect"
        await socket.to(room).emit("left", socket.id)


if __name__ == "__main__":
    trio_sio.run(io, 3000)
