"""A client of bytes: what it does by itself, and what its network does to it."""

import pytest
import trio

import trio_sio
from trio_sio import Disconnected, DisconnectReason
from trio_sio.testing import open_network


def application(gone: list[str]) -> trio_sio.Server:
    io = trio_sio.Server()

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        socket.on("echo", socket.send)
        socket.on("disconnect", lambda reason: gone.append(str(reason)))

    return io


@pytest.mark.parametrize("how", ["polling", "polling-jsonp", "websocket", "upgraded"])
async def test_leaving_ends_the_session(autojump_clock: trio.abc.Clock, how: str) -> None:
    gone = list[str]()
    async with open_network(application(gone)) as network:
        async with network.connect(how):
            pass
        assert gone == ["transport close"]
        assert trio.current_time() < 1


@pytest.mark.parametrize("how", ["polling", "websocket"])
async def test_both_sides_notice_that_nothing_comes(
    autojump_clock: trio.abc.Clock, how: str
) -> None:
    gone = list[str]()
    async with open_network(application(gone)) as network, network.connect(how) as client:
        client.freeze()
        with pytest.raises(Disconnected) as ended:
            await client.receive()
        assert ended.value.reason is client.reason is DisconnectReason.PING_TIMEOUT
        assert trio.current_time() == 30
        await trio.sleep(1)
        assert gone == ["ping timeout"]


async def test_a_short_freeze_passes(autojump_clock: trio.abc.Clock) -> None:
    gone = list[str]()
    async with open_network(application(gone)) as network, network.connect("polling") as client:
        client.freeze()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.emit, "echo", 1)
            await trio.sleep(10)
            client.thaw()
        assert await client.receive() == ["message", 1]
        assert gone == []


@pytest.mark.parametrize("how", ["polling", "websocket"])
async def test_a_client_that_is_silent(autojump_clock: trio.abc.Clock, how: str) -> None:
    gone = list[str]()
    async with open_network(application(gone)) as network:
        async with network.connect(how, heartbeat=False) as client:
            with pytest.raises(Disconnected):
                await client.receive()
            assert trio.current_time() == 30
        assert gone == ["ping timeout"]


async def test_failures_show_the_end_of_the_transcript(autojump_clock: trio.abc.Clock) -> None:
    async with open_network(application([])) as network, network.connect() as client:
        await client.emit("unknown", 1)
        with pytest.raises(trio.TooSlowError) as waited:
            await client.receive(timeout=2)
        assert "nothing came" not in str(waited.value)  # CONNECT came
        assert """client 1 sends '42["unknown",1]'""" in str(waited.value)
