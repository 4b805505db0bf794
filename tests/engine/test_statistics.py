"""What is kept of sessions that have ended."""

import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.testing import connect


async def test_the_ledger_adds_up(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(on_overflow="drop_newest", max_outbox=2)
    async with io:
        for _ in range(3):
            async with connect(io):
                assert io.statistics().sessions == 1
        await trio.sleep(1)
        now = io.statistics()
        assert (now.sessions, now.queued, now.largest_queue) == (0, 0, 0)
        assert sum(now.ended.values()) == 3
        assert now.limits == {}
        assert now.connections == 0  # in memory, there are none
