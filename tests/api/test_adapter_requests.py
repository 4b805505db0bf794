"""What an adapter asks all servers of a cluster, on the wire; here there is one server alone."""

import trio

from tests.support.peers import served
from tests.support.raw import raw
from tests.support.servers import MakeServer
from trio_sio.protocol.socketio.packet import JSON


async def test_remote_join_and_leave(make_server: MakeServer) -> None:
    io = make_server()
    adapter = io.sockets.adapter
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (sid,) = io.sockets.connected
        await adapter.remote_join(sid, "red")
        assert await adapter.all_rooms() == {sid, "red"}
        await io.to("red").emit("a")
        assert await websocket.receive() == '42["a"]'
        await adapter.remote_leave(sid, "red")
        assert await adapter.all_rooms() == {sid}
        await io.to("red").emit("a")
        await io.emit("b")
        assert await websocket.receive() == '42["b"]'


async def test_remote_disconnect(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (sid,) = io.sockets.connected
        await io.sockets.adapter.remote_disconnect(sid)
        assert await websocket.receive() == "41"
        await websocket.send("40")
        assert await websocket.receive() == "40"
        await io.sockets.adapter.remote_disconnect(sid, close=True)
        assert await websocket.receive() == "41"


async def test_custom_requests(make_server: MakeServer) -> None:
    io = make_server()
    adapter = io.sockets.adapter

    @adapter.on_custom_request
    async def answer(data: JSON) -> JSON:
        await trio.lowlevel.checkpoint()
        return ["asked", data, len(io.sockets.connected)]

    async with served(io) as url, raw(url) as wire:
        await wire.joined()
        assert await adapter.custom_request({"q": 1}) == [["asked", {"q": 1}, 1]]
