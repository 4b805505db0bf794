"""A request that waits for responses, and who is missing."""

from dataclasses import dataclass

import pytest
import trio

from trio_sio.adapters.cluster.pending import (
    HERE,
    MAX_PENDING,
    UNREACHABLE,
    Pending,
    PendingTable,
    nameless,
)
from trio_sio.exceptions import NoAnswer

PEERS = {"a": "web-1", "b": "web-2"}


@dataclass(frozen=True)
class Said:
    node: str | None = None


async def test_it_is_over_when_all_have_responded(autojump_clock: trio.abc.Clock) -> None:
    pending = Pending[Said](3)
    for said, missing in ((Said("a"), 2), (Said("a"), 2), (Said(), 1), (Said(), 0), (Said(), 0)):
        pending.take(said)
        assert pending.missing == missing
    with trio.fail_after(1):
        await pending.wait()
    assert pending.responses == [Said("a"), Said(), Said()]


@pytest.mark.parametrize("end", ["nobody", "here", "cut", "finish"])
async def test_other_ends(autojump_clock: trio.abc.Clock, end: str) -> None:
    here = Said("me") if end == "here" else None
    pending = Pending[Said](0 if end == "nobody" else 1, here)
    if end in ("cut", "finish"):
        with trio.move_on_after(1) as scope:
            await pending.wait()
        assert scope.cancelled_caught
        getattr(pending, end)()
    with trio.fail_after(1):
        await pending.wait()


@pytest.mark.parametrize(
    ("others", "heard", "names"),
    [
        (2, [], ("web-1", "web-2")),
        (2, ["a"], ("web-2",)),
        (2, ["a", "b"], ()),
        (3, ["a"], ("web-2", "1 node that does not announce itself")),
        (4, ["a", "b"], ("2 nodes that do not announce themselves",)),
        (1, [], ("1 of web-1, web-2",)),
        (1, ["a"], ()),
        (None, [], ("web-1", "web-2")),
    ],
)
def test_who_is_missing(others: int | None, heard: list[str], names: tuple[str, ...]) -> None:
    pending = Pending[Said](others or 0)
    for node in heard:
        pending.take(Said(node))
    assert pending.missing_names(others, PEERS) == names
    if others is not None:
        with_own = Pending[Said](others + 1)
        for node in heard:
            with_own.take(Said(node))
        assert with_own.missing_names(others, PEERS, here="me") == (HERE, *names)


def test_nobody_is_known() -> None:
    assert Pending[Said](0).missing_names(None, {}) == (UNREACHABLE,)
    assert nameless(0) == ()


# -- all that is under way -------------------------------------------------------------------------


def test_each_response_goes_to_the_request_that_waits_for_it() -> None:
    table = PendingTable[Said]()
    one, other = Pending[Said](2), Pending[Said](1)
    assert not table
    with table.expecting(one, "1", "1's fence"), table.expecting(other, "2"):
        assert table
        for name in ("1", "2", "1's fence", "3"):
            table.take(name, Said(name))
        assert one.responses == [Said("1"), Said("1's fence")]
        assert other.responses == [Said("2")]
    table.take("2", Said("late"))
    assert len(other.responses) == 1
    assert not table


async def test_what_is_under_way_ends_with_the_namespace(autojump_clock: trio.abc.Clock) -> None:
    table = PendingTable[Said]()
    pending = Pending[Said](1)
    table.check_open("nothing")
    with table.expecting(pending, "1"):
        table.close()
        with trio.fail_after(1):
            await pending.wait()
    assert table.is_closed
    with pytest.raises(NoAnswer, match="the namespace was dropped: no answer of 1"):
        table.check_open("no answer of 1")


async def test_whoever_asks_waits_for_a_turn(autojump_clock: trio.abc.Clock) -> None:
    table = PendingTable[Said]()
    waited = 0

    async def ask(name: str) -> None:
        nonlocal waited
        async with table.turns:
            with table.expecting(Pending[Said](1), name):
                waited += 1
                await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        for number in range(MAX_PENDING + 1):
            nursery.start_soon(ask, str(number))
        await trio.sleep(0.5)
        assert waited == MAX_PENDING
    assert waited == MAX_PENDING + 1
    assert not table
