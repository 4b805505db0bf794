"""`Application` in real frameworks under real Hypercorn, and real clients of it.

Starlette and FastAPI mount it at a path of their own, beside their routes and in their lifespan;
Quart-Trio is the other application, which lives as long as the server.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from fastapi import FastAPI
from quart_trio import QuartTrio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

import trio_sio
from tests.support.mounted import mounted
from tests.support.peers import DEADLINE, POLLING, UPGRADING, WEBSOCKET, Kind, peer
from tests.support.raw import raw
from trio_sio.asgi import Application

pytestmark = pytest.mark.node

Life = list[str]


def server() -> trio_sio.Server:
    io = trio_sio.Server(raise_errors=True)

    @io.on("echo")
    async def echo(socket: trio_sio.Socket, *args: object) -> tuple[object, ...]:
        return args

    return io


def starlette(io: trio_sio.Server, life: Life) -> Any:  # noqa: ANN401
    async def say(request: Request) -> Response:
        await io.emit("said", request.path_params["text"])
        return JSONResponse({"here": len(io.sockets.connected)})

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with io:
            life.append("startup")
            yield
            life.append("shutdown")

    routes = [Route("/say/{text}", say, methods=["POST"]), Mount("/chat", Application(io))]
    return Starlette(routes=routes, lifespan=lifespan)


def fastapi(io: trio_sio.Server, life: Life) -> Any:  # noqa: ANN401
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with io:
            life.append("startup")
            yield
            life.append("shutdown")

    app = FastAPI(lifespan=lifespan)

    @app.post("/say/{text}")
    async def say(text: str) -> dict[str, int]:
        await io.emit("said", text)
        return {"here": len(io.sockets.connected)}

    app.mount("/chat", Application(io))
    return app


def quart(io: trio_sio.Server, life: Life) -> Any:  # noqa: ANN401
    app = QuartTrio(__name__)

    @app.before_serving
    async def start() -> None:
        life.append("startup")

    @app.after_serving
    async def end() -> None:
        life.append("shutdown")

    @app.post("/say/<text>")
    async def say(text: str) -> dict[str, int]:
        await io.emit("said", text)
        return {"here": len(io.sockets.connected)}

    return Application(io, app)


@pytest.mark.parametrize("kind", [POLLING, UPGRADING, WEBSOCKET], ids=str)
@pytest.mark.parametrize(
    ("make", "path"),
    [(starlette, "/chat/socket.io"), (fastapi, "/chat/socket.io"), (quart, "/socket.io")],
)
async def test_beside_routes(
    make: Callable[[trio_sio.Server, Life], Any], path: str, kind: Kind
) -> None:
    io, life = server(), Life()
    with trio.fail_after(DEADLINE):
        async with mounted(make(io, life)) as url, peer(kind.command) as clients:
            assert life == ["startup"]
            client = await clients.connect(url, path=path, hear=["said"], **kind.options)
            for args in (["text ü"], [b"\x00\xff" * 5000, {"a": None}], ["x" * 100_000]):
                assert await client.call("echo", *args) == args
            async with raw(url) as wire:
                answer = await wire.request("POST", "/say/tea")
                assert (answer.status, answer.text.replace(" ", "").strip()) == (200, '{"here":1}')
                assert (await wire.get("/nothing")).status == 404
                assert (await wire.get("/chat/nothing")).status == 404
            assert await client.hear("said") == ["tea"]
            (socket,) = io.sockets.connected.values()
            assert socket.handshake.address == "127.0.0.1"
            assert socket.request.remote_port > 0
            await client.close()
    assert life == ["startup", "shutdown"]
    assert not io.engine.serving


async def test_mounted_at_its_own_path() -> None:
    io = server()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with io:
            yield

    app: Any = Starlette(routes=[Mount("/socket.io", Application(io))], lifespan=lifespan)
    with trio.fail_after(DEADLINE):
        async with mounted(app) as url, peer(UPGRADING.command) as clients:
            client = await clients.connect(url)
            assert await client.call("echo", 1) == [1]
            await client.close()
