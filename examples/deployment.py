"""A server for production: its limits, its log, its numbers for Prometheus, and a quiet end."""

import logging
import os
import secrets
import signal

import prometheus_client
import trio

import trio_sio
from trio_sio.metrics import Collector, page

TOKEN = os.environ.get("METRICS_TOKEN") or secrets.token_urlsafe()  # which nobody knows

registry = prometheus_client.CollectorRegistry()
io = trio_sio.Server(
    origins="https://shop.example",  # whose pages may connect
    cookie_secure=True,  # behind a proxy that terminates TLS
    max_http_buffer_size=1_000_000,  # as much as your clients need, and no more
    max_sessions=20_000,
    max_events_per_second=50,
    fallback=page(registry, token=TOKEN),
)
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
