"""What the JavaScript client makes of each ending: its own reason, and whether it comes back."""

import signal
from typing import NamedTuple

import pytest
import trio

import trio_sio
from tests.support.peers import (
    ENGINE,
    POLLING,
    QUICKLY_BACK,
    WEBSOCKET,
    Client,
    Kind,
    Peer,
    peer,
    served,
)
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node

both_kinds = pytest.mark.parametrize("kind", [WEBSOCKET, POLLING], ids=str)


class Left(NamedTuple):
    """A socket that has left, and what the server calls it."""

    namespace: str
    reason: str


class Watched:
    """A server with "/" and "/admin" that notes why sockets leave.

    Attributes:
        sockets: by namespace, the last that came.
    """

    def __init__(self, io: trio_sio.Server) -> None:
        self.io = io
        self.sockets: dict[str, trio_sio.Socket] = {}
        self._put, self._get = trio.open_memory_channel[Left](100)
        for name in ("/", "/admin"):
            namespace = io.of(name)
            namespace.on("connection", self._came)
            namespace.on("disconnect", self._left)
            namespace.on("echo", lambda socket, *args: args)

    def _came(self, socket: trio_sio.Socket) -> None:
        self.sockets[socket.nsp.name] = socket

    def _left(self, socket: trio_sio.Socket, reason: str) -> None:
        self._put.send_nowait(Left(socket.nsp.name, str(reason)))

    async def next_to_leave(self) -> Left:
        return await self._get.receive()

    @property
    def session(self) -> trio_sio.Session:
        session = self.sockets["/"].session
        assert isinstance(session, trio_sio.Session)
        return session

    async def poll(self) -> trio_sio.Session:
        """Wait until something could be sent to the last client, on a held poll perhaps."""
        while not self.session.writable:  # noqa: ASYNC110 - nobody tells of a poll
            await trio.sleep(0.005)
        return self.session


async def two_on_one(process: Peer, url: str, kind: Kind) -> tuple[Client, Client]:
    """Clients of "/" and "/admin" that share a connection, as they do in a page."""
    options = {**QUICKLY_BACK, **kind.options, "forceNew": False}
    root = await process.connect(url, **options)
    return root, await process.connect(f"{url}/admin", **options)


async def stays_away_until_told(client: Client) -> None:
    """It has not tried to come back by itself; but it may."""
    await client.order("connect")
    await client.hear("connect")
    assert client.unheard("reconnecting") == client.unheard("reconnect") == 0


async def comes_back(watched: Watched, former: str, *clients: Client) -> None:
    """All come back by themselves, with a session of a new id, and can talk."""
    for client in clients:
        await client.hear("reconnecting")
        await client.hear("reconnect")
        await client.hear("connect")
        assert await client.call("echo", "again") == ["again"]
    assert watched.session.id != former


# -- the server disconnects ----------------------------------------------------------------------


@both_kinds
async def test_who_is_shown_out_of_one_namespace_stays_in_the_other(
    kind: Kind, make_server: MakeServer
) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, peer() as process:
        root, admin = await two_on_one(process, url, kind)
        await watched.sockets["/admin"].disconnect()
        assert await admin.hear("disconnect") == ["io server disconnect"]
        assert await watched.next_to_leave() == ("/admin", "server namespace disconnect")
        assert await root.call("echo", 1) == [1]
        assert root.unheard("disconnect") == 0
        await stays_away_until_told(admin)
        assert len(watched.io.engine.sessions) == 1  # the same connection still


@both_kinds
async def test_who_is_shown_out_of_its_last_namespace_closes_the_connection(
    kind: Kind, make_server: MakeServer
) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, peer() as process:
        admin = await process.connect(f"{url}/admin", **QUICKLY_BACK, **kind.options)
        former = watched.session
        await watched.sockets["/admin"].disconnect()
        assert await admin.hear("disconnect") == ["io server disconnect"]
        assert await watched.next_to_leave() == ("/admin", "server namespace disconnect")
        assert await watched.next_to_leave() == ("/", "transport close")
        await stays_away_until_told(admin)
        assert watched.session.id != former.id


@both_kinds
async def test_who_is_disconnected_altogether_stays_away(
    kind: Kind, make_server: MakeServer
) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, peer() as process:
        root, admin = await two_on_one(process, url, kind)
        await watched.sockets["/admin"].disconnect(close=True)
        for client, name in ((root, "/"), (admin, "/admin")):
            assert await client.hear("disconnect") == ["io server disconnect"]
            assert await watched.next_to_leave() == (name, "server namespace disconnect")
        await stays_away_until_told(root)
        await stays_away_until_told(admin)


# -- the connection ends without a DISCONNECT packet ---------------------------------------------


