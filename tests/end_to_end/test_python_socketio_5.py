"""python-socketio 5, a client of Engine.IO 4 that is not JavaScript's, by each way to travel.

What it says and hears, large and small, is in `test_exchange.py`; here are its life, its
namespaces and its rooms.
"""

import pytest

import trio_sio
from tests.support.peers import PYTHON_5, UPGRADING, Client, Kind, Peer, peer, served
from tests.support.servers import MakeServer

pytestmark = pytest.mark.python_socketio_5

QUICKLY_BACK = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.1}
WAYS = [Kind("python5", PYTHON_5, way) for way in (None, ("websocket",), ("polling",))]


@pytest.fixture(params=WAYS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    one: Kind = request.param
    return one


async def open_client(process: Peer, url: str, kind: Kind, **options: object) -> Client:
    """A client that is connected in "/", by the transport that it will keep."""
    client = await process.connect(url, **kind.options, **options)
    if kind.transports is None:
        await client.hear("upgrade")
    return client


async def test_who_it_is(kind: Kind, make_server: MakeServer) -> None:
    io = make_server()
    seen: list[trio_sio.Socket] = []
    io.on("connection", seen.append)
    io.on("where", lambda socket: socket.session.transport.name)
    async with served(io) as url, peer(PYTHON_5) as process:
        client = await process.open(f"{url}?a=b", auth={"token": "größer"}, **kind.options)
        (told,) = await client.hear("connect")
        (socket,) = seen
        assert (socket.protocol, socket.session.protocol) == (5, 4)
        assert told == socket.id != socket.session.id
        assert socket.handshake.auth == {"token": "größer"}
        assert socket.handshake.get("a") == "b"
        assert io.statistics().sessions_by_protocol == {3: 0, 4: 1}
        if kind.transports is None:
            await client.hear("upgrade")
        transport = "websocket" if kind.transports is None else kind.transports[0]
        assert await client.call("where") == [transport]


async def test_it_is_refused(kind: Kind, make_server: MakeServer) -> None:
    io = make_server()

    @io.use
    async def check(socket: trio_sio.Socket) -> None:
        if socket.handshake.auth.get("token") != "right":
            raise trio_sio.ConnectionRefused("not you", {"code": 7})

    async with served(io) as url, peer(PYTHON_5) as process:
        for auth in (None, {}, {"token": "wrong"}):
            client = await process.open(url, auth=auth, **kind.options)
            assert await client.hear("connect_error") == [
                {"message": "not you", "data": {"code": 7}}
            ]
            assert client.unheard("connect") == 0
        client = await process.open(url, namespaces=["/nowhere"], **kind.options)
        assert await client.hear("/nowhere connect_error") == [{"message": "Invalid namespace"}]
        await open_client(process, url, kind, auth={"token": "right"})
        assert len(io.sockets.connected) == 1


async def test_several_namespaces(kind: Kind, make_server: MakeServer) -> None:
    io = make_server()
    ids: dict[str, str] = {}
    for name in ("/", "/chat", "/news"):
        namespace = io.of(name)

        @namespace.on("connection")
        async def connected(socket: trio_sio.Socket) -> None:
            ids[socket.namespace.name] = socket.id

        @namespace.on("say")
        async def say(socket: trio_sio.Socket, *args: trio_sio.JSON) -> None:
            await socket.emit("said", socket.namespace.name, *args)

    async with served(io) as url, peer(PYTHON_5) as process:
        names = ["/", "/chat", "/news"]
        client = await open_client(process, url, kind, namespaces=names, hear=["said"])
        told = {name: (await client.hear(f"{name} connect"))[0] for name in names[1:]}
        assert len({*ids.values()}) == 3
        assert told == {name: ids[name] for name in names[1:]}
        for name in names:
            prefix = "" if name == "/" else f"{name} "
            await client.order("emit_in", name, "say", "text", b"\x00\xff")
            assert await client.hear(f"{prefix}said") == [name, "text", b"\x00\xff"]
        (socket,) = io.of("/chat").connected.values()
        await socket.disconnect()
        await client.hear("/chat disconnect")
        await client.order("emit_in", "/news", "say", "still here")
        assert await client.hear("/news said") == ["/news", "still here"]


@pytest.mark.node
async def test_a_room_with_a_client_of_2(kind: Kind, make_server: MakeServer) -> None:
    io = make_server()

    @io.on("connection")
    async def enter(socket: trio_sio.Socket) -> None:
        await socket.join("garden")

    @io.on("say")
    async def say(socket: trio_sio.Socket, *args: trio_sio.JSON) -> None:
        await socket.to("garden").emit("said", *args)
        await io.to("garden").except_(socket.id).emit("said", "again", *args)

    async with served(io) as url, peer(PYTHON_5) as python, peer(UPGRADING.command) as javascript:
        new = await open_client(python, url, kind, hear=["said"])
        old = await open_client(javascript, url, UPGRADING, hear=["said"])
        for author, reader in ((new, old), (old, new)):
            await author.emit("say", "größer \U0001f600", b"\x00\xff", {"deep": [b"\x04"]})
            args = ["größer \U0001f600", b"\x00\xff", {"deep": [b"\x04"]}]
            assert await reader.hear("said") == args
            assert await reader.hear("said") == ["again", *args]
            assert author.unheard("said") == 0


class Ends:
    """A server's sockets, and why they have left."""

    def __init__(self, io: trio_sio.Server) -> None:
        self.io = io
        self.sockets: list[trio_sio.Socket] = []
        io.on("connection", self.sockets.append)


async def test_either_side_disconnects(kind: Kind, make_server: MakeServer) -> None:
    ends = Ends(make_server())
    async with served(ends.io) as url, peer(PYTHON_5) as process:
        leaver, dropped, killed = [await open_client(process, url, kind) for _ in range(3)]
        assert killed.unheard("disconnect") == 0
        first, second, third = ends.sockets
        await leaver.close()
        await first.session.wait_closed()
        # It cuts the connection behind its goodbye, which may not have left by then.
        assert str(first.session.reason) in ("client namespace disconnect", "transport close")
        await second.disconnect()
        (reason,) = await dropped.hear("disconnect")
        assert reason == "server disconnect"
        process.process.kill()
        await third.session.wait_closed()
        is_polling = kind.transports == ("polling",)
        assert str(third.session.reason) == ("transport error" if is_polling else "transport close")


async def test_close_by_a_poll_is_its_end(make_server: MakeServer) -> None:
    # It takes CLOSE for a goodbye, from Node's servers as well; a WebSocket ends without one.
    ends = Ends(make_server())
    ends.io.on("is it there?", lambda socket: "yes")
    async with served(ends.io) as url, peer(PYTHON_5) as process:
        for kind in WAYS[1:]:
            client = await open_client(process, url, kind, client=QUICKLY_BACK)
            # Its `connect` has returned: one that is cut off before does not come back.
            assert await client.call("is it there?") == ["yes"]
            ends.sockets[-1].session.close()
            (reason,) = await client.hear("disconnect")
            if kind.transports == ("polling",):
                assert reason == "server disconnect"
                await client.hear("__disconnect_final")
            else:
                assert reason in ("transport close", "transport error")
                await client.hear("connect")
                assert client.unheard("__disconnect_final") == 0


# Not by polling alone: CLOSE reaches some clients, and others find nobody there.
@pytest.mark.parametrize("kind", WAYS[:2], ids=str)
async def test_it_comes_back(kind: Kind, make_server: MakeServer) -> None:
    first, second = make_server(), make_server()
    seen: list[object] = []
    for io in (first, second):
        io.on("connection", lambda socket: seen.append(socket.handshake.auth))
    first.on("is it there?", lambda socket: "yes")
    async with peer(PYTHON_5) as process:
        async with served(first) as url:
            port = int(url.rpartition(":")[2])
            client = await open_client(
                process, url, kind, auth={"token": "mine"}, client=QUICKLY_BACK
            )
            assert await client.call("is it there?") == ["yes"]  # as above
        await client.hear("disconnect")
        async with served(second, port):
            await client.hear("connect")
            assert seen == [{"token": "mine"}, {"token": "mine"}]
