"""Clients that never read, or never say anything, of a server under real Hypercorn.

The server's own memory and its sessions end as they do without Hypercorn. Hypercorn's task of such
a connection stays until the connection breaks, so each test ends it.
"""

import tracemalloc

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_sio
from tests.support.mounted import mounted
from tests.support.peers import DEADLINE
from tests.support.raw import raw
from trio_sio.asgi import Application

PIECE = "x" * 100_000


@pytest.mark.slow
async def test_a_client_that_never_reads_costs_its_outbox_and_no_more() -> None:
    limit = 2_000_000
    io = trio_sio.Server(max_outbox_bytes=limit, ping_timeout=600.0)
    with trio.fail_after(DEADLINE):
        async with mounted(Application(io)) as url, raw(url) as wire:
            await wire.joined()
            (session,) = io.engine.sessions.values()
            tracemalloc.start()
            try:
                sent = 0
                while not session.closed:
                    await io.emit("news", PIECE + str(sent))  # each one takes memory of its own
                    sent += 1
                    await wait_all_tasks_blocked()
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            await session.wait_closed()
            assert session.reason == "slow consumer"
            assert sent * len(PIECE) > limit
            assert peak < limit + 20 * len(PIECE)
            await wait_all_tasks_blocked()
            assert len(io.engine.sessions) == 0


@pytest.mark.slow
@pytest.mark.parametrize("reads", [True, False])
async def test_a_client_that_says_nothing_is_left(reads: bool) -> None:
    io = trio_sio.Server(ping_interval=0.5, ping_timeout=0.5)
    with trio.fail_after(DEADLINE):
        async with mounted(Application(io)) as url, raw(url) as wire:
            websocket = await wire.joined()
            (session,) = io.engine.sessions.values()
            if not reads:
                for _ in range(20):  # more than the kernel takes, less than the outbox does
                    await io.emit("news", PIECE)
            await session.wait_closed()
            assert session.reason == "ping timeout"
            await wait_all_tasks_blocked()
            assert len(io.engine.sessions) == 0
            if reads:
                await websocket.rest()  # Hypercorn closes it


@pytest.mark.slow
async def test_others_are_served_meanwhile() -> None:
    io = trio_sio.Server(max_outbox_bytes=50_000_000, ping_timeout=600.0)

    @io.on("ask")
    async def ask(socket: trio_sio.Socket) -> str:
        return "answer"

    with trio.fail_after(DEADLINE):
        async with mounted(Application(io)) as url, raw(url) as deaf, raw(url) as other:
            await deaf.joined()
            (slow,) = io.sockets.connected.values()
            for _ in range(200):
                slow.emit_nowait("news", PIECE)
            websocket = await other.joined()
            await websocket.send('427["ask"]')
            assert await websocket.receive() == '437["answer"]'
            assert slow.connected
