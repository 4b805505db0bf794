"""Options of the engine: the default as a client sees it, and what changing it changes."""

import json
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_sio
from tests.support.peers import MODERN, UPGRADING, WEBSOCKET, peer, served
from tests.support.raw import POLLING, WEBSOCKET as WEBSOCKET_TARGET, RawPolling, raw
from tests.support.raw_websocket import CLOSE, FIELDS
from tests.support.refusals import told
from tests.support.servers import MakeServer

BOTH_ENGINES = pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
node = pytest.mark.node


def opening(body: bytes) -> dict[str, Any]:
    """The OPEN packet of a polling handshake."""
    found: dict[str, Any] = json.loads(body[body.index(b"{") : body.index(b"}") + 1])
    return found


# -- path ----------------------------------------------------------------------------------------


@node
@pytest.mark.parametrize("path", ["/socket.io", "/chat/", "/a/b/c"])
async def test_path(path: str, make_server: MakeServer) -> None:
    io = make_server() if path == "/socket.io" else make_server(path=path)
    assert io.path == path
    base = path.removesuffix("/")
    async with served(io) as url, raw(url) as wire, peer() as process:
        assert (await wire.get(f"{base}/?EIO=3&transport=polling")).status == 200
        for elsewhere in ("/", "/elsewhere/?EIO=3&transport=polling", f"{base}?transport=polling"):
            assert (await wire.get(elsewhere)).status == 404
        await process.connect(url, path=path)


@node
async def test_add_trailing_slash(make_server: MakeServer) -> None:
    io = make_server(add_trailing_slash=False)
    async with served(io) as url, raw(url) as wire:
        for version in "34":
            assert (await wire.get(f"/socket.io?EIO={version}&transport=polling")).status == 200
            assert (await wire.get(f"/socket.iofoo?EIO={version}&transport=polling")).status == 404
        async with peer() as old, peer(MODERN["4.8"]) as new:
            await old.connect(url)
            for options in ({}, {"addTrailingSlash": False}):
                client = await new.connect(url, **options)
                await client.hear("upgrade")
    async with served(make_server()) as url, peer(MODERN["4.8"]) as new:
        client = await new.open(url, addTrailingSlash=False, reconnection=False)
        await client.hear("connect_error")


@node
async def test_path_may_be_set_until_serving_starts(make_server: MakeServer) -> None:
    io = make_server()
    io.path = "/moved"
    async with served(io) as url, peer() as process:
        await process.connect(url, path="/moved")
        with pytest.raises(RuntimeError, match="path"):
            io.path = "/again"


async def test_fallback(make_server: MakeServer) -> None:
    async def page(request: trio_sio.Request) -> trio_sio.Response:
        body = f"{request.method} {request.path}".encode() + await request.body()
        return trio_sio.Response(201, [("X-Page", "1")], body)

    async with served(make_server(fallback=page)) as url, raw(url) as wire:
        response = await wire.post("/page?x", b" hello")
        assert (response.status, response.body) == (201, b"POST /page hello")
        assert response.headers["x-page"] == "1"
        assert (await wire.get(POLLING)).status == 200
    async with served(make_server()) as url, raw(url) as wire:
        assert (await wire.get("/page")).status == 404


async def test_fallback_with_another_server(make_server: MakeServer) -> None:
    other = make_server(path="/other")
    async with served(make_server(fallback=other.as_fallback())) as url, raw(url) as wire:
        assert (await wire.get(POLLING)).status == 200
        assert (await wire.get(POLLING.replace("/socket.io", "/other"))).status == 200
        assert other.statistics().sessions == 1
        assert (await wire.get("/elsewhere")).status == 404


