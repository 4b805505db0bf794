"""Tasks that keep their order."""

from functools import partial

import pytest
import trio

from tests.support.foreign_node import Host, settle
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.cluster.v8.turns import Turns


@pytest.mark.parametrize("one_by_one", [False, True])
async def test_order(autojump_clock: trio.abc.Clock, one_by_one: bool) -> None:
    member, host = Member(), Host()
    turns = Turns(member, one_by_one=one_by_one)
    steps: list[object] = []

    async def step(number: int) -> None:
        steps.append(("begins", number))
        await trio.sleep(10 - number)
        steps.append(("ends", number))
        if number == 3:
            raise KeyError(number)

    async with trio.open_nursery() as nursery:
        await nursery.start(member.run, host)
        for number in range(10):
            turns.start(partial(step, number))
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    begun = [("begins", number) for number in range(10)]
    ended = [("ends", number) for number in range(10)]
    if one_by_one:
        assert steps == [one for pair in zip(begun, ended, strict=True) for one in pair]
    else:
        assert steps == [*begun, *reversed(ended)]
    assert [type(error) for error in host.errors] == [KeyError]


@pytest.mark.parametrize("one_by_one", [False, True])
async def test_what_is_refused_holds_up_nobody(
    autojump_clock: trio.abc.Clock, one_by_one: bool
) -> None:
    member = Member(max_answers=1)
    turns = Turns(member, one_by_one=one_by_one)
    done: list[int] = []

    async def step(number: int) -> None:
        await trio.sleep(1)
        done.append(number)

    async with trio.open_nursery() as nursery:
        await nursery.start(member.run, Host())
        turns.start(partial(step, 1))
        turns.start(partial(step, 2))
        await trio.sleep(5)
        turns.start(partial(step, 3))
        await trio.sleep(5)
        await settle()
        nursery.cancel_scope.cancel()
    assert done == [1, 3]
    assert member.counters.refused == 1
