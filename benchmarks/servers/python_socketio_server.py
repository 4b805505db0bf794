"""python-socketio under load: `python_socketio_server.py aiohttp|uvicorn`. Prints its port."""

# mypy: allow-untyped-decorators

import gc
import socket as sockets
import sys
from typing import Any

import socketio
import uvloop

BLOB = b"\x01" * 65536


def make_server(mode: str) -> Any:  # noqa: ANN401 - it has no types
    """Return the server; what each event does is the same on all servers."""
    sio = socketio.AsyncServer(
        async_mode=mode,
        async_handlers=False,  # no task for each event
        ping_interval=3000,
        ping_timeout=60,
        max_http_buffer_size=100_000_000,
        cors_allowed_origins="*",
    )

    @sio.event
    async def echo(sid: str, text: str) -> None:
        await sio.emit("echo", text, to=sid)

    @sio.event
    async def ask(sid: str, text: str) -> str:
        return text

    @sio.event
    async def join(sid: str) -> None:
        await sio.enter_room(sid, "room")

    @sio.event
    async def burst(sid: str, count: int, text: str) -> None:
        for _ in range(count):
            await sio.emit("news", text)

    @sio.on("room burst")
    async def room_burst(sid: str, count: int, text: str) -> None:
        for _ in range(count):
            await sio.emit("news", text, to="room")

    @sio.event
    async def blobs(sid: str, count: int) -> None:
        for _ in range(count):
            await sio.emit("blob", BLOB)

    @sio.event
    async def settle(sid: str) -> None:
        gc.collect()

    return sio


def main(framework: str) -> None:
    """Serve on a free port and print it."""
    listener = sockets.socket()
    listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    print(listener.getsockname()[1], flush=True)
    if framework == "aiohttp":
        from aiohttp import web

        app = web.Application()
        make_server("aiohttp").attach(app)
        uvloop.install()
        web.run_app(app, sock=listener, print=None, access_log=None)
    else:
        import uvicorn

        app = socketio.ASGIApp(make_server("asgi"))
        # Without WebSocket pings, which the load would have to count and to answer.
        config = uvicorn.Config(app, loop="uvloop", log_level="error", ws_ping_interval=None)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