async def test_fallback_with_files(make_server: MakeServer, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>page")
    async with served(make_server(fallback=trio_sio.static(tmp_path))) as url, raw(url) as wire:
        response = await wire.get("/page.html")
        assert (response.status, response.body) == (200, b"<p>page")
        assert (await wire.get("/../page.html")).status == 404
        assert (await wire.get(POLLING)).status == 200


# -- time ----------------------------------------------------------------------------------------


async def test_heartbeat_times_are_told(make_server: MakeServer) -> None:
    async with served(make_server()) as url, raw(url) as wire:
        told = opening((await wire.get(POLLING)).body)
        assert (told["pingInterval"], told["pingTimeout"]) == (25000, 5000)
    io = make_server(ping_interval=1.5, ping_timeout=60)
    async with served(io) as url, raw(url) as wire:
        told = opening((await wire.get(POLLING)).body)
        assert (told["pingInterval"], told["pingTimeout"]) == (1500, 60000)


@node
@pytest.mark.filterwarnings("ignore:option")
async def test_the_longest_heartbeat_is_one_that_a_client_can_wait_for(
    make_server: MakeServer,
) -> None:
    """A timer that is too long ends at once in JavaScript, and the client with it."""
    io = make_server(ping_interval=1_000_000, ping_timeout=1_000_000)
    io.on("echo", lambda _socket, number: number)
    async with served(io) as url, peer() as process:
        for kind in (UPGRADING, WEBSOCKET):
            client = await process.connect(url, **kind.options)
            for number in range(20):
                assert await client.call("echo", number) == [number]
            assert client.unheard("disconnect") == 0


async def test_who_pings_stays_and_who_is_silent_goes(make_server: MakeServer) -> None:
    io = make_server(ping_interval=0.2, ping_timeout=0.2)
    async with served(io) as url, raw(url) as wire:
        alive, silent = await wire.joined(), await wire.joined()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def beat() -> None:
                while True:
                    await alive.send("2")
                    assert await alive.receive() == "3"
                    await trio.sleep(0.1)

            assert await silent.receive_frame() == (CLOSE, b"")
            while len(io.sockets.connected) > 1:  # noqa: ASYNC110 - its handlers end soon
                await trio.sleep(0.005)
            await trio.sleep(0.5)  # longer than both together
            assert len(io.sockets.connected) == 1
            nursery.cancel_scope.cancel()


async def test_upgrade_timeout(make_server: MakeServer) -> None:
    """A probe that is not finished in time is given up; the session goes on polling."""
    io = make_server(upgrade_timeout=0.2)
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        sid = polling.target.rpartition("&sid=")[2]
        websocket = await wire.websocket(f"/socket.io/?EIO=3&transport=websocket&sid={sid}")
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        assert await websocket.receive_frame() == (CLOSE, b"")
        assert await polling.post(b"1:2") == (200, b"ok")
        assert await polling.get() == (200, b"1:3")
        assert list(io.sockets.connected) == [sid]


# -- sizes ---------------------------------------------------------------------------------------


@BOTH_ENGINES
@node
async def test_large_messages_are_welcome_by_default(make_server: MakeServer) -> None:
    io = make_server()
    io.on("size", lambda _socket, data: len(data))
    async with served(io) as url, peer() as process:
        for kind in (UPGRADING, WEBSOCKET):
            client = await process.connect(url, **kind.options)
            assert await client.call("size", b"x" * 2_000_000) == [2_000_000]


@BOTH_ENGINES
async def test_max_http_buffer_size(make_server: MakeServer) -> None:
    io = make_server(max_http_buffer_size=500)
    async with served(io) as url, raw(url) as wire:
        fits, exceeds = await wire.joined(), await wire.joined()
        await fits.send('420["x","' + "y" * (500 - 11) + '"]')
        await fits.send("2")
        assert await fits.receive() == "3"
        await exceeds.send('420["x","' + "y" * (501 - 11) + '"]')
        opcode, payload = await exceeds.receive_frame()
        assert (opcode, payload[:2]) == (CLOSE, (1009).to_bytes(2, "big"))
        polling = await wire.polling()
        assert (await polling.post(b"4:2abc" + b"1:2" * 164))[0] == 200  # 498 bytes
        assert (await polling.post(b"1:2" * 167))[0] == 413


@BOTH_ENGINES
async def test_handshake_buffer_size(make_server: MakeServer) -> None:
    """The limit for clients that have joined nothing: middleware has not let them in yet."""
    go = trio.Event()
    io = make_server(handshake_buffer_size=1000, max_http_buffer_size=1_000_000)

    @io.use
    async def wait(socket: trio_sio.Socket) -> None:
        await go.wait()

    async with served(io) as url, raw(url) as wire:
        polls = [RawPolling(wire, (await wire.handshake())[0]) for _ in range(2)]
        stranger, friend = await wire.websocket(), await wire.websocket()
        for websocket in (stranger, friend):
            assert str(await websocket.receive()).startswith("0{")
        status, body = await polls[0].post(b"1001:4" + b"x" * 1000)
        assert status == 413
        assert b"handshake_buffer_size" in body
        await stranger.send("2" + "x" * 40_000)
        opcode, payload = await stranger.receive_frame()
        assert (opcode, payload[:2]) == (CLOSE, (1009).to_bytes(2, "big"))
        go.set()
        assert await friend.receive() == "40"
        await friend.send("2" + "x" * 40_000)
        assert await friend.receive() == "3"
        assert (await polls[1].get()) == (200, b"2:40")
        assert await polls[1].post(b"40001:2" + b"x" * 40_000) == (200, b"ok")


# -- transports ----------------------------------------------------------------------------------


@node
@pytest.mark.parametrize(
    ("transports", "upgrades", "lands_on"),
    [
        (["polling", "websocket"], ["websocket"], "websocket"),
        (["websocket", "polling"], ["websocket"], "websocket"),
        (["polling"], [], "polling"),
    ],
)
async def test_transports(
    transports: list[str], upgrades: list[str], lands_on: str, make_server: MakeServer
) -> None:
    io = make_server(transports=transports)
    io.on("where", lambda socket: socket.session.transport.name)
    async with served(io) as url, raw(url) as wire, peer() as process:
        response = await wire.get(POLLING)
        assert opening(response.body)["upgrades"] == upgrades
        client = await process.connect(url)
        if lands_on == "websocket":
            await client.hear("upgrade")
        assert await client.call("where") == [lands_on]
        if "websocket" not in transports:  # then an upgrade is a request as any other
            response = await wire.get(WEBSOCKET_TARGET, FIELDS)
            body = told(b'{"code":0,"message":"Transport unknown"}')
            assert (response.status, response.body) == (400, body)


async def test_without_polling(make_server: MakeServer) -> None:
    async with served(make_server(transports=["websocket"])) as url, raw(url) as wire:
        response = await wire.get(POLLING)
        assert (response.status, response.body) == (
            400,
            told(b'{"code":0,"message":"Transport unknown"}'),
        )
        await wire.joined()


@node
async def test_allow_upgrades(make_server: MakeServer) -> None:
    io = make_server(allow_upgrades=False)
    io.on("where", lambda socket: socket.session.transport.name)
    async with served(io) as url, raw(url) as wire, peer() as process:
        assert opening((await wire.get(POLLING)).body)["upgrades"] == []
        client = await process.connect(url)
        assert await client.call("where") == ["polling"]
        assert client.unheard("upgrade") == 0


@node
@pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets", "auto"])
async def test_ws_engine(ws_engine: str, make_server: MakeServer) -> None:
    io = make_server()
    io.on("where", lambda socket: type(socket.session.transport._backend).__module__)
    async with served(io) as url, peer() as process:
        client = await process.connect(url, **WEBSOCKET.options)
        (module,) = await client.call("where")
        name = "websockets" if ws_engine == "auto" else ws_engine.replace("-", "_")
        assert module == f"trio_sio.engine.websocket.backends.{name}"


# -- the browser's client ------------------------------------------------------------------------


async def test_serve_client(make_server: MakeServer, tmp_path: Path) -> None:
    async with served(make_server()) as url, raw(url) as wire:
        response = await wire.get("/socket.io/socket.io.js")
        assert response.status == 200
        assert b"Socket.IO v2.5.0" in response.body
        assert response.headers["content-type"] == "application/javascript"
        assert response.headers["etag"] == '"2.5.0"'
        again = await wire.get("/socket.io/socket.io.js", {"If-None-Match": '"2.5.0"'})
        assert (again.status, again.body) == (304, b"")
        source_map = await wire.get("/socket.io/socket.io.js.map")
        assert source_map.headers["content-type"] == "application/json"
        assert json.loads(source_map.body)["version"] == 3
        for query in ("min.js", "js?v=4", "esm.min.js"):
            newer = await wire.get(f"/socket.io/socket.io.{query}")
            assert b"Socket.IO v4.8.4" in newer.body
            assert newer.headers["etag"] == '"4.8.4"'
    async with served(make_server(serve_client="4")) as url, raw(url) as wire:
        assert b"Socket.IO v4.8.4" in (await wire.get("/socket.io/socket.io.js")).body
        assert b"Socket.IO v2.5.0" in (await wire.get("/socket.io/socket.io.slim.js")).body
    async with served(make_server(serve_client=False)) as url, raw(url) as wire:
        assert (await wire.get("/socket.io/socket.io.js")).body == (
            told(b'{"code":0,"message":"Transport unknown"}')
        )
    tmp_path.joinpath("socket.io.js").write_text("mine")
    io = make_server()
    io.serve_client = tmp_path
    async with served(io) as url, raw(url) as wire:
        assert (await wire.get("/socket.io/socket.io.js")).body == b"mine"
        with pytest.raises(RuntimeError, match="serve_client"):
            io.serve_client = False
