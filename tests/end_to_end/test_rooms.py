"""One broadcast for clients on every transport at once, those that polls in binary among them."""

import http.client
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
import trio

import trio_sio
from tests.support.peers import (
    BUNDLE,
    DEADLINE,
    POLLING,
    PYTHON,
    UPGRADING,
    WEBSOCKET,
    Client,
    peer,
    served,
)
from tests.support.servers import MakeServer

pytestmark = [pytest.mark.node, pytest.mark.python_socketio]

NEWS = {"title": "größer \U0001f600", "picture": b"\x00\x04\xff", "more": [b"b"]}

# What `NEWS` is for a client that polls and takes binary payloads (no `b64`): kind, length in
# bytes as digits, 0xff, packet.
_HEADER = (
    '452-["news",{"title":"größer \U0001f600","picture":{"_placeholder":true,"num":0},'
    '"more":[{"_placeholder":true,"num":1}]}]'
)
NEWS_PAYLOAD = (
    b"\x00\x01\x01\x07\xff"
    + _HEADER.encode()
    + b"\x01\x04\xff\x04\x00\x04\xff"
    + b"\x01\x02\xff\x04b"
)


class RawPoller:
    """A browser's XHR polling, by hand: without `b64=1`."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._path = "/socket.io/?EIO=3&transport=polling"

    async def open(self) -> None:
        _kind, body = await self.poll()
        opening = json.loads(body[body.index(b"{") : body.index(b"}") + 1])
        self._path += f"&sid={opening['sid']}"

    async def post(self, packet: str) -> None:
        assert await self._request("POST", f"{len(packet)}:{packet}") == ("text/html", b"ok")

    async def poll(self) -> tuple[str, bytes]:
        """The content type and body of the answer."""
        return await self._request("GET")

    async def _request(self, method: str, body: str | None = None) -> tuple[str, bytes]:
        return await trio.to_thread.run_sync(self._request_sync, method, body)

    def _request_sync(self, method: str, body: str | None) -> tuple[str, bytes]:
        headers = {} if body is None else {"Content-Type": "text/plain;charset=UTF-8"}
        self._connection.request(method, self._path, body, headers)
        response = self._connection.getresponse()
        assert response.status == 200
        return response.getheader("Content-Type", "").partition(";")[0], response.read()


@asynccontextmanager
async def raw_poller(url: str) -> AsyncIterator[RawPoller]:
    host = url.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=DEADLINE)) as connection:
        poller = RawPoller(connection)
        await poller.open()
        yield poller


def room_server(make_server: MakeServer) -> trio_sio.Server:
    io = make_server()

    @io.on("join")
    async def join(socket: trio_sio.Socket, *rooms: str) -> list[str]:
        await socket.join(*rooms)
        return sorted(socket.rooms - {socket.id})

    @io.on("leave")
    async def leave(socket: trio_sio.Socket, room: str) -> list[str]:
        await socket.leave(room)
        return sorted(socket.rooms - {socket.id})

    @io.on("tell")
    async def tell(socket: trio_sio.Socket, rooms: list[str], *args: trio_sio.JSON) -> None:
        await socket.to(*rooms).emit("news", *args)

    @io.on("tell all but")
    async def tell_others(_socket: trio_sio.Socket, room: str, *args: trio_sio.JSON) -> None:
        await io.except_(room).emit("news", *args)

    return io


async def test_a_binary_broadcast_reaches_every_transport(make_server: MakeServer) -> None:
    io = room_server(make_server)
    async with (
        served(io) as url,
        peer() as package,
        peer(BUNDLE) as bundle,
        peer(PYTHON) as python,
        raw_poller(url) as raw,
    ):
        clients = [
            await process.connect(url, hear=["news"], **kind.options)
            for process in (package, bundle)
            for kind in (UPGRADING, POLLING, WEBSOCKET)
        ]
        clients.append(await python.connect(url, hear=["news"], transports=["websocket"]))
        await raw.post('420["join","everyone"]')
        assert await raw.poll() == ("text/plain", b'17:430[["everyone"]]')
        for client in clients:
            assert await client.call("join", "everyone") == [["everyone"]]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(assert_hears_the_news, raw)
            await io.to("everyone").emit("news", NEWS)
            assert [await client.hear("news") for client in clients] == [[NEWS]] * len(clients)


async def assert_hears_the_news(raw: RawPoller) -> None:
    assert await raw.poll() == ("application/octet-stream", NEWS_PAYLOAD)


async def test_rooms_are_joined_and_left(make_server: MakeServer) -> None:
    async with served(room_server(make_server)) as url, peer() as process, peer(PYTHON) as python:
        anna = await process.connect(url, hear=["news"], transports=["websocket"])
        ben = await process.connect(url, hear=["news"], transports=["polling"])
        carl = await python.connect(url, hear=["news"])
        assert await anna.call("join", "red", "blue") == [["blue", "red"]]
        assert await ben.call("join", "red") == [["red"]]
        assert await carl.call("join", "blue") == [["blue"]]

        # Each is answered before the next: between clients there is no order.
        await anna.call("tell", ["red"], "red", 1)
        await anna.call("tell", ["blue"], "blue", b"1")
        await ben.call("tell", ["red", "blue"], "both")
        await carl.call("tell all but", "red", "not red")
        assert await hears(anna, 1) == [["both"]]
        assert await hears(ben, 1) == [["red", 1]]
        assert await hears(carl, 3) == [["blue", b"1"], ["both"], ["not red"]]

        assert await anna.call("leave", "blue") == [["red"]]
        await carl.call("tell", ["blue"], "nobody is left")
        await carl.call("tell", ["red"], "both of you")
        assert await hears(anna, 1) == [["both of you"]]
        assert await hears(ben, 1) == [["both of you"]]
        for client in (anna, ben, carl):
            await client.call("join")  # what was sent before has arrived
            assert client.unheard("news") == 0


async def hears(client: Client, count: int) -> list[object]:
    return [await client.hear("news") for _ in range(count)]
