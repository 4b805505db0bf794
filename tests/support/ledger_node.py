"""A server as a program of its own, which keeps a ledger of what it has handled and accepted.

`python -m tests.support.ledger_node '{"node": "w1", "port": …, "redis": …, "ledger": …}'` prints
its name and port when it serves. SIGTERM has it drain and end. With `"workers": 2` in place of
`node` and `port` it is a program with workers, and SIGHUP replaces them. The lines of the ledger, a
file that several nodes share:

    handled CLIENT NUMBER EVENT     a handler has taken an event of a client
    told SOCKET NUMBER              `socket.emit` has accepted an event for a client
    cast NODE NUMBER SOCKET,…       a broadcast, and who of this node was there
"""

import itertools
import json
import logging
import os
import signal
import sys
from functools import partial
from typing import Any

import trio

import trio_sio
from trio_sio import workers
from trio_sio.adapters.redis import RedisAdapter

PACE = 0.03
"""Seconds between two events of one sender."""

GRACE, SPREAD = 20.0, 0.5


class Ledger:
    """The file; each line is written at once."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, *words: object) -> None:
        """Write one line."""
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


def make_server(node: str, options: dict[str, Any], ledger: Ledger) -> trio_sio.Server:
    """The server, which tells each client numbers."""
    adapter = RedisAdapter(options["redis"])
    io = trio_sio.Server(node_id=node, adapter=adapter, trusted_proxies=1)

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        async def tell() -> None:
            for number in itertools.count():
                is_here = not socket.client.session.closed  # as it is from its turn in a drain on
                await socket.emit("told", number)
                if is_here:
                    ledger.note("told", socket.id, number)
                await trio.sleep(PACE)

        socket.nursery.start_soon(tell)

    @io.on("call")
    async def call(socket: trio_sio.Socket, client: int, number: int) -> int:
        await trio.sleep(0.005)  # so there is always something under way
        ledger.note("handled", client, number, "call")
        return number

    @io.on("say")
    async def say(socket: trio_sio.Socket, client: int, number: int) -> None:
        ledger.note("handled", client, number, "say")

    return io


async def broadcast(io: trio_sio.Server, name: str, ledger: Ledger) -> None:
    """Tell everybody numbers; a task."""
    for number in itertools.count():
        here = [
            socket_id
            for socket_id, socket in io.sockets.connected.items()
            if not socket.client.session.closed  # as it is from its turn in a drain on
        ]
        await io.emit("cast", name, number)
        ledger.note("cast", name, number, ",".join(here))
        await trio.sleep(PACE)


async def serve(options: dict[str, Any]) -> None:
    """Serve until SIGTERM, and drain."""
    ledger, node = Ledger(options["ledger"]), options["node"]
    io = make_server(node, options, ledger)
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            await nursery.start(partial(io.serve_tcp, options["port"], host="127.0.0.1"))
            nursery.start_soon(broadcast, io, f"{node}-{os.getpid()}", ledger)
            say(node, options["port"])
            async for _ in signals:
                break
        await io.drain(grace=GRACE, spread=SPREAD)
        nursery.cancel_scope.cancel()


async def work(options: dict[str, Any], worker: workers.Worker) -> None:
    """Serve as a worker."""
    ledger, node = Ledger(options["ledger"]), worker.node_id
    io = make_server(node, options, ledger)
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def tell() -> None:
            while not io.engine.serving:  # noqa: ASYNC110 - nobody tells of it
                await trio.sleep(0.01)
            say(node, worker.private[0].socket.getsockname()[1])
            await broadcast(io, f"{node}-{os.getpid()}", ledger)

        await worker.serve(io, grace=GRACE, spread=SPREAD)
        nursery.cancel_scope.cancel()


def say(node: str, port: int) -> None:
    """Print in one piece, since several processes print."""
    os.write(1, f"{node} {port}\n".encode())


def main() -> None:
    """Run it with the options that the command line has."""
    logging.basicConfig(level=logging.WARNING, format=f"{os.getpid()} %(message)s")
    options = json.loads(sys.argv[1])
    if "workers" in options:
        workers.run(partial(work, options), workers=options["workers"], private=0)
    else:
        trio.run(serve, options)


if __name__ == "__main__":
    main()
