"""Metrics on a port of their own, which only this machine reaches; clients have another one."""

import logging

import trio

import trio_sio
from trio_sio.metrics import Collector, page

io = trio_sio.Server()
operators = trio_sio.Server(fallback=page(Collector(io), token=None), max_connections=10)


@io.on("order")
async def order(socket, item):
    return {"ordered": item}


async def main():
    async with trio.open_nursery() as nursery:
        await nursery.start(io.serve_tcp, 3000)
        await nursery.start(operators.serve_tcp, 9464, "127.0.0.1")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    trio.run(main)
