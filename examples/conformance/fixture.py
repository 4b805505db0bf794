"""The application that `trio-sio conformance` needs, on trio_sio: `python3 fixture.py 3000`.

It serves both protocols. A second number is the ping interval in seconds.
"""

import sys

import trio_sio

interval = float(sys.argv[2]) if len(sys.argv) > 2 else 1
io = trio_sio.Server(ping_interval=interval, ping_timeout=1, max_http_buffer_size=100_000)


def token_of(handshake):
    """Return what a client says when it joins or, failing that, in the query of its request."""
    return handshake.auth.get("token") or handshake.get("token") or None


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
        return (token_of(socket.handshake),)

    async def on_kick(self, socket):
        await socket.disconnect()

    async def on_close(self, socket):
        await socket.disconnect(close=True)


for name in ("/", "/chat", "/private"):
    io.register(name, Fixture())


@io.of("/private").use
async def check(socket):
    if token_of(socket.handshake) != "secret":
        raise trio_sio.ConnectionRefused("not authorized")


if __name__ == "__main__":
    trio_sio.run(io, int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
