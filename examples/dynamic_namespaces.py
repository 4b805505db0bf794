"""A namespace for each match: by pattern, or by asking a function."""

import re

import trio_sio

io = trio_sio.Server()
boards = io.of(re.compile(r"/board-\d+"))


@boards.on("connection")
async def opened(socket):
    here = socket.namespace  # "/board-101", made on first visit
    await here.emit("someone came", socket.id)  # to this board only


@boards.on("draw")
async def draw(socket, line):
    await socket.broadcast.emit("draw", line)


@io.of
async def tenants(name, query):  # JS: (name, query, next) => next(null, ok)
    return name.removeprefix("/tenant/") in {"acme", "umbrella"}  # asked once for each name


@tenants.use
async def authenticate(socket):  # asked for each client
    if socket.handshake.query.get("token") != "s3cret":
        raise trio_sio.ConnectionRefused("Authentication error")


@tenants.on("connection")
async def tenant(socket):
    await socket.emit("welcome", socket.namespace.name)


async def announce():
    await boards.emit("maintenance at noon")  # every board that exists


if __name__ == "__main__":
    trio_sio.run(io, 3000)
