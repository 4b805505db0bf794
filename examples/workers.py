"""A server on all processors: several processes that share a port."""

import logging
import os

import trio_sio
from trio_sio import workers


async def main(worker):
    io = trio_sio.Server()

    @io.on("which")
    async def which(socket):
        return {"worker": worker.node_id, "process": os.getpid()}

    await worker.serve(io, grace=30, spread=10)  # seconds, when it is asked to end


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(processName)s %(levelname)s %(message)s")
    workers.run(main, workers=2, port=3000)
