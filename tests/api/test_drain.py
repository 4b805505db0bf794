"""`drain`: what clients of each kind see of a server that goes in peace."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_sio
from tests.support.peers import UPGRADING, WEBSOCKET, peer, served
from tests.support.raw import POLLING, raw
from tests.support.raw_websocket import CLOSE
from tests.support.servers import MakeServer

node = pytest.mark.node


@pytest.mark.slow
async def test_new_clients_are_refused_and_those_that_are_here_finish(
    make_server: MakeServer,
) -> None:
    io = make_server()
    go = trio.Event()
    reasons: list[str] = []
    io.on("disconnect", lambda socket, reason: reasons.append(reason))

    @io.on("work")
    async def work(socket: trio_sio.Socket) -> str:
        await go.wait()
        return "done"

    async with served(io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        websocket, polling = await wire.joined(), await wire.polling()
        await websocket.send('421["work"]')
        await polling.post(b'11:421["work"]')
        nursery.start_soon(lambda: io.drain(grace=10, spread=0))
        await wait_all_tasks_blocked()
        refused = await wire.get(POLLING)
        assert refused.status == 503
        assert refused.body == b"the server takes no new clients\n"
        assert refused.headers["connection"] == "close"
        assert (await wire.get("/socket.io/socket.io.js")).status != 503
        await websocket.send("2")
        assert await websocket.receive() == "3"  # who is here is served
        assert reasons == []
        go.set()
        assert await websocket.receive() == '431["done"]'
        assert await websocket.receive_frame() == (CLOSE, b"")
        body = b""
        while b"1:1" not in body:
            body += (await polling.get())[1]
        assert body.startswith(b'11:431["done"]')
    assert reasons == ["server shutting down"] * 2


@node
async def test_the_javascript_client_comes_back_by_itself(make_server: MakeServer) -> None:
    """It is not told to leave, after which it would stay away."""
    io = make_server()
    async with served(io) as url, peer() as process:
        clients = [await process.connect(url, **kind.options) for kind in (UPGRADING, WEBSOCKET)]
        await clients[0].hear("upgrade")
        await io.drain(spread=0.1)
        for client in clients:
            assert await client.hear("disconnect") == ["transport close"]
            assert await client.hear("reconnecting") == [1]
