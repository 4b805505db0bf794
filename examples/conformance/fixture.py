"""The application that `trio-sio conformance` needs, on trio_sio: `python3 fixture.py 3000`."""

import sys

import trio_sio

io = trio_sio.Server(ping_interval=1, ping_timeout=1, max_http_buffer_size=100_000)


class Fixture(trio_sio.Handlers):
    async def on_echo(self, socket, *args):
        await socket.emit("echo", *args)

    async def on_ack(self, socket, *args):
        return args

    async def on_ask(self, socket, *args):
        async def answered(*answer):
            await socket.emit("answered", *answer)

        await socket.emit("question", *args, ack=answered)

    async def on_burst(self, socket, count):
        for number in range(count):
            await socket.emit("number", number)

    async def on_join(self, socket, room):
        await socket.join(room)

    async def on_leave(self, socket, room):
        await socket.leave(room)

    async def on_tell(self, socket, room, *args):
        await socket.namespace.to(room).emit("told", *args)

    @trio_sio.on("tell others")
    async def tell_others(self, socket, room, *args):
        await socket.to(room).emit("told", *args)

    async def on_token(self, socket):
        return socket.handshake.get("token")

    async def on_kick(self, socket):
        await socket.disconnect()

    async def on_close(self, socket):
        await socket.disconnect(close=True)


for name in ("/", "/chat", "/private"):
    io.register(name, Fixture())


@io.of("/private").use
async def check(socket):
    if socket.handshake.get("token") != "secret":
        raise trio_sio.ConnectionRefused("not authorized")


if __name__ == "__main__":
    trio_sio.run(io, int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
