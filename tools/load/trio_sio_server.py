"""trio_sio under load: `python trio_sio_server.py websockets|trio-websocket [on_overflow]`.

Prints its port.
"""

import gc
import sys
from collections.abc import Sequence

import trio

import trio_sio
from trio_sio.options import OverflowPolicy, WSEngine

BLOB = b"\x01" * 65536


def make_server(ws_engine: WSEngine, on_overflow: OverflowPolicy = "disconnect") -> trio_sio.Server:
    """Return the server; what each event does is the same on all servers."""
    io = trio_sio.Server(
        ws_engine=ws_engine, on_overflow=on_overflow, ping_interval=3000, ping_timeout=60
    )

    @io.on("echo")
    async def echo(socket: trio_sio.Socket, text: str) -> None:
        await socket.emit("echo", text)

    @io.on("ask")
    async def ask(socket: trio_sio.Socket, text: str) -> str:
        return text

    @io.on("join")
    async def join(socket: trio_sio.Socket) -> None:
        await socket.join("room")

    @io.on("burst")
    async def burst(socket: trio_sio.Socket, count: int, text: str) -> None:
        for _ in range(count):
            await io.emit("news", text)

    @io.on("room burst")
    async def room_burst(socket: trio_sio.Socket, count: int, text: str) -> None:
        for _ in range(count):
            await io.to("room").emit("news", text)

    @io.on("blobs")
    async def blobs(socket: trio_sio.Socket, count: int) -> None:
        for _ in range(count):
            await io.emit("blob", BLOB)

    @io.on("settle")
    async def settle(socket: trio_sio.Socket) -> None:
        gc.collect()

    return io


async def main(options: Sequence[str]) -> None:
    """Serve on a free port and print it."""
    io = make_server(*options)  # type: ignore[arg-type]  # it checks them
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            lambda task_status: io.serve_tcp(0, "127.0.0.1", backlog=4096, task_status=task_status)
        )
        print(listeners[0].socket.getsockname()[1], flush=True)


if __name__ == "__main__":
    trio.run(main, sys.argv[1:])
