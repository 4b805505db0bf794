"""Volatile events: skipped for whoever is behind, and only for them."""

import signal

import pytest
import trio

import trio_sio
from tests.support.peers import WEBSOCKET, peer, served
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node

COUNT = 300
BYTES = bytes(100_000)  # all of them are more than the kernel takes for a client that is stopped


async def test_a_stopped_client_misses_volatile_events(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, peer() as quick, peer() as slow:
        ben = await quick.connect(url, hear=["position"], **WEBSOCKET.options)
        anna = await slow.connect(url, hear=["position", "end"], **WEBSOCKET.options)
        slow.process.send_signal(signal.SIGSTOP)
        for number in range(COUNT):
            await io.volatile.emit("position", number, BYTES)
            assert await ben.hear("position") == [number, BYTES]
        await io.emit("end")
        slow.process.send_signal(signal.SIGCONT)
        assert await anna.hear("end") == []
        heard = [(await anna.hear("position"))[0] for _ in range(anna.unheard("position"))]
        assert heard == sorted(set(heard))
        assert 0 < len(heard) < COUNT
        assert heard[0] == 0


async def test_a_client_between_two_polls_misses_volatile_events(make_server: MakeServer) -> None:
    """With one event on its way, the second one cannot leave at once: no poll is waiting."""
    io = make_server()

    @io.on("send")
    async def send(socket: trio_sio.Socket) -> None:
        with trio.fail_after(60):
            while not socket.session.writable:  # noqa: ASYNC110 - nobody tells of a poll
                await trio.sleep(0.01)
        for word in ("first", "second", "third"):
            await socket.volatile.emit("position", word)
        await socket.emit("end")

    async with served(io) as url, peer() as process:
        client = await process.connect(url, hear=["position", "end"], transports=["polling"])
        await client.emit("send")
        assert await client.hear("end") == []
        assert await client.hear("position") == ["first"]
        assert client.unheard("position") == 0
