"""Namespaces: queries, refusals, names by pattern, and several of them over one connection."""

import re

import pytest

import trio_sio
from tests.support.peers import POLLING, UPGRADING, WEBSOCKET, Kind, peer, served
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node


@pytest.fixture(params=[UPGRADING, WEBSOCKET, POLLING], ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    one: Kind = request.param
    return one


def guarded_server(make_server: MakeServer) -> trio_sio.Server:
    io = make_server()
    admin = io.of("/admin")

    @admin.use
    async def authenticate(socket: trio_sio.Socket) -> None:
        if socket.handshake.query.get("token") != "größer & 1":
            raise trio_sio.ConnectionRefused("Authentication error", data={"code": [401]})

    @io.of("/chat").use
    async def closed(_socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("closed for today")

    @io.of(re.compile(r"/board-\d+")).on("connection")
    async def opened(socket: trio_sio.Socket) -> None:
        await socket.emit("welcome", socket.namespace.name, dict(socket.handshake.query))

    @admin.on("connection")
    async def entered(socket: trio_sio.Socket) -> None:
        await socket.emit("welcome", socket.id, dict(socket.handshake.query))

    @admin.on("repeat")
    async def repeat(_socket: trio_sio.Socket, *args: trio_sio.JSON) -> object:
        return args

    return io


async def test_a_query_opens_a_namespace(kind: Kind, make_server: MakeServer) -> None:
    async with served(guarded_server(make_server)) as url, peer() as process:
        query = {"token": "größer & 1", "more": "?x=1,2"}
        client = await process.connect(
            f"{url}/admin", hear=["welcome"], query=query, **kind.options
        )
        name, seen = await client.hear("welcome")
        assert name.startswith("/admin#")
        assert seen.items() >= query.items()
        args = ["\U0001f600", {"bytes": [b"\x00", b""]}]
        assert await client.call("repeat", *args) == args


async def test_a_query_in_the_address(kind: Kind, make_server: MakeServer) -> None:
    async with served(guarded_server(make_server)) as url, peer() as process:
        board = f"{url}/board-7?colour=red%26blue"
        client = await process.connect(board, hear=["welcome"], **kind.options)
        name, query = await client.hear("welcome")
        assert name == "/board-7"
        assert query["colour"] == "red&blue"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("admin", {"code": [401]}),
        ("chat", "closed for today"),
        ("nowhere", "Invalid namespace"),
        ("board-x", "Invalid namespace"),
        ("board-1/more", "Invalid namespace"),
    ],
)
async def test_refusals(kind: Kind, make_server: MakeServer, name: str, error: object) -> None:
    async with served(guarded_server(make_server)) as url, peer() as process:
        query = {"token": "wrong"}
        client = await process.open(f"{url}/{name}", query=query, **kind.options)
        assert await client.hear("error") == [error]
        assert client.unheard("connect") == 0


async def test_several_over_one_connection(kind: Kind, make_server: MakeServer) -> None:
    io = guarded_server(make_server)
    left: list[tuple[str, str]] = []

    @io.on("disconnect")
    @io.of("/admin").on("disconnect")
    async def note(socket: trio_sio.Socket, reason: str) -> None:
        left.append((socket.namespace.name, reason))
        await io.emit("left", socket.namespace.name)

    async with served(io) as url, peer() as process:
        together = {"forceNew": False, **kind.options}
        root = await process.connect(url, hear=["left"], **together)
        admin = await process.connect(f"{url}/admin?token=gr%C3%B6%C3%9Fer+%26+1", **together)
        board = await process.connect(f"{url}/board-1", hear=["welcome"], **together)
        assert (await board.hear("welcome"))[0] == "/board-1"
        assert len(io.router.clients) == 1
        await admin.close()
        assert await admin.hear("disconnect") == ["io client disconnect"]
        assert await root.hear("left") == ["/admin"]
        assert root.unheard("disconnect") == board.unheard("disconnect") == 0
        assert left == [("/admin", "client namespace disconnect")]
