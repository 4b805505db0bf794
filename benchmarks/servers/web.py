"""One small site of Starlette, and how it is served: `python web.py MODE`. Prints its port.

hypercorn   by Hypercorn's Trio worker, alone
mounted     likewise, beside a Socket.IO server that is an `Application`
fallback    by a Socket.IO server, as its `Fallback`
function    by a Socket.IO server; the same answers without Starlette, by a function
"""

import json
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

import trio_sio
from trio_sio.asgi import Application, Fallback

PIECE = bytes(65_536)
PIECES = 16


async def pieces() -> AsyncIterator[bytes]:
    """A megabyte."""
    for _ in range(PIECES):
        yield PIECE


async def get(request: Request) -> Response:
    return JSONResponse({"hello": request.query_params["name"]})


async def post(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def download(request: Request) -> Response:
    return StreamingResponse(pieces(), media_type="application/octet-stream")


def site() -> Starlette:
    return Starlette(
        routes=[
            Route("/get", get),
            Route("/post", post, methods=["POST"]),
            Route("/download", download),
        ]
    )


async def function(request: trio_sio.Request) -> trio_sio.Response:
    """Answer as the site does."""
    plain = ("Content-Type", "text/plain; charset=utf-8")
    if request.path == "/get":
        name = request.query_string.partition("=")[2]
        body = json.dumps({"hello": name}, separators=(",", ":")).encode()
        return trio_sio.Response(200, [("Content-Type", "application/json")], body)
    if request.path == "/post":
        return trio_sio.Response(200, [plain], str(len(await request.body())).encode())
    return trio_sio.Response(200, [("Content-Type", "application/octet-stream")], pieces())


async def under_hypercorn(app: Any) -> None:  # noqa: ANN401
    config = Config.from_mapping(bind=["127.0.0.1:0"], backlog=4096, loglevel="WARNING")
    async with trio.open_nursery() as nursery:
        run = partial(serve, app, config, shutdown_trigger=trio.sleep_forever)
        (url,) = await nursery.start(run)
        print(url.rpartition(":")[2], flush=True)


async def alone(fallback: Any) -> None:  # noqa: ANN401
    io = trio_sio.Server(fallback=fallback)
    async with trio.open_nursery() as nursery:
        run = partial(io.serve_tcp, 0, "127.0.0.1", backlog=4096)
        listeners = await nursery.start(run)
        print(listeners[0].socket.getsockname()[1], flush=True)


async def main(mode: str) -> None:
    """Serve on a free port and print it."""
    if mode == "hypercorn":
        await under_hypercorn(site())
    elif mode == "mounted":
        await under_hypercorn(Application(trio_sio.Server(), site()))
    else:
        await alone(function if mode == "function" else Fallback(site()))


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
