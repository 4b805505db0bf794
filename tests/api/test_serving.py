"""Serving: on a port, on listeners and streams of one's own, with an engine of one's own."""

import math
from functools import partial

import pytest
import trio
import trio.testing

import trio_sio
from tests.support.peers import QUICKLY_BACK, UPGRADING, WEBSOCKET, Kind, peer, served
from tests.support.raw import POLLING, raw
from tests.support.servers import MakeServer
from trio_sio.options import WSEngine

pytestmark = pytest.mark.node
KINDS = pytest.mark.parametrize("kind", [UPGRADING, WEBSOCKET], ids=str)


def echo(make_server: MakeServer, **options: object) -> trio_sio.Server:
    io = make_server(**options)
    io.on("echo", lambda _socket, *args: args)
    return io


@KINDS
async def test_serve_tcp(kind: Kind, make_server: MakeServer) -> None:
    """It opens the server by itself where nobody else has."""
    io = echo(make_server)
    async with trio.open_nursery() as nursery, peer() as process:
        (listener,) = await nursery.start(partial(io.serve_tcp, 0, "127.0.0.1"))
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        client = await process.connect(url, **kind.options)
        assert await client.call("echo", 1, b"2") == [1, b"2"]
        nursery.cancel_scope.cancel()


@KINDS
async def test_serve_listeners(kind: Kind, make_server: MakeServer) -> None:
    io = echo(make_server)
    listeners = [*await trio.open_tcp_listeners(0, host="127.0.0.1")]
    listeners += await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with io, trio.open_nursery() as nursery, peer() as process:
        assert await nursery.start(io.serve_listeners, listeners) == listeners
        for listener in listeners:
            url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
            client = await process.connect(url, **kind.options)
            assert await client.call("echo", "hi") == ["hi"]
        assert len(io.sockets.connected) == 2
        nursery.cancel_scope.cancel()


@KINDS
async def test_serve_stream(kind: Kind, make_server: MakeServer) -> None:
    """A loop of one's own that accepts; and a stream that is no socket's for Trio to see."""
    io = echo(make_server)
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener, io, trio.open_nursery() as nursery, peer() as process:

        @nursery.start_soon
        async def accept() -> None:
            while True:
                stream = await listener.accept()
                wrapped = trio.StapledStream(stream, stream)
                nursery.start_soon(io.serve_stream, wrapped)

        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        client = await process.connect(url, **kind.options)
        assert await client.call("echo", "hi") == ["hi"]
        nursery.cancel_scope.cancel()


async def test_serve_stream_needs_an_open_server(make_server: MakeServer) -> None:
    ours, _ = trio.testing.memory_stream_pair()
    with pytest.raises(RuntimeError, match="async with"):
        await make_server().serve_stream(ours)


@KINDS
async def test_serve_session(kind: Kind, make_server: MakeServer) -> None:
    """Sessions of another engine (JS: `onconnection`)."""
    io = echo(make_server)
    engine = trio_sio.Engine(path="/socket.io", raise_errors=True, ping_interval=7)
    async with trio.open_nursery() as nursery, peer() as process:
        serve = partial(engine.serve_tcp, io.serve_session, 0, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        client = await process.connect(url, **kind.options)
        assert await client.call("echo", "hi") == ["hi"]
        nursery.cancel_scope.cancel()


async def test_an_engine_of_ones_own(ws_engine: WSEngine) -> None:
    """JS: `bind(engine)`."""
    engine = trio_sio.Engine(path="/mine", ping_interval=7, ws_engine=ws_engine, raise_errors=True)
    io = trio_sio.Server(engine=engine)
    assert io.engine is engine
    assert io.path == "/mine"
    async with served(io) as url, raw(url) as wire, peer() as process:
        await process.connect(url, path="/mine")
        answer = await wire.get(POLLING.replace("/socket.io", "/mine"))
        assert b'"pingInterval":7000' in answer.body
    with pytest.raises(TypeError, match="path"):
        trio_sio.Server(engine=trio_sio.Engine(), path="/other")


async def test_close(make_server: MakeServer) -> None:
    """Clients are cut off and come back; new ones are refused meanwhile."""
    io = echo(make_server)
    async with peer() as process:
        async with served(io) as url, raw(url) as wire:
            client = await process.connect(url, **QUICKLY_BACK)
            await io.aclose()
            assert (await client.hear("disconnect"))[0] in ("transport close", "transport error")
            assert (await wire.get(POLLING)).status == 503
            assert io.sockets.connected == {}
            port = int(url.rpartition(":")[2])
        async with served(echo(make_server), port):
            await client.hear("reconnect")
            assert await client.call("echo", "again") == ["again"]


async def test_it_may_serve_again(make_server: MakeServer) -> None:
    io = echo(make_server)
    async with peer() as process:
        for _ in range(2):
            async with served(io) as url:
                client = await process.connect(url)
                assert await client.call("echo", "hi") == ["hi"]
        io.path = "/elsewhere"  # it serves no more
        async with served(io) as url:
            await process.connect(url, path="/elsewhere")


async def test_sockets_is_the_root_namespace_and_its_verbs_are_the_servers(
    make_server: MakeServer,
) -> None:
    io = echo(make_server)
    assert io.sockets is io.of("/")
    heard: list[str] = []

    @io.use
    async def check(socket: trio_sio.Socket) -> None:
        heard.append("use")

    io.once("connection", lambda socket: heard.append("once"))
    never = print
    io.on("never", never)
    assert set(io.event_names()) == {"echo", "connection", "never"}
    io.remove_listener("never", never)
    async with served(io) as url, peer() as process:
        hear = ["a", "message", "end"]
        one, two = [await process.connect(url, hear=hear) for _ in range(2)]
        first = next(iter(io.sockets.connected))
        assert await io.clients() == set(io.sockets.connected)
        assert await io.to(first).clients() == {first}
        await io.emit("a", 1)
        await io.send(2)
        await io.to(first).emit("a", 3)
        await io.in_(first).local.emit("a", 4)
        await io.except_(first).emit("a", 5)
        await io.compress(False).emit("a", 6)
        await io.binary(False).emit("a", b"7")
        await io.emit("end")
        for client, numbers in ((one, [1, 3, 4, 6]), (two, [1, 5, 6])):
            await client.hear("end")
            assert await client.hear("message") == [2]
            assert [await client.hear("a") for _ in numbers] == [[n] for n in numbers]
            assert await client.hear("a") == [{"type": "Buffer", "data": [55]}]
            assert client.unheard("a") == 0
    assert heard == ["use", "once", "use"]
    io.remove_all_listeners()
    assert io.event_names() == []


def test_what_of_does_not_take(make_server: MakeServer) -> None:
    with pytest.raises(TypeError, match=r"of\(\) takes a name"):
        make_server().of(math.pi)  # type: ignore[call-overload]
