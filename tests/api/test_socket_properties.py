"""What a socket knows of its client, and the nursery that belongs to it."""

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trio
import trustme

import trio_sio
from tests.support.peers import (
    POLLING as POLLING_CLIENT,
    UPGRADING,
    WEBSOCKET as WEBSOCKET_CLIENT,
    Kind,
    peer,
    served,
)
from tests.support.raw import POLLING, WEBSOCKET, raw
from tests.support.raw_websocket import CLOSE
from tests.support.servers import MakeServer

node = pytest.mark.node


def only(namespace: trio_sio.Namespace) -> trio_sio.Socket:
    (socket,) = namespace.connected.values()
    return socket


# -- id, client, conn, request, nsp --------------------------------------------------------------


@node
async def test_its_id_is_what_its_client_calls_itself(make_server: MakeServer) -> None:
    """The id is not on the wire: both ends make it of the session's."""
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, peer() as process:
        root, inside = [await process.open(url + name, forceNew=False) for name in ("", "/chat")]
        stranger = await process.open(f"{url}/chat")
        (sid,) = await root.hear("connect")
        assert await inside.hear("connect") == [f"/chat#{sid}"]
        (other,) = await stranger.hear("connect")
        assert {*chat.connected} == {f"/chat#{sid}", other}  # the two connections race
        assert [socket.id for socket in chat.connected.values()] == list(chat.connected)
        assert io.sockets.connected[sid].id == sid
        assert io.sockets.connected[sid].session.id == sid


@node
async def test_the_request_is_the_handshakes_and_an_upgrade_does_not_change_it(
    make_server: MakeServer,
) -> None:
    io = make_server()
    io.on("here?", lambda _socket: "yes")
    async with served(io) as url, peer() as process:
        fields = {
            "polling": {"extraHeaders": {"X-By": "polling"}},
            "websocket": {"extraHeaders": {"X-By": "websocket"}},
        }
        client = await process.connect(url, transportOptions=fields)
        await client.hear("upgrade")
        assert await client.call("here?") == ["yes"]  # the server, too, is done with it
        socket = only(io.sockets)
        assert isinstance(socket.conn, trio_sio.Session)
        assert (socket.conn.transport.name, socket.conn.upgraded) == ("websocket", True)
        assert (socket.request.method, socket.request.http_version) == ("GET", "1.1")
        assert socket.request.path == "/socket.io/"
        assert "transport=polling" in socket.request.query_string
        assert socket.request.headers.get("X-By") == "polling"


async def test_sockets_of_one_connection_share_client_conn_and_request(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        root, inside = only(io.sockets), only(chat)
        await wire.joined()
        stranger = [*io.sockets.connected.values()][1]
        assert inside.client is root.client is not stranger.client
        assert inside.conn is inside.session is root.conn is not stranger.conn
        assert inside.request is root.request is root.client.request is not stranger.request
        assert inside.nsp is inside.namespace is chat
        assert root.nsp is root.namespace is io.sockets
        assert root.client.sockets == {"/": root, "/chat": inside}
        assert stranger.client.sockets == {"/": stranger}
        inside.session.close()  # the connection of both, and of nobody else
        assert await websocket.receive_frame() == (CLOSE, b"")
        assert root.conn.closed
        assert not stranger.session.closed


# -- connected, disconnected, data ---------------------------------------------------------------


async def test_it_is_connected_from_its_middleware_to_its_last_handler(
    make_server: MakeServer,
) -> None:
    io = make_server()
    admin = io.of("/admin")
    story: list[tuple[str, bool, bool, bool]] = []
    over = trio.Event()

    def note(event: str, socket: trio_sio.Socket) -> None:
        known = socket.id in admin.connected
        story.append((event, socket.connected, socket.disconnected, known))

    admin.use(lambda socket: note("middleware", socket))
    admin.on("connection", lambda socket: note("connection", socket))
    admin.on("disconnecting", lambda socket, reason: note("disconnecting", socket))
    admin.on("disconnect", lambda socket, reason: note("disconnect", socket))
    admin.on("disconnect", lambda socket, reason: over.set())
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        await websocket.send("41/admin,")
        await over.wait()
        assert only(io.sockets).connected  # it has left one namespace of two
    assert story == [
        ("middleware", False, True, False),
        ("connection", True, False, True),
        ("disconnecting", True, False, True),
        ("disconnect", False, True, False),
    ]


async def test_data_lives_as_long_as_the_socket(make_server: MakeServer) -> None:
    """It passes from middleware to handlers, and is not shared."""
    io = make_server()

    @io.use
    def name(socket: trio_sio.Socket) -> None:
        socket.data["name"] = socket.handshake.query.get("name")

    @io.on("count")
    @io.of("/chat").on("count")
    def count(socket: trio_sio.Socket) -> tuple[Any, int]:
        socket.data["count"] = socket.data.get("count", 0) + 1
        return socket.data.get("name"), socket.data["count"]

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket(f"{WEBSOCKET}&name=anna")
        assert [str(await websocket.receive())[:2] for _ in range(2)] == ["0{", "40"]
        await websocket.send("40/chat,")
        assert await websocket.receive() == "40/chat,"
        for answer in ('431["anna",1]', '431["anna",2]'):
            await websocket.send('421["count"]')
            assert await websocket.receive() == answer
        await websocket.send('42/chat,2["count"]')
        assert await websocket.receive() == "43/chat,2[null,1]"
        await only(io.of("/chat")).disconnect()
        assert await websocket.receive() == "41/chat,"
        await websocket.send("40/chat,")  # who comes back is a new socket of the same id
        assert await websocket.receive() == "40/chat,"
        await websocket.send('42/chat,2["count"]')
        assert await websocket.receive() == "43/chat,2[null,1]"


# -- handshake -----------------------------------------------------------------------------------


async def test_the_handshake_has_all_eight_fields(make_server: MakeServer) -> None:
    io = make_server()
    target = f"{POLLING}&token=a%20b&arr=1&arr=2&empty="
    # What a proxy says of others is not looked at.
    fields = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "X-Name": "Anna"}
    async with served(io) as url, raw(url) as wire:
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        assert (await wire.get(target, fields)).status == 200
        handshake = only(io.sockets).handshake
        assert before <= handshake.time <= datetime.now(UTC)
        assert handshake.issued == int(handshake.time.timestamp() * 1000)
        assert handshake.url == target
        asked = {"token": "a b", "arr": ["1", "2"], "empty": ""}
        assert handshake.query == {"EIO": "3", "transport": "polling", **asked}
        assert (
            handshake.headers.items()
            >= {
                "host": f"127.0.0.1:{wire.port}",
                **{name.lower(): value for name, value in fields.items()},
            }.items()
        )
        assert [name for name in handshake.headers if name != name.lower()] == []
        assert (handshake.address, handshake.secure) == ("127.0.0.1", False)


