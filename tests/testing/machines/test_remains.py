"""What a server has at a moment."""

import trio

from trio_sio import Server
from trio_sio.testing import connect
from trio_sio.testing.machines.remains import Remains


async def test_what_is_more_is_told(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with io:
        await trio.testing.wait_all_tasks_blocked()
        before = Remains.of(io)
        assert not Remains.of(io).beyond(before)
        async with connect(io):
            await trio.testing.wait_all_tasks_blocked()
            more = Remains.of(io).beyond(before)
            assert "sessions: 1, clients: 1, sockets: 1" in more
            assert "task trio_sio.testing.client.MemoryClient.read: 1" in more
        await trio.testing.wait_all_tasks_blocked()
        assert not Remains.of(io).beyond(before)
