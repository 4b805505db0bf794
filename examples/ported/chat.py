"""A chat with rooms: `chat.js` and `chat_python_socketio.py` are the same program elsewhere."""

import os
import time

import trio

import trio_sio

io = trio_sio.Server(ping_interval=10)


@io.use
async def check(socket):
    name = socket.handshake.query.get("name")
    if name is None:
        raise trio_sio.ConnectionRefused("who are you?")
    socket.data.update(name=name, room=None)


@io.on("connection")
async def welcome(socket):
    socket.nursery.start_soon(remind, socket)


async def remind(socket):
    await trio.sleep(0.1)
    await socket.emit("reminder", "be", "kind")


@io.on("enter")
async def enter(socket, room):
    if socket.data["room"] is not None:
        await socket.leave(socket.data["room"])
    socket.data["room"] = room
    await socket.join(room)
    await socket.to(room).emit("came", socket.data["name"])
    return {"room": room}


@io.on("say")
async def say(socket, text):
    await io.to(socket.data["room"]).emit("said", socket.data["name"], text)


@io.on("measure")
async def measure(socket):
    begun = time.monotonic()
    await socket.call("ping me")
    return time.monotonic() - begun


@io.on("disconnect")
async def leave(socket, reason):
    await io.to(socket.data["room"]).emit("went", socket.data["name"])


if __name__ == "__main__":
    trio_sio.run(io, port=int(os.environ.get("PORT", "3000")))