@pytest.mark.parametrize(
    ("fields", "xdomain"),
    [
        ({}, False),
        ({"Origin": "http://elsewhere.example"}, True),
        ({"Origin": "http://127.0.0.1"}, True),  # that it is there counts, not what it says
        ({"Referer": "http://elsewhere.example/"}, False),
    ],
)
async def test_xdomain_is_whether_there_was_an_origin(
    fields: dict[str, str | None], xdomain: bool, make_server: MakeServer
) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket(WEBSOCKET, **fields)
        assert [str(await websocket.receive())[:2] for _ in range(2)] == ["0{", "40"]
        assert only(io.sockets).handshake.xdomain is xdomain


async def test_a_namespace_has_a_handshake_with_a_query_and_a_time_of_its_own(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket(f"{WEBSOCKET}&a=1&b=2")
        assert [str(await websocket.receive())[:2] for _ in range(2)] == ["0{", "40"]
        between = datetime.now(UTC) - timedelta(milliseconds=1)
        await websocket.send("40/chat?b=3&c=x%2Cy&c=z,")
        assert await websocket.receive() == "40/chat,"
        root, inside = only(io.sockets).handshake, only(chat).handshake
        own = {"EIO": "3", "transport": "websocket", "a": "1", "b": "2"}
        assert root.query == own
        assert inside.query == {**own, "b": "3", "c": ["x,y", "z"]}
        assert inside.url == root.url == f"{WEBSOCKET}&a=1&b=2"
        assert inside.headers == root.headers
        assert root.time <= inside.time
        assert between <= inside.time


@node
@pytest.mark.parametrize("kind", [UPGRADING, WEBSOCKET_CLIENT, POLLING_CLIENT], ids=str)
async def test_it_is_secure_over_tls(kind: Kind, make_server: MakeServer) -> None:
    io = make_server()
    io.of("/chat").on("secure", lambda socket: socket.handshake.secure)
    io.on("secure", lambda socket: socket.handshake.secure)
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    options = {**kind.options, "ca": authority.cert_pem.bytes().decode(), "forceNew": False}
    async with served(io, ssl_context=context) as url, peer() as process:
        for address in (url, f"{url}/chat"):
            client = await process.connect(address, **options)
            assert await client.call("secure") == [True]


# -- nursery -------------------------------------------------------------------------------------


async def test_background_work_ends_with_its_socket_and_with_no_other(
    make_server: MakeServer,
) -> None:
    io = make_server(grace=3600)  # handlers get that; such work does not
    ended: list[str] = []

    async def work(socket: trio_sio.Socket) -> None:
        try:
            await socket.emit("begun")
            await trio.sleep_forever()
        finally:
            ended.append(socket.nsp.name)

    @io.on("connection")
    @io.of("/chat").on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        socket.nursery.start_soon(work, socket)

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        assert await websocket.receive() == '42["begun"]'
        await websocket.send("40/chat,")
        assert [await websocket.receive() for _ in range(2)] == ["40/chat,", '42/chat,["begun"]']
        inside = only(io.of("/chat"))
        # CONNECT of a namespace that is being left waits until the socket there is gone.
        await websocket.send("41/chat,")
        await websocket.send("40/chat,")
        assert [await websocket.receive() for _ in range(2)] == ["40/chat,", '42/chat,["begun"]']
        assert ended == ["/chat"]
        with pytest.raises(RuntimeError, match="nursery"):
            _ = inside.nursery
    assert sorted(ended) == ["/", "/chat", "/chat"]


async def test_background_work_that_fails_costs_its_socket_alone(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    io = make_server(raise_errors=False)
    io.on("here?", lambda _socket: "yes")

    async def fail() -> None:
        raise ZeroDivisionError("mine")

    io.of("/chat").on("fail", lambda socket: socket.nursery.start_soon(fail))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        await websocket.send('42/chat,["fail"]')
        assert await websocket.receive() == "41/chat,"
        await websocket.send('421["here?"]')
        assert await websocket.receive() == '431["yes"]'
    assert "ZeroDivisionError: mine" in caplog.text
