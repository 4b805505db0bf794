"""One direction of a connection: order, delays, sizes, limits, and how it ends."""

import math
import random
from itertools import pairwise

import pytest
import trio

from trio_sio.testing.network.faults import Faults
from trio_sio.testing.network.pipe import Pipe


def make(faults: Faults, *, rate: float | None = None, frozen: bool = False) -> Pipe:
    return Pipe(faults, random.Random(1), rate, lambda: frozen)


async def send(pipe: Pipe, data: bytes) -> list[float]:
    arrivals = []
    for piece in pipe.pieces(data):
        await pipe.wait_room()
        arrivals.append(pipe.put(piece))
    return arrivals


async def test_pieces_keep_their_order(autojump_clock: trio.abc.Clock) -> None:
    pipe = make(Faults(delay=(0, 10), chunk=3))
    arrivals = await send(pipe, bytes(range(200)))
    assert len(arrivals) > 200 / 3
    assert all(one <= other for one, other in pairwise(arrivals))
    received = b""
    for arrival in arrivals:
        received += await pipe.get(None)
        assert trio.current_time() == arrival
    assert received == bytes(range(200))


async def test_the_receiver_may_take_less(autojump_clock: trio.abc.Clock) -> None:
    pipe = make(Faults())
    await send(pipe, b"abc")
    assert [await pipe.get(2), await pipe.get(2)] == [b"ab", b"c"]


async def test_it_holds_so_much_and_no_more(autojump_clock: trio.abc.Clock) -> None:
    pipe = make(Faults(buffer=10))
    await send(pipe, bytes(10))
    with trio.move_on_after(100) as scope:
        await send(pipe, b"x")
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send, pipe, b"x")
        assert await pipe.get(3) == bytes(3)
    assert [await pipe.get(None), await pipe.get(None)] == [bytes(7), b"x"]


async def test_a_rate_is_kept(autojump_clock: trio.abc.Clock) -> None:
    pipe = make(Faults(), rate=100)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send, pipe, bytes(1000))
        left = 1000
        while left:
            left -= len(await pipe.get(None))
    assert trio.current_time() == pytest.approx(10)


async def test_the_end_comes_last(autojump_clock: trio.abc.Clock) -> None:
    pipe = make(Faults(delay=(1, 2)))
    await send(pipe, b"abc")
    pipe.finish()
    with pytest.raises(trio.ClosedResourceError):
        await send(pipe, b"more")
    assert [await pipe.get(None), await pipe.get(None), await pipe.get(None)] == [b"abc", b"", b""]


async def test_the_sender_learns_that_nobody_receives(autojump_clock: trio.abc.Clock) -> None:
    pipe = make(Faults(delay=(1, 1), buffer=1))
    await send(pipe, b"a")
    pipe.abandon()
    with pytest.raises(trio.ClosedResourceError):
        await pipe.get(None)
    await send(pipe, b"abc")  # vanishes
    await trio.sleep(1)
    with pytest.raises(trio.BrokenResourceError):
        await send(pipe, b"x")
    pipe.finish()
    assert pipe.is_over


async def test_a_sender_that_waits_learns_it(autojump_clock: trio.abc.Clock) -> None:
    pipe = make(Faults(delay=(1, 1), buffer=1))
    await send(pipe, b"a")
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def wait() -> None:
            with pytest.raises(trio.BrokenResourceError):
                await pipe.wait_room()

        await trio.sleep(5)
        pipe.break_off("reset")
    assert trio.current_time() == 5


@pytest.mark.parametrize("how", ["reset", "end"])
async def test_breaking_wakes_who_receives(autojump_clock: trio.abc.Clock, how: str) -> None:
    pipe = make(Faults(delay=(1, 1)))
    await send(pipe, b"abc")
    pipe.break_off("reset" if how == "reset" else "end")
    with pytest.raises(trio.BrokenResourceError):
        await send(pipe, b"more")
    assert await pipe.get(None) == b"abc"  # it was under way
    if how == "reset":
        with pytest.raises(trio.BrokenResourceError):
            await pipe.get(None)
    else:
        assert await pipe.get(None) == b""


async def test_what_is_frozen_comes_behind_the_thaw(autojump_clock: trio.abc.Clock) -> None:
    frozen = False
    pipe = Pipe(Faults(delay=(1, 1), buffer=5), random.Random(1), None, lambda: frozen)
    await send(pipe, b"ab")
    frozen = True
    assert await send(pipe, b"cd") == [math.inf]
    pipe.finish()
    assert await pipe.get(None) == b"ab"
    with trio.move_on_after(1000) as scope:
        await pipe.get(None)
    assert scope.cancelled_caught
    frozen = False
    pipe.thaw()
    assert [await pipe.get(None), await pipe.get(None)] == [b"cd", b""]
    assert trio.current_time() == 1002


async def test_breaking_drops_what_is_frozen(autojump_clock: trio.abc.Clock) -> None:
    pipe = make(Faults(), frozen=True)
    await send(pipe, b"ab")
    pipe.abandon()
    assert not pipe.is_over
    pipe = make(Faults(), frozen=True)
    await send(pipe, b"ab")
    pipe.break_off("end")
    assert await pipe.get(None) == b""
