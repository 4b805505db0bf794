"""How it ends: what the server calls it, what the client calls it, and whether it comes back."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

import trio_sio
from tests.end_to_end.network import network
from tests.support.peers import (
    DEADLINE,
    POLLING,
    PYTHON,
    QUICKLY_BACK,
    UPGRADING,
    WEBSOCKET,
    Client,
    Kind,
    Peer,
    peer,
    served,
)
from tests.support.servers import MakeServer

node = pytest.mark.node
KINDS = [pytest.param(kind, marks=node, id=str(kind)) for kind in (UPGRADING, WEBSOCKET, POLLING)]
IMPATIENT = {"ping_interval": 0.5, "ping_timeout": 0.5}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    one: Kind = request.param
    return one


class Watched:
    """A server that notes why sockets leave."""

    def __init__(self, io: trio_sio.Server) -> None:
        self.io = io
        self.sockets: list[trio_sio.Socket] = []
        self._put, self._reasons = trio.open_memory_channel[str](100)
        io.on("connection", self.sockets.append)
        io.on("disconnect", lambda _socket, reason: self._put.send_nowait(str(reason)))

    async def reason(self) -> str:
        with trio.fail_after(DEADLINE):
            return await self._reasons.receive()


@asynccontextmanager
async def connected(io: trio_sio.Server, kind: Kind) -> AsyncIterator[tuple[Watched, Peer, Client]]:
    watched = Watched(io)
    async with served(io) as url, peer(kind.command) as process:
        yield watched, process, await connect(process, url, kind)


async def connect(process: Peer, url: str, kind: Kind) -> Client:
    quickly_back = {} if kind.command == PYTHON else QUICKLY_BACK
    client = await process.connect(url, **quickly_back, **kind.options)
    if kind.transports is None:
        await client.hear("upgrade")
    return client


async def test_the_client_leaves(kind: Kind, make_server: MakeServer) -> None:
    async with connected(make_server(), kind) as (watched, _process, client):
        await client.close()
        assert await client.hear("disconnect") == ["io client disconnect"]
        assert await watched.reason() == "client namespace disconnect"


@pytest.mark.parametrize("close", [False, True], ids=["socket", "connection"])
async def test_the_server_sends_it_away(kind: Kind, make_server: MakeServer, close: bool) -> None:
    async with connected(make_server(), kind) as (watched, _process, client):
        await watched.sockets[0].disconnect(close)
        assert await watched.reason() == "server namespace disconnect"
        assert await client.hear("disconnect") == ["io server disconnect"]
        await client.order("connect")  # it does not come back by itself, but it may
        await client.hear("connect")
        assert client.unheard("reconnecting") == 0


async def test_the_server_drops_the_connection(kind: Kind, make_server: MakeServer) -> None:
    async with connected(make_server(), kind) as (watched, _process, client):
        watched.sockets[0].session.close()
        assert await watched.reason() == "forced close"
        assert await client.hear("disconnect") == ["transport close"]
        await client.hear("reconnect")
        await client.hear("connect")
        assert watched.sockets[1].id != watched.sockets[0].id


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param(UPGRADING, "transport close", marks=node, id=str(UPGRADING)),
        pytest.param(WEBSOCKET, "transport close", marks=node, id=str(WEBSOCKET)),
        pytest.param(POLLING, "transport error", marks=node, id=str(POLLING)),
    ],
)
async def test_the_client_dies(kind: Kind, reason: str, make_server: MakeServer) -> None:
    async with connected(make_server(), kind) as (watched, process, client):
        await watched_poll(watched)
        process.process.kill()
        assert await watched.reason() == reason
        assert client.unheard("disconnect") == 0


async def watched_poll(watched: Watched) -> None:
    """Wait until the server could send something, for a poll that is there to be aborted."""
    with trio.fail_after(DEADLINE):
        while not watched.sockets[0].session.writable:  # noqa: ASYNC110 - nobody tells of a poll
            await trio.sleep(0.01)


async def test_the_client_stops(kind: Kind, make_server: MakeServer) -> None:
    """SIGSTOP: its connections stay open, but it says nothing more."""
    async with connected(make_server(**IMPATIENT), kind) as (watched, process, client):
        process.process.send_signal(signal.SIGSTOP)
        assert await watched.reason() == "ping timeout"
        process.process.send_signal(signal.SIGCONT)
        (reason,) = await client.hear("disconnect")
        assert reason in ("transport close", "transport error", "ping timeout")
        await client.hear("reconnect")
        await client.hear("connect")
        assert len(watched.sockets) == 2


async def test_the_network_stops(kind: Kind, make_server: MakeServer) -> None:
    watched = Watched(make_server(**IMPATIENT))
    async with served(watched.io) as url, network(url) as (between, far_url), peer() as process:
        client = await connect(process, far_url, kind)
        between.stall()
        assert await watched.reason() == "ping timeout"
        assert await client.hear("disconnect") == ["ping timeout"]
        between.cut()
        between.flow()
        await client.hear("reconnect")
        await client.hear("connect")


async def test_the_network_is_cut(kind: Kind, make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, network(url) as (between, far_url), peer() as process:
        client = await connect(process, far_url, kind)
        await watched_poll(watched)
        between.cut()
        is_polling = kind.transports == ("polling",)
        assert await watched.reason() == ("transport error" if is_polling else "transport close")
        (reason,) = await client.hear("disconnect")
        assert reason == ("transport error" if is_polling else "transport close")
        await client.hear("reconnect")


async def test_the_server_ends_and_another_takes_over(kind: Kind, make_server: MakeServer) -> None:
    first, second = Watched(make_server()), Watched(make_server())
    heard: list[object] = []
    second.io.on("late", lambda _socket, *args: heard.append(args))
    second.io.on("ask", lambda _socket, *args: args)
    async with peer(kind.command) as process:
        async with served(first.io) as url:
            client = await connect(process, url, kind)
            port = int(url.rpartition(":")[2])
        assert await first.reason() == "server shutting down"
        (reason,) = await client.hear("disconnect")
        assert reason in ("transport close", "transport error")
        assert await client.hear("reconnecting") == [1]
        await client.emit("late", "kept until it is back", b"\x00")
        async with served(second.io, port):
            await client.hear("reconnect")
            await client.hear("connect")
            assert await client.call("ask", "again") == ["again"]
            assert heard == [("kept until it is back", b"\x00")]


@pytest.mark.python_socketio
@pytest.mark.parametrize(
    "kind", [Kind("python", PYTHON), Kind("python", PYTHON, ("websocket",))], ids=str
)
async def test_python_socketio(kind: Kind, make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, peer(PYTHON) as process:
        leaver, dropped, _killed = [await connect(process, url, kind) for _ in range(3)]
        await leaver.close()
        # It cuts the connection behind its goodbye, which may not have left by then.
        assert await watched.reason() in ("client namespace disconnect", "transport close")
        await watched.sockets[1].disconnect()
        assert await watched.reason() == "server namespace disconnect"
        await dropped.hear("disconnect")
        process.process.kill()
        assert await watched.reason() == "transport close"
