"""What `main` gets, without processes."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest
import trio
import trio.testing

import trio_sio
from tests.support.raw import raw
from trio_sio.workers.balance import Loads, Share
from trio_sio.workers.sockets import open_private_socket, open_sockets
from trio_sio.workers.worker import Worker


class Made:
    """A worker, and what became of it."""

    def __init__(self, shared: list[socket.socket], private: socket.socket | None) -> None:
        self.loads = Loads(1)
        self.told = trio.Event()
        share = Share(self.loads, 1)
        self.worker = Worker(1, "w1", shared, private, share, self.told.set)
        self.port = shared[0].getsockname()[1] if shared else 0
        self.own_port = private.getsockname()[1] if private else 0


@pytest.fixture
def sockets() -> Iterator[tuple[list[socket.socket], socket.socket]]:
    with ExitStack() as stack:
        shared = [stack.enter_context(one) for one in open_sockets(0, "127.0.0.1")]
        yield shared, stack.enter_context(open_private_socket(0, "w1"))


@pytest.fixture
async def made(sockets: tuple[list[socket.socket], socket.socket]) -> Made:
    return Made(*sockets)


async def test_it_serves_on_both_ports_under_its_node_id(made: Made, nursery: trio.Nursery) -> None:
    nursery.start_soon(made.worker.serve, trio_sio.Server())
    await made.told.wait()
    for port in (made.port, made.own_port):
        async with raw(f"http://127.0.0.1:{port}") as wire:
            target, _ = await wire.handshake()
            assert "&sid=w1." in target
    assert repr(made.worker) == "<Worker w1>"
    assert len(made.worker.listeners) == 2


async def test_a_server_keeps_its_own_node_id(made: Made, nursery: trio.Nursery) -> None:
    io = trio_sio.Server(node_id="mine")
    nursery.start_soon(made.worker.serve, io)
    await made.told.wait()
    assert io.engine.options.node_id == "mine"


async def test_a_drain_leaves_the_shared_port_first(made: Made, nursery: trio.Nursery) -> None:
    """New clients go to other workers; those that are here finish by the worker's own port."""
    io = trio_sio.Server()
    asked, may_answer = trio.Event(), trio.Event()

    @io.on("ask")
    async def ask(socket: trio_sio.Socket) -> str:
        asked.set()
        await may_answer.wait()
        return "answer"

    done = trio.Event()

    async def serve() -> None:
        await made.worker.serve(io, grace=60, spread=0)
        done.set()

    nursery.start_soon(serve)
    await made.told.wait()
    async with raw(f"http://127.0.0.1:{made.own_port}") as wire:
        polling = await wire.polling()
        await polling.post(b'10:420["ask"]')
        await asked.wait()
        assert made.worker.stop()
        await trio.testing.wait_all_tasks_blocked()
        assert made.worker.shared[0].socket.fileno() == -1
        assert (await wire.get("/socket.io/?EIO=3&transport=polling")).status == 503
        may_answer.set()
        assert (await polling.get())[1] == b'13:430["answer"]'
        await polling.get()
    with trio.fail_after(60):
        await done.wait()


async def test_only_shared_or_only_private_sockets(
    sockets: tuple[list[socket.socket], socket.socket], nursery: trio.Nursery
) -> None:
    shared, private = sockets
    for made in (Made(shared, None), Made([], private)):
        nursery.start_soon(made.worker.serve, trio_sio.Server())
        await made.told.wait()
        async with raw(f"http://127.0.0.1:{made.port or made.own_port}") as wire:
            await wire.handshake()


async def test_who_waits_hears_of_the_first_request_to_end(
    made: Made, nursery: trio.Nursery
) -> None:
    nursery.start_soon(made.worker.wait_stop)
    await trio.testing.wait_all_tasks_blocked()
    assert made.worker.stop()
    await made.worker.wait_stop()
    assert not made.worker.stop()  # the second one is for `main` itself


async def test_nobody_waits(made: Made) -> None:
    assert not made.worker.stop()


async def test_a_server_that_serves_already(made: Made, nursery: trio.Nursery) -> None:
    """Its options are fixed."""
    io = trio_sio.Server()
    await nursery.start(partial(io.serve_tcp, 0, "127.0.0.1"))
    assert io.engine.serving
    with pytest.raises(RuntimeError, match="open already"):
        await made.worker.serve(io)
    assert io.engine.options.node_id == ""