@both_kinds
async def test_a_session_that_is_closed_comes_back(kind: Kind, make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, peer() as process:
        clients = await two_on_one(process, url, kind)
        session = await watched.poll()
        session.close()
        for client, name in zip(clients, ("/", "/admin"), strict=True):
            assert await client.hear("disconnect") == ["transport close"]
            assert await watched.next_to_leave() == (name, "forced close")
        await comes_back(watched, session.id, *clients)


@both_kinds
async def test_clients_of_a_server_that_closes_try_to_come_back(
    kind: Kind, make_server: MakeServer
) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, peer() as process:
        clients = await two_on_one(process, url, kind)
        await watched.poll()
        await watched.io.aclose()
        for client, name in zip(clients, ("/", "/admin"), strict=True):
            assert await client.hear("disconnect") == ["transport close"]
            assert await client.hear("reconnecting") == [1]
            assert await watched.next_to_leave() == (name, "server shutting down")


@both_kinds
async def test_who_sends_too_much_comes_back(kind: Kind, make_server: MakeServer) -> None:
    watched = Watched(make_server(max_http_buffer_size=10_000))
    # A poller hears of it twice, by its poll and by its POST, and one of them is the first.
    reasons = ["transport close"] if kind is WEBSOCKET else ["transport close", "transport error"]
    async with served(watched.io) as url, peer() as process:
        clients = await two_on_one(process, url, kind)
        former = (await watched.poll()).id
        await clients[0].emit("echo", "x" * 20_000)
        for client, name in zip(clients, ("/", "/admin"), strict=True):
            assert (await client.hear("disconnect"))[0] in reasons
            assert await watched.next_to_leave() == (name, "transport error")
        await comes_back(watched, former, *clients)


async def test_a_poller_whose_session_is_gone_comes_back(make_server: MakeServer) -> None:
    """Too many events between two of its polls; the next poll is for an unknown session."""
    watched = Watched(make_server(max_outbox=4))
    async with served(watched.io) as url, peer() as process:
        clients = await two_on_one(process, url, POLLING)
        former = (await watched.poll()).id
        for number in range(200):
            await watched.io.emit("flood", number)
        for client, name in zip(clients, ("/", "/admin"), strict=True):
            assert await watched.next_to_leave() == (name, "slow consumer")
            assert await client.hear("error") == ["xhr poll error"]
            assert await client.hear("disconnect") == ["transport error"]
        await comes_back(watched, former, *clients)


async def test_who_does_not_read_comes_back(make_server: MakeServer) -> None:
    watched = Watched(make_server(max_outbox=4))
    async with served(watched.io) as url, peer() as process:
        client = await process.connect(url, **QUICKLY_BACK, **WEBSOCKET.options)
        former = watched.session.id
        process.process.send_signal(signal.SIGSTOP)
        for _ in range(400):
            await watched.io.emit("flood", "x" * 100_000)
        assert await watched.next_to_leave() == ("/", "slow consumer")
        process.process.send_signal(signal.SIGCONT)
        assert await client.hear("disconnect") == ["transport close"]
        await comes_back(watched, former, client)


async def test_a_poller_who_is_refused_tries_until_it_may_come_back(
    make_server: MakeServer,
) -> None:
    """Origins are checked on every request; a poll that is refused is an error of transport."""
    welcome = {"here": True}
    watched = Watched(make_server(origins=lambda origin: welcome["here"]))
    async with served(watched.io) as url, peer() as process:
        clients = await two_on_one(process, url, POLLING)
        former = (await watched.poll()).id
        welcome["here"] = False
        await watched.io.emit("news")  # so that it polls again
        for client in clients:
            assert await client.hear("disconnect") == ["transport error"]
            assert await client.hear("error") == ["xhr poll error"]
        await clients[0].hear("reconnecting")
        welcome["here"] = True
        for client in clients:
            await client.hear("reconnect")
            await client.hear("connect")
        assert watched.session.id != former


# -- the client closes ---------------------------------------------------------------------------


@both_kinds
async def test_who_closes_one_namespace_after_the_other(
    kind: Kind, make_server: MakeServer
) -> None:
    """Each with a DISCONNECT packet; with the last the connection goes, too."""
    watched = Watched(make_server())
    async with served(watched.io) as url, peer() as process:
        root, admin = await two_on_one(process, url, kind)
        session = watched.session
        await admin.close()
        assert await admin.hear("disconnect") == ["io client disconnect"]
        assert await watched.next_to_leave() == ("/admin", "client namespace disconnect")
        assert await root.call("echo", 1) == [1]
        await root.close()
        assert await root.hear("disconnect") == ["io client disconnect"]
        assert await watched.next_to_leave() == ("/", "client namespace disconnect")
        await session.wait_closed()
        assert session.reason == "transport close"
        await stays_away_until_told(root)


@both_kinds
async def test_who_closes_its_only_namespace_takes_the_root_along(
    kind: Kind, make_server: MakeServer
) -> None:
    """The server has joined it to "/", which it leaves without a word of its own."""
    watched = Watched(make_server())
    async with served(watched.io) as url, peer() as process:
        admin = await process.connect(f"{url}/admin", **kind.options)
        await admin.close()
        assert await admin.hear("disconnect") == ["io client disconnect"]
        assert await watched.next_to_leave() == ("/admin", "client namespace disconnect")
        assert await watched.next_to_leave() == ("/", "transport close")


@both_kinds
async def test_engines_without_sockets(kind: Kind, make_server: MakeServer) -> None:
    """The client's engine alone: one says goodbye, one talks nonsense."""
    watched = Watched(make_server())
    async with served(watched.io) as url, peer(ENGINE) as process:
        for order, theirs, ours in (
            (["close"], "forced close", "transport close"),
            (["send", '2["unclosed"'], "transport close", "forced close"),
        ):
            client = process.add_client()
            await client.order("engine", url, {"path": "/socket.io", **kind.options})
            assert await client.hear("message") == ["0"]
            await watched.poll()
            await client.order(*order)
            assert await client.hear("close") == [theirs]
            assert await watched.next_to_leave() == ("/", ours)
