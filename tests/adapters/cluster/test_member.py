"""What the adapters of one server have in common: the tasks of answers, the log."""

import pytest
import trio

from tests.support.foreign_node import Host, settle
from trio_sio.adapters.cluster.member import Member

Clock = trio.abc.Clock


async def test_tasks_run_while_the_member_does(autojump_clock: Clock) -> None:
    member, done = Member(), []

    async def work(number: int) -> None:
        await trio.sleep(number)
        done.append(number)

    assert not member.start(work, 0)
    async with trio.open_nursery() as nursery:
        await nursery.start(member.run, Host())
        assert member.start(work, 1)
        assert member.start(work, 3)
        await trio.sleep(2)
        nursery.cancel_scope.cancel()
    assert done == [1]
    assert not member.start(work, 0)
    assert member.counters.refused == 2
    async with trio.open_nursery() as nursery:  # it is run again, after a failure
        await nursery.start(member.run, Host())
        assert member.start(work, 0)
        await settle()
        nursery.cancel_scope.cancel()
    assert done == [1, 0]


async def test_so_many_tasks_at_a_time(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    member = Member(max_answers=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(member.run, Host())
        assert [member.start(trio.sleep, 1) for _ in range(4)] == [True, True, False, False]
        assert member.counters.refused == 2
        await trio.sleep(2)
        assert member.start(trio.sleep, 1)
        nursery.cancel_scope.cancel()
    assert [one.getMessage() for one in caplog.records] == [
        "a request of another server was refused: 2 answers are under way"
    ]


async def test_failures_are_reported(autojump_clock: Clock) -> None:
    member, host, error = Member(), Host(), ValueError("of a task")

    async def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="of a task"):
        member.report(error, "there is no server that could be told")
    async with trio.open_nursery() as nursery:
        await nursery.start(member.run, host)
        member.start(fail)
        await settle()
        assert host.errors == [error]
        assert member.start(trio.sleep, 0)
        nursery.cancel_scope.cancel()


def test_numbers_are_not_given_twice() -> None:
    member = Member()
    assert len({member.next_number() for _ in range(100)}) == 100


async def test_before_it_runs_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    member = Member()
    member.tell("kind", "nobody would hear of %s", "it")
    assert caplog.records == []
    async with trio.open_nursery() as nursery:
        await nursery.start(member.run, Host())
        member.tell("kind", "there is %s", "news")
        member.tell("kind", "there is %s", "more")
        nursery.cancel_scope.cancel()
    assert [one.getMessage() for one in caplog.records] == ["there is news"]
