"""Metrics of several workers: each counts for itself, and has a port for what it counted."""

import logging

import trio

import trio_sio
from trio_sio import workers
from trio_sio.metrics import Collector, page


async def main(worker):
    io = trio_sio.Server()
    operators = trio_sio.Server(fallback=page(Collector(io), token=None), max_connections=10)

    @io.on("which")
    async def which(socket):
        return worker.node_id

    async with trio.open_nursery() as nursery:
        await nursery.start(operators.serve_tcp, 9463 + worker.number, "127.0.0.1")
        await worker.serve(io, grace=30, spread=10)  # can be scraped until it has drained
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(processName)s %(levelname)s %(message)s")
    workers.run(main, workers=2, port=3000)
