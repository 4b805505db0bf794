"""An ASGI application under Hypercorn's Trio worker, in this process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from trio_sio.asgi.types import ASGIApplication


@asynccontextmanager
async def mounted(
    app: ASGIApplication,
    *,
    before_the_end: Callable[[], Awaitable[object]] = trio.lowlevel.checkpoint,
    **settings: object,
) -> AsyncIterator[str]:
    """Serve, and give the URL; at the end the lifespan's shutdown is awaited."""
    config = Config.from_mapping(
        {"bind": ["127.0.0.1:0"], "graceful_timeout": 0.5, "accesslog": None, **settings}
    )
    ending = trio.Event()

    async def wait() -> None:
        await ending.wait()
        await before_the_end()

    run: Any = partial(serve, app, config, shutdown_trigger=wait)  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        (url,) = await nursery.start(run)
        try:
            yield url
        finally:
            ending.set()
