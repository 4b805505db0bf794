"""A Socket.IO server beside a web application of Quart, under Hypercorn's Trio worker."""

import signal
from pathlib import Path

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart_trio import QuartTrio

import trio_sio
from trio_sio.asgi import Application

PAGE = Path(__file__).with_name("under_hypercorn.html").read_text("utf-8")
pages = QuartTrio(__name__)
io = trio_sio.Server()
app = Application(io, pages)


@pages.get("/")
async def index():
    return PAGE


@pages.get("/count")
async def count():
    return f"{len(io.sockets.connected)} are here\n"


@pages.post("/news/<text>")
async def news(text):
    await io.emit("news", text)
    return "", 204


@io.on("greet")
async def greet(socket, name):
    return f"Hello, {name}!"


async def asked_to_end():
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            break
    await io.drain(grace=5, spread=1)  # Hypercorn cuts connections before it tells applications


if __name__ == "__main__":
    config = Config.from_mapping(bind=["127.0.0.1:3000"])
    trio.run(lambda: serve(app, config, shutdown_trigger=asked_to_end))
