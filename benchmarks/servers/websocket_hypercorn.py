"""What Hypercorn's Trio worker costs by itself: an ASGI application that only looks like Socket.IO.

It answers the messages of the loads by fixed texts: no sessions, no rooms, no heartbeats, nothing
is parsed, and a broadcast is a loop over all clients. Prints its port.
"""

import gc
from functools import partial
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve

OPEN = '0{"sid":"a","upgrades":[],"pingInterval":3000000,"pingTimeout":60000}'
everybody: set[Any] = set()


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
    """Serve one WebSocket."""
    if scope["type"] == "lifespan":
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    for text in (OPEN, "40"):
        await send({"type": "websocket.send", "text": text})
    everybody.add(send)
    try:
        while (message := await receive())["type"] == "websocket.receive":
            await answer(message["text"], send)
    finally:
        everybody.discard(send)


async def answer(text: str, send: Any) -> None:  # noqa: ANN401
    """Do what a message asks for."""
    if text.startswith('42["burst",'):
        _, count, said = text.split(",")
        news = {"type": "websocket.send", "text": f'42["news",{said}'}
        for _ in range(int(count)):
            for one in tuple(everybody):
                await one(news)
    elif text.startswith("427["):
        gc.collect()
        await send({"type": "websocket.send", "text": "437[]"})
    else:
        await send({"type": "websocket.send", "text": text})


async def main() -> None:
    """Serve on a free port and print it."""
    config = Config.from_mapping(bind=["127.0.0.1:0"], backlog=4096, loglevel="WARNING")
    served: Any = app
    async with trio.open_nursery() as nursery:
        run = partial(serve, served, config, shutdown_trigger=trio.sleep_forever)
        (url,) = await nursery.start(run)
        print(url.rpartition(":")[2], flush=True)


if __name__ == "__main__":
    trio.run(main)
