"""The server under load: answers `echo`, and sends `news` to everyone on `burst`."""

import sys

import trio

import trio_sio


async def main(ws_engine: str) -> None:
    """Serve on a free port and print it."""
    io = trio_sio.Server(ws_engine=ws_engine, serve_client=False)

    @io.on("echo")
    async def echo(socket: trio_sio.Socket, text: str) -> None:
        await socket.emit("echo", text)

    @io.on("burst")
    async def burst(socket: trio_sio.Socket, size: int, text: str) -> None:
        for _ in range(size):
            await io.emit("news", text)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(io.serve_tcp, 0, "127.0.0.1")
        print(listeners[0].socket.getsockname()[1], flush=True)


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
