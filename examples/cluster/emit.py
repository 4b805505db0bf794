"""Tell the clients of all servers something, from a process that is none of them."""

import os

import trio

from trio_sio.emitter import RedisEmitter


async def main():
    url = os.environ.get("REDIS_URL", "redis://localhost:6379")
    async with RedisEmitter(url) as emitter:
        await emitter.emit("news", "The kettle is on.")
        await emitter.to("tea").emit("said", "Tea is ready.")
        await emitter.of("/admin").emit("done", {"cups": 4})


if __name__ == "__main__":
    trio.run(main)
