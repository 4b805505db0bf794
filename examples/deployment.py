"""A server for production: its limits, its log, its numbers for Prometheus, and a quiet end."""

import logging
import signal

import prometheus_client
import trio

import trio_sio
from trio_sio.metrics import Collector


async def metrics(request):
    if request.path != "/metrics":
        return trio_sio.Response(404)
    content_type = [("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)]
    return trio_sio.Response(200, content_type, prometheus_client.generate_latest(registry))


io = trio_sio.Server(
    origins="https://shop.example",  # whose pages may connect
    cookie_secure=True,  # behind a proxy that terminates TLS
    max_http_buffer_size=1_000_000,  # as much as your clients need, and no more
    max_sessions=20_000,
    max_events_per_second=50,
    fallback=metrics,
)
registry = prometheus_client.CollectorRegistry()
registry.register(Collector(io))


@io.on("order")
async def order(socket, item):
    await trio.sleep(0.5)  # the database
    return {"ordered": item}


async def main():
    async with trio.open_nursery() as nursery:
        await nursery.start(io.serve_tcp, 3000)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                break
        await io.drain(grace=30, spread=10)  # seconds
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    trio.run(main)
