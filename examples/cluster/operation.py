"""A server of a cluster in operation: is it ready, what has it missed, and how it leaves."""

import logging
import os
import signal

import trio

import trio_sio
from trio_sio.adapters.redis import RedisAdapter
from trio_sio.metrics import Collector, page

logger = logging.getLogger("chat")


async def answer(request):
    if request.path == "/ready":  # for the load balancer: may new clients come?
        problem = "this server is about to leave" if leaving.is_set() else redis.problem
        status, text = (503, problem) if problem else (200, "ready")
        return trio_sio.Response.text(status, text)
    return await metrics(request)


redis = RedisAdapter(os.environ.get("REDIS_URL", "redis://localhost:6379"))
io = trio_sio.Server(adapter=redis, fallback=answer)
metrics = page(Collector(io), token=None)  # at /metrics, which the proxy keeps to your network
leaving = trio.Event()


@redis.on_health
def tell(healthy):
    logger.info("other servers are reached: %s", "yes" if healthy else redis.problem)


@redis.on_gap
async def catch_up(gap):  # what others sent meanwhile has not arrived here
    await io.local.emit("reload")  # so let our clients ask for what they may have missed


async def main():
    async with trio.open_nursery() as nursery:
        await nursery.start(io.serve_tcp, 3000)
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            async for _ in signals:
                break
        leaving.set()
        await io.drain(grace=30, spread=10)  # seconds
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    trio.run(main)
