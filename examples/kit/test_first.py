"""The first test: two clients in memory."""

from lobby import make_server

from trio_sio.testing import connect


async def test_a_room_hears_how_many_are_there(autojump_clock):
    async with make_server() as io, connect(io) as anna, connect(io) as ben:
        assert await anna.call("join", "kitchen") == [1]
        assert await anna.receive() == ["people", "kitchen", 1]
        assert await ben.call("join", "kitchen") == [2]
        assert await anna.receive() == ["people", "kitchen", 2]
