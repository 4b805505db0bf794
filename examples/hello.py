"""Say hello to everyone who comes; echo what they say."""

import trio

import trio_sio

io = trio_sio.Server()


@io.on("connection")
async def welcome(socket):
    await socket.emit("hello", {"id": socket.id})


@io.on("chat message")
async def chat(socket, text):
    await socket.broadcast.emit("chat message", text)  # everyone but the sender


if __name__ == "__main__":
    trio.run(io.serve_tcp, 3000)
