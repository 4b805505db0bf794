"""What clients send leaves in order, and together with what has waited."""

from collections.abc import Sequence

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio.testing.network.outgoing import Outgoing


async def test_what_waits_leaves_together(autojump_clock: trio.abc.Clock) -> None:
    outgoing, batches = Outgoing(), list[Sequence[str | bytes]]()

    async def transmit(packets: Sequence[str | bytes]) -> None:
        batches.append(packets)
        await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(outgoing.run, transmit)
        for number in range(4):
            nursery.start_soon(outgoing.send, [f"4{number}"])
            await wait_all_tasks_blocked()
        await trio.sleep(1.5)
        await outgoing.send(["4x", "4y"])
        assert trio.current_time() == 3
        nursery.cancel_scope.cancel()
    assert batches == [["40"], ["41", "42", "43"], ["4x", "4y"]]


async def test_who_is_cancelled_sends_nothing(autojump_clock: trio.abc.Clock) -> None:
    outgoing, batches = Outgoing(), list[Sequence[str | bytes]]()

    async def transmit(packets: Sequence[str | bytes]) -> None:
        batches.append(packets)
        await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(outgoing.run, transmit)
        with trio.move_on_after(0.5):
            await outgoing.send(["has begun"])
        with trio.move_on_after(0.2):
            await outgoing.send(["never"])
        await outgoing.send(["last"])
        nursery.cancel_scope.cancel()
    assert batches == [["has begun"], ["last"]]


async def test_nothing_leaves_during_a_pause(autojump_clock: trio.abc.Clock) -> None:
    outgoing, times = Outgoing(), list[float]()

    async def transmit(packets: Sequence[str | bytes]) -> None:
        times.append(trio.current_time())
        await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(outgoing.run, transmit)
        nursery.start_soon(outgoing.send, ["first"])
        await wait_all_tasks_blocked()
        async with outgoing.paused():
            assert trio.current_time() == 1  # what was under way has left
            nursery.start_soon(outgoing.send, ["second"])
            await trio.sleep(5)
        await outgoing.send(["third"])
        nursery.cancel_scope.cancel()
    assert times[:2] == [0, 6]


async def test_the_end_wakes_everybody(autojump_clock: trio.abc.Clock) -> None:
    outgoing = Outgoing()

    async def transmit(packets: Sequence[str | bytes]) -> None:
        await trio.sleep(1)
        raise ValueError("the connection broke")

    async def send() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await outgoing.send(["x"])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        nursery.start_soon(send)
        with pytest.raises(ValueError, match="broke"):
            await outgoing.run(transmit)
    with pytest.raises(trio.ClosedResourceError):
        await outgoing.send(["x"])
