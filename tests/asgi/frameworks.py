"""One small site, written with each framework."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import trio
from fastapi import FastAPI, Request as FastAPIRequest
from fastapi.responses import StreamingResponse as FastAPIStreamingResponse
from quart import request as quart_request
from quart_trio import QuartTrio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

PIECE = b"d" * 100_000
PIECES = 20


class State(TypedDict):
    """What the applications keep for their life."""

    word: str


class Story:
    """What happened to an application, in its order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def lines(self) -> AsyncIterator[bytes]:
        """Make lines for ever, as server-sent events."""
        try:
            while True:
                yield b"data: now\n\n"
                await trio.sleep(1)
        finally:
            self.told.append("no more lines")

    @asynccontextmanager
    async def life(self, app: object) -> AsyncIterator[State]:
        """Be the life of an application."""
        self.told.append("startup")
        yield {"word": "kept"}
        self.told.append("shutdown")


async def _pieces() -> AsyncIterator[bytes]:
    for _ in range(PIECES):
        yield PIECE


def starlette(story: Story) -> Starlette:
    async def hello(request: Request) -> Response:
        return JSONResponse({"hello": request.path_params["name"], "word": request.state.word})

    async def upload(request: Request) -> Response:
        total = 0
        async for piece in request.stream():
            total += len(piece)
        return PlainTextResponse(str(total))

    async def download(request: Request) -> Response:
        return StreamingResponse(_pieces())

    async def events(request: Request) -> Response:
        return StreamingResponse(story.lines(), media_type="text/event-stream")

    async def fails(request: Request) -> Response:
        raise KeyError("of the application")

    return Starlette(
        routes=[
            Route("/hello/{name}", hello),
            Route("/upload", upload, methods=["POST"]),
            Route("/download", download),
            Route("/events", events),
            Route("/fails", fails),
        ],
        lifespan=story.life,
    )


def fastapi(story: Story) -> FastAPI:
    app = FastAPI(lifespan=story.life)

    @app.get("/hello/{name}")
    async def hello(name: str, request: FastAPIRequest) -> dict[str, str]:
        return {"hello": name, "word": request.state.word}

    @app.post("/upload")
    async def upload(request: FastAPIRequest) -> int:
        total = 0
        async for piece in request.stream():
            total += len(piece)
        return total

    @app.get("/download")
    async def download() -> FastAPIStreamingResponse:
        return FastAPIStreamingResponse(_pieces())

    @app.get("/events")
    async def events() -> FastAPIStreamingResponse:
        return FastAPIStreamingResponse(story.lines(), media_type="text/event-stream")

    @app.get("/fails")
    async def fails() -> None:
        raise KeyError("of the application")

    return app


def quart(story: Story) -> QuartTrio:
    app = QuartTrio(__name__)
    app.config["RESPONSE_TIMEOUT"] = None
    app.config["MAX_CONTENT_LENGTH"] = None

    @app.before_serving
    async def start() -> None:
        story.told.append("startup")

    @app.after_serving
    async def end() -> None:
        story.told.append("shutdown")

    @app.get("/hello/<name>")
    async def hello(name: str) -> dict[str, str]:
        return {"hello": name, "word": "kept"}

    @app.post("/upload")
    async def upload() -> str:
        total = 0
        async for piece in quart_request.body:
            total += len(piece)
        return str(total)

    @app.get("/download")
    async def download() -> AsyncIterator[bytes]:
        return _pieces()

    @app.get("/events")
    async def events() -> tuple[AsyncIterator[bytes], dict[str, str]]:
        return story.lines(), {"Content-Type": "text/event-stream"}

    @app.get("/fails")
    async def fails() -> str:
        raise KeyError("of the application")

    return app
