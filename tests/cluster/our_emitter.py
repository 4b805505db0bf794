"""Emits into a cluster from outside with our emitters, as `cluster_emitter.js` does.

`python -m tests.cluster.our_emitter async|sync '{"url", "key", "generation"}'` tells "ready".
"""

import json
import sys
from typing import Any

import trio

from tests.cluster.orders import obey, tell
from trio_sio.emitter import RedisEmitter, SyncRedisEmitter


async def emit(
    io: RedisEmitter | SyncRedisEmitter, target: dict[str, Any], event: str, *args: object
) -> None:
    chosen = io.of(target.get("namespace", "/")).to(*target.get("rooms", ()))
    chosen = chosen.except_(*target.get("except", ()))
    for flag in target.get("flags", ()):
        chosen = getattr(chosen, flag)
    sent = chosen.emit(event, *args)
    if sent is not None:
        await sent


async def serve(io: RedisEmitter | SyncRedisEmitter) -> None:
    async def emit_one(target: dict[str, Any], event: str, *args: object) -> None:
        await emit(io, target, event, *args)

    async def burst(target: dict[str, Any], event: str, start: int, count: int) -> None:
        for number in range(start, start + count):
            await emit(io, target, event, number)

    tell("ready")
    await obey({}, {"emit": emit_one, "burst": burst})


async def run_async(options: dict[str, Any]) -> None:
    async with RedisEmitter(**options) as io:
        await serve(io)


def main(kind: str, words: str) -> None:
    options = json.loads(words)
    if kind == "async":
        trio.run(run_async, options)
    else:
        with SyncRedisEmitter(options.pop("url"), **options) as io:
            trio.run(serve, io)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
