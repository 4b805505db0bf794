"""What is kept of sessions that have ended."""

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.held_loop import Counter
from trio_sio.testing import connect


async def test_a_limit_counts_once_whether_its_session_stays_or_ends(
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server(max_outbox=2)
    async with io:
        for times in (1, 2):
            async with connect(io, buffer=1) as client:
                for _ in range(5):
                    await io.on_overflow("drop_newest").emit("news")
                    await wait_all_tasks_blocked()
                assert io.statistics().limits == {"max_outbox": 2 * times}
                assert client.session.limits == {"max_outbox": 2}
                assert io.statistics().behind == 1
            assert io.statistics().limits == {"max_outbox": 2 * times}
            assert io.statistics().behind == 0
        async with connect(io, buffer=1) as client:
            for _ in range(5):
                await io.emit("news")
                await wait_all_tasks_blocked()
            assert client.session.reason == "slow consumer"
            assert client.session.limits is None
        assert io.statistics().limits == {"max_outbox": 5}
        assert io.statistics().dropped == 4


async def test_stalls_are_counted_for_as_long_as_the_engine_lives(
    counter: Counter, autojump_clock: MockClock
) -> None:
    io = trio_sio.Server()
    io.on("work", lambda _socket, seconds: counter.hold(seconds))
    for seconds in (3, 2):
        async with connect(io) as client:
            await client.emit("work", seconds)
            await wait_all_tasks_blocked()
    now = io.statistics()
    assert (now.stalls, now.stalled, now.longest_stall) == (2, 5, 3)


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
