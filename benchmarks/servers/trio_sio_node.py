"""A node of a cluster under load, or some workers.

    python trio_sio_node.py REDIS_URL [max_subscriptions [workers]]

Prints its port, or that of all workers. What each event does is the same as in `cluster_node.js`.
"""

import os
import sys

import trio

import trio_sio
from trio_sio import workers
from trio_sio.adapters.redis import RedisAdapter

CORES = os.sched_getaffinity(0)


def make_server(url: str, max_subscriptions: int = 10_000) -> trio_sio.Server:
    """Return the server."""
    io = trio_sio.Server(
        adapter=RedisAdapter(url, max_subscriptions=max_subscriptions),
        ws_engine="websockets",
        ping_interval=3000,
        ping_timeout=60,
    )

    @io.on("echo")
    async def echo(socket: trio_sio.Socket, text: str) -> None:
        await socket.emit("echo", text)

    @io.on("join")
    async def join(socket: trio_sio.Socket, numbers: list[int]) -> None:
        await socket.join(*map(name, numbers))

    @io.on("burst")
    async def burst(socket: trio_sio.Socket, count: int, text: str) -> None:
        for _ in range(count):
            await io.emit("news", text)

    @io.on("room burst")
    async def room_burst(socket: trio_sio.Socket, rooms: int, count: int, text: str) -> None:
        for number in range(count):
            await io.to(name(number % rooms)).emit("news", text)

    return io


def name(number: int) -> str:
    """Return the name of a room."""
    return f"room-{number}"


async def serve(url: str, max_subscriptions: int) -> None:
    """Serve on a free port and print it."""
    io = make_server(url, max_subscriptions)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            lambda task_status: io.serve_tcp(0, "127.0.0.1", backlog=4096, task_status=task_status)
        )
        print(listeners[0].socket.getsockname()[1], flush=True)


def run_workers(url: str, max_subscriptions: int, count: int) -> None:
    """Serve on a free port and print it; each worker may use every core."""
    sockets = workers.open_sockets(0, "127.0.0.1")

    async def work(worker: workers.Worker) -> None:
        os.sched_setaffinity(0, CORES)
        await worker.serve(make_server(url, max_subscriptions))

    print(sockets[0].getsockname()[1], flush=True)
    workers.run(work, workers=count, sockets=sockets)


def main(url: str, max_subscriptions: int = 10_000, count: int = 0) -> None:
    """Serve with one process, or with some workers."""
    if count:
        run_workers(url, max_subscriptions, count)
    else:
        trio.run(serve, url, max_subscriptions)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
