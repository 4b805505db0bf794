"""Testing an application: no port, no thread, no waiting."""

import pytest
import trio

import trio_sio
from trio_sio.testing import connect


@pytest.fixture
async def io():
    io = trio_sio.Server()

    @io.on("join")
    async def join(socket, room):
        await socket.join(room)
        return "ok"

    @io.on("say")
    async def say(socket, room, text):
        await io.to(room).emit("said", text)

    async with io:
        yield io


async def test_only_the_room_hears(io, autojump_clock):
    async with connect(io) as anna, connect(io) as ben, connect(io) as carl:
        assert await anna.call("join", "kitchen") == ["ok"]
        assert await ben.call("join", "kitchen") == ["ok"]
        await carl.emit("say", "kitchen", "soup is ready")
        assert await anna.receive() == await ben.receive() == ["said", "soup is ready"]
        with trio.move_on_after(60) as quiet:
            await carl.receive()
        assert quiet.cancelled_caught  # a minute of silence costs no time


async def test_a_silent_client_is_dropped(io, autojump_clock):
    gone = []
    io.on("disconnect", lambda socket, reason: gone.append((reason, trio.current_time())))
    async with connect(io, heartbeat=False):
        await trio.sleep(100)  # no ping within 25 + 5 s
    assert gone == [("ping timeout", 30.0)]
