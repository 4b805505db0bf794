"""trio_sio under Hypercorn's Trio worker, with the events of the server that listens itself.

Prints its port.
"""

from functools import partial
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from tools.load.trio_sio_server import make_server
from trio_sio.asgi import Application


async def main() -> None:
    """Serve on a free port and print it."""
    config = Config.from_mapping(bind=["127.0.0.1:0"], backlog=4096, loglevel="WARNING")
    app: Any = Application(make_server("websockets"))
    async with trio.open_nursery() as nursery:
        (url,) = await nursery.start(
            partial(serve, app, config, shutdown_trigger=trio.sleep_forever)
        )
        print(url.rpartition(":")[2], flush=True)


if __name__ == "__main__":
    trio.run(main)
