"""One connection: what its sockets share, and in which order it joins namespaces."""

import json
import re

import pytest
import trio

import trio_sio
from tests.support.peers import UPGRADING, WEBSOCKET, Kind, peer, served
from tests.support.raw import POLLING, raw
from tests.support.raw_websocket import CLOSE, TEXT, RawWebSocket, frame
from tests.support.servers import MakeServer

node = pytest.mark.node
TEAMS = re.compile(r"/team-\d+")


def only(namespace: trio_sio.Namespace) -> trio_sio.Socket:
    (socket,) = namespace.connected.values()
    return socket


async def hears(websocket: RawWebSocket, *messages: str | bytes) -> None:
    """Assert that those come next."""
    for message in messages:
        assert await websocket.receive() == message


# -- what its sockets share ----------------------------------------------------------------------


async def test_its_id_is_that_of_the_handshake_and_part_of_each_sockets(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        sid = json.loads(str(await websocket.receive())[1:])["sid"]
        assert await websocket.receive() == "40"
        await websocket.send("40/chat,")
        assert await websocket.receive() == "40/chat,"
        client = only(io.sockets).client
        assert client.id == client.conn.id == sid
        assert [socket.id for socket in client.sockets.values()] == [sid, f"/chat#{sid}"]
        assert only(chat).id == f"/chat#{sid}"


@node
@pytest.mark.parametrize("kind", [UPGRADING, WEBSOCKET], ids=str)
async def test_the_javascript_client_computes_the_same_ids(
    kind: Kind, make_server: MakeServer
) -> None:
    io = make_server()
    chat = io.of("/chat")
    async with served(io) as url, peer() as process:
        root = await process.open(url, forceNew=False, **kind.options)
        (root_id,) = await root.hear("connect")
        inside = await process.open(f"{url}/chat", forceNew=False, **kind.options)
        (chat_id,) = await inside.hear("connect")
        client = only(chat).client
        assert client is only(io.sockets).client
        assert {name: socket.id for name, socket in client.sockets.items()} == {
            "/": root_id,
            "/chat": chat_id,
        }
        assert (client.id, chat_id) == (root_id, f"/chat#{root_id}")


async def test_its_sockets_come_and_go_with_their_namespaces(make_server: MakeServer) -> None:
    """In the order they joined; what has not let it in, or not yet, is not among them."""
    io = make_server()
    left = {name: trio.Event() for name in ("/", "/a", "/b")}
    seen: dict[str, list[str]] = {}
    for name, event in left.items():
        namespace = io.of(name)
        namespace.use(lambda socket: seen.update({socket.nsp.name: [*socket.client.sockets]}))
        namespace.on("disconnect", lambda socket, reason, event=event: event.set())

    @io.of("/closed").use
    def refuse(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("closed")

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/b", "/a")
        client = only(io.sockets).client
        assert seen == {"/": [], "/b": ["/"], "/a": ["/", "/b"]}
        await websocket.send("40/closed,")
        assert await websocket.receive() == '44/closed,"closed"'
        assert list(client.sockets) == ["/", "/b", "/a"]
        await websocket.send("41/b,")
        await left["/b"].wait()
        assert list(client.sockets) == ["/", "/a"]
        await websocket.send("40/b,")
        assert await websocket.receive() == "40/b,"
        assert list(client.sockets) == ["/", "/a", "/b"]
        assert client.sockets["/b"] is only(io.of("/b"))
        await websocket.stream.aclose()
        await left["/"].wait()
        await left["/a"].wait()
        assert client.sockets == {}


async def test_conn_is_the_session_of_all_its_sockets(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    reasons: dict[str, str] = {}
    for namespace in (io.sockets, chat):
        namespace.on(
            "disconnect", lambda socket, reason: reasons.update({socket.nsp.name: str(reason)})
        )
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/chat")
        inside = only(chat)
        other = await wire.joined("/chat")
        conn = inside.client.conn
        assert isinstance(conn, trio_sio.Session)
        assert (conn.transport.name, conn.upgraded, conn.closed) == ("websocket", False, False)
        await conn.send('2["straight"]')  # a message of the engine: one packet, as it stands
        assert await websocket.receive() == '42["straight"]'
        conn.close()
        assert await websocket.receive_frame() == (CLOSE, b"")
        await websocket.stream.send_eof()
        await conn.wait_closed()
        assert conn.closed
        await other.send("2")
        assert await other.receive() == "3"
        assert len(io.sockets.connected) == len(chat.connected) == 1
        assert reasons == {"/": "forced close", "/chat": "forced close"}


async def test_the_request_is_the_handshakes_whatever_polls_bring_later(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    chat.on("who", lambda socket: socket.client.request.headers["x-name"])
    async with served(io) as url, raw(url) as wire:
        target, first = await wire.handshake("&name=%C3%A9", {"X-Name": "anna", "Cookie": "a=b"})
        assert first.body.endswith(b"2:40")
        ben = {"X-Name": "ben"}
        assert (await wire.post(f"{target}&name=ben", b"8:40/chat,", ben)).body == b"ok"
        assert (await wire.get(f"{target}&name=ben", ben)).body == b"8:40/chat,"
        request = only(chat).client.request
        assert request is only(io.sockets).client.request
        assert (request.method, request.path) == ("GET", "/socket.io/")
        assert request.target == f"{POLLING}&name=%C3%A9"
        assert (request.headers["x-name"], request.headers["cookie"]) == ("anna", "a=b")
        assert (await wire.post(target, b'16:42/chat,7["who"]', ben)).body == b"ok"
        assert (await wire.get(target, ben)).body == b'17:43/chat,7["anna"]'


@node
async def test_an_upgrade_changes_the_transport_and_not_the_request(
    make_server: MakeServer,
) -> None:
    io = make_server()
    chat = io.of("/chat")
    chat.on("echo", lambda socket, *args: args)
    async with served(io) as url, peer() as process:
        fields = {
            "polling": {"extraHeaders": {"X-By": "polling"}},
            "websocket": {"extraHeaders": {"X-By": "websocket"}},
        }
        root = await process.connect(f"{url}?a=1", forceNew=False, transportOptions=fields)
        before = only(io.sockets).client.request
        await root.hear("upgrade")
        inside = await process.connect(f"{url}/chat?b=2", forceNew=False)
        assert await inside.call("echo", "hi") == ["hi"]  # the server is done with it, too
        client = only(chat).client
        assert isinstance(client.conn, trio_sio.Session)
        assert (client.conn.transport.name, client.conn.upgraded) == ("websocket", True)
        assert client.request is before
        assert client.request.headers["x-by"] == "polling"
        assert "transport=polling" in client.request.target
        assert "a=1" in client.request.target
        assert "b=2" not in client.request.target  # that is the namespace's own


# -- in which order it joins ---------------------------------------------------------------------


async def test_it_joins_in_the_order_of_asking_those_that_exist_and_those_on_demand(
    make_server: MakeServer,
) -> None:
    io = make_server()
    io.of("/static")
    io.of(TEAMS)
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        payload = b"10:40/team-1,10:40/static,10:40/team-2,"
        assert await polling.post(payload) == (200, b"ok")
        joined = b""
        while len(joined) < len(payload):
            joined += (await polling.get())[1]
        assert joined == payload


@pytest.mark.parametrize("attempt", range(8))  # tasks of one round run in any order
async def test_middleware_that_need_not_wait_keeps_the_order(
    make_server: MakeServer, attempt: int
) -> None:
    io = make_server()
    go = trio.Event()
    for name in ("/asks", "/asks-twice", "/refuses", "/free", "/waits"):
        io.of(name)
    for name in ("/asks", "/asks-twice", "/asks-twice"):
        io.of(name).use(lambda socket: None)

    @io.of("/refuses").use
    async def refuse(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("no")

    @io.of("/waits").use
    async def wait(socket: trio_sio.Socket) -> None:
        await go.wait()

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        assert str(await websocket.receive()).startswith("0{")
        await hears(websocket, "40")
        asked = ["/waits,", "/asks,", "/refuses,", "/asks-twice,", "/free,"]
        frames = (frame(TEXT, f"40{name}".encode()) for name in asked)
        await websocket.stream.send_all(b"".join(frames))
        await hears(websocket, "40/asks,", '44/refuses,"no"', "40/asks-twice,", "40/free,")
        go.set()
        await hears(websocket, "40/waits,")


async def test_who_waits_for_the_root_joins_in_that_order_too(make_server: MakeServer) -> None:
    io = make_server()
    go = trio.Event()
    io.of("/static")
    io.of(TEAMS).on("who", lambda socket: socket.handshake.query["token"])

    @io.use
    async def wait(socket: trio_sio.Socket) -> None:
        await go.wait()

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        assert str(await websocket.receive()).startswith("0{")
        for asked in ("/team-1?token=1,", "/static,", "/team-2?token=2,"):
            await websocket.send(f"40{asked}")
        await websocket.send("2")
        await hears(websocket, "3")  # nothing yet
        go.set()
        await hears(websocket, "40", "40/team-1,", "40/static,", "40/team-2,")
        await websocket.send('42/team-2,1["who"]')
        await hears(websocket, '43/team-2,1["2"]')


async def test_what_nobody_agrees_to_is_refused_without_waiting_for_the_root(
    make_server: MakeServer,
) -> None:
    """As for names where there are no functions to ask."""
    io = make_server()
    io.of(TEAMS)

    @io.use
    async def wait(socket: trio_sio.Socket) -> None:
        await trio.sleep_forever()

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        assert str(await websocket.receive()).startswith("0{")
        await websocket.send("40/nope?x=1,")
        await websocket.send("40/team-1,")
        await websocket.send("2")
        await hears(websocket, '44/nope,"Invalid namespace"', "3")
