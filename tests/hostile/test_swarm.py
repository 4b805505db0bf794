"""Thousands of hostile connections, of all kinds, beside a hundred clients that chat.

The honest clients lose nothing, and when the swarm has gone nothing of it is left: no task, no
socket, no deadline, no object. How long the honest ones wait is for `benchmarks` to say, with
`--hostile`.

Options are the defaults, but for `ping_interval` and `ping_timeout`: sessions by polling whose
client has vanished last so long, and the test with them. What a flood has sent is read to its end,
though its client has vanished; the kernel's buffer for it is small here.
`max_connections_per_address`, which has no default, would turn most of a swarm from one address
away; here it has fifty, and no limit.
"""

import json
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from subprocess import PIPE

import pytest
import trio

import trio_sio
from tests.hostile.kinds import MIX, RECENT
from tests.support.raw import raw
from tests.support.remains import Remains
from tools.setup_machine import ROOT
from trio_sio.engine.polling.shared_bodies import KEEP
from trio_sio.options import WSEngine

pytestmark = pytest.mark.alone


HONEST = 100
RATE = 80
"""Messages in a second: they chat for some time."""

RECEIVE_BUFFER = 8 * 1024
PATIENCE = 600.0
"""Seconds after which the test is given up."""


def make_server(ws_engine: WSEngine, silence: float) -> trio_sio.Server:
    """Return the server, whose clients chat in a room.

    Args:
        ws_engine: the option.
        silence: seconds for which a client may say nothing.
    """
    io = trio_sio.Server(ws_engine=ws_engine, ping_interval=silence - 1, ping_timeout=1)

    @io.on("join")
    async def join(client: trio_sio.Socket) -> None:
        await client.join("room")

    @io.on("room burst")
    async def say(client: trio_sio.Socket, _: int, text: str) -> None:
        await io.to("room").emit("news", text)

    @io.on("echo")
    async def echo(client: trio_sio.Socket, text: str) -> None:
        await client.emit("echo", text)

    return io


class Clients:
    """A process of clients that waits for orders."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._heard = b""

    async def order(self) -> None:
        """Have it go on."""
        assert self._process.stdin is not None
        await self._process.stdin.send_all(b"\n")

    async def hear(self) -> str:
        """Return its next line."""
        assert self._process.stdout is not None
        while b"\n" not in self._heard:
            more = await self._process.stdout.receive_some()
            assert more, "a process of clients has ended"
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()


@asynccontextmanager
async def started(module: str, *arguments: int | str) -> AsyncIterator[Clients]:
    """Start clients and wait until they are there; in the end they are killed."""
    command = [sys.executable, "-m", f"tests.hostile.{module}", *map(str, arguments)]
    run = partial(trio.run_process, command, cwd=ROOT, stdin=PIPE, stdout=PIPE, check=False)
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(run)
        try:
            clients = Clients(process)
            assert await clients.hear() == "here"
            yield clients
        finally:
            process.kill()


async def attack(
    io: trio_sio.Server, port: int, hostile: int, messages: int, versions: tuple[int, int]
) -> dict[str, int]:
    """Have the honest ones chat during an attack, and look at what they got.

    Returns:
        How many connections of each kind came.
    """
    theirs, ours = versions
    chat = started("chat", port, HONEST, messages, RATE, ours)
    async with chat as honest, started("swarm", port, hostile, theirs, *kinds(theirs)) as swarm:
        here = io.statistics()
        # Those that have said nothing yet may have waited too long, or to be accepted.
        assert here.connections >= hostile * 0.7
        await swarm.order()
        assert await swarm.hear() == "begun"
        await honest.order()
        report = json.loads(await honest.hear())
        assert report["wrong"] == []
        assert report["missing"] == 0
        assert report["delivered"] == HONEST * HONEST * messages
        await swarm.order()
        came: dict[str, int] = json.loads(await swarm.hear())
        return came


async def all_left(io: trio_sio.Server) -> None:
    """Return when the server has nobody left."""
    while (now := io.statistics()).connections or now.sessions:  # noqa: ASYNC110 - nobody tells
        await trio.sleep(0.2)


def kinds(version: int) -> list[str]:
    """The kinds of attack by clients of this revision of Engine.IO, as often as they come."""
    return MIX if version == 3 else [*MIX, *RECENT]


async def check(
    ws_engine: WSEngine,
    hostile: int,
    messages: int,
    silence: float,
    versions: tuple[int, int] = (3, 3),
) -> None:
    """Attack a server; nothing is lost and nothing is left.

    Args:
        ws_engine: the option.
        hostile: how many attack.
        messages: how many each honest client sends.
        silence: seconds for which a client may say nothing.
        versions: of Engine.IO, of the hostile and of the honest ones.
    """
    io = make_server(ws_engine, silence)
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            for listener in listeners:
                listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            await nursery.start(io.serve_listeners, listeners)
            port = listeners[0].socket.getsockname()[1]
            async with raw(f"http://127.0.0.1:{port}") as wire:  # what is made once has been made
                await wire.joined()
                polling = await wire.polling()
                await polling.post(b"1:1")  # it says that it leaves
            await all_left(io)
            io.engine.runtime.log.flush()
            before = Remains.of(io)
            came = await attack(io, port, hostile, messages, versions)
            assert set(came) == set(kinds(versions[0]))
            assert sum(came.values()) > hostile  # those that were shown out came again
            await all_left(io)
            io.engine.runtime.log.flush()
            await trio.sleep(2 * KEEP)  # bodies that have been made for several
            # Tasks end a few rounds after what they did.
            await trio.testing.wait_all_tasks_blocked(0.1)
            assert Remains.of(io).beyond(before) == ""
            now = io.statistics()
            assert (now.queued, now.queued_bytes, now.largest_queue) == (0, 0, 0)
            nursery.cancel_scope.cancel()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "trio_sio")  # a record that pytest keeps holds its session


@pytest.mark.parametrize(
    ("versions", "hostile"), [((3, 3), 2000), ((4, 3), 1000), ((4, 4), 1000)], ids=str
)
async def test_honest_clients_lose_nothing_and_nothing_is_left(
    versions: tuple[int, int], hostile: int
) -> None:
    """Hostile and honest ones of either revision; most of them where both are of the older one."""
    await check("websockets", hostile=hostile, messages=3, silence=5, versions=versions)


@pytest.mark.long
@pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])
async def test_ten_thousand(ws_engine: WSEngine) -> None:
    await check(ws_engine, hostile=10_000, messages=20, silence=60)
