"""The channel between a client's reader and a socket's task: bounded, in order, closed for good."""

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.router.inbox import Inbox
from trio_sio.router.order import EventOrder


def event(number: int) -> Packet:
    return Packet(PacketType.EVENT, "/", ["x", number])


async def drain(inbox: Inbox) -> list[object]:
    """What comes until the inbox is closed and empty."""
    return [packet.args[0] async for packet in inbox]


async def test_what_waits_comes_in_order_and_then_the_end() -> None:
    inbox = Inbox(3, EventOrder())
    for number in range(3):
        inbox.send_nowait(event(number))
    with pytest.raises(trio.WouldBlock):
        inbox.send_nowait(event(3))
    inbox.close()
    with pytest.raises(trio.ClosedResourceError):
        inbox.send_nowait(event(4))
    with pytest.raises(trio.ClosedResourceError):
        await inbox.send(event(5))
    assert len(inbox) == 3
    assert await drain(inbox) == [0, 1, 2]
    with pytest.raises(trio.EndOfChannel):
        await inbox.receive()


async def test_a_reader_that_waits_is_woken(autojump_clock: MockClock) -> None:
    inbox = Inbox(2, EventOrder())
    taken: list[object] = []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def read() -> None:
            taken.extend(await drain(inbox))
            taken.append("end")

        await wait_all_tasks_blocked()
        inbox.send_nowait(event(1))
        inbox.send_nowait(event(2))  # before the reader has run
        with pytest.raises(trio.WouldBlock):
            inbox.send_nowait(event(3))
        await wait_all_tasks_blocked()
        assert len(inbox) == 0
        inbox.close()
    assert taken == [1, 2, "end"]


async def test_a_writer_waits_for_room(autojump_clock: MockClock) -> None:
    inbox = Inbox(1, EventOrder())
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def write() -> None:
            for number in range(20):
                await inbox.send(event(number))
            inbox.close()

        await trio.sleep(1)
        assert len(inbox) == 1
        assert await drain(inbox) == list(range(20))


async def test_the_end_frees_a_writer_that_waits(autojump_clock: MockClock) -> None:
    inbox = Inbox(1, EventOrder())
    inbox.send_nowait(event(1))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def write() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await inbox.send(event(2))

        await wait_all_tasks_blocked()
        inbox.close()
    assert await drain(inbox) == [1]


async def test_whoever_is_cancelled_takes_and_sends_nothing(
    autojump_clock: MockClock,
) -> None:
    inbox = Inbox(1, EventOrder())
    with trio.move_on_after(1) as waiting:
        await inbox.receive()
    assert waiting.cancelled_caught
    inbox.send_nowait(event(1))  # nobody is woken, nothing is lost
    with trio.move_on_after(1) as full:
        await inbox.send(event(2))
    assert full.cancelled_caught
    with trio.CancelScope() as scope:
        scope.cancel()
        await inbox.receive()
    assert scope.cancelled_caught
    inbox.close()
    assert await drain(inbox) == [1]


async def test_receiving_without_waiting_asks_for_the_turn() -> None:
    order = EventOrder()
    first, second = Inbox(2, order), Inbox(2, order)
    first.send_nowait(event(1))
    second.send_nowait(event(2))
    assert first.receive_nowait().args == [1]  # and has the turn
    with pytest.raises(trio.WouldBlock):
        second.receive_nowait()
    order.pass_on(first)
    assert second.receive_nowait().args == [2]


@given(sizes=st.lists(st.integers(0, 5), max_size=20), limit=st.integers(1, 4))
def test_everything_arrives_once(sizes: list[int], limit: int) -> None:
    """Bursts of any size through an inbox of any size, whoever has to wait."""

    async def main() -> list[object]:
        inbox = Inbox(limit, EventOrder())
        numbers = iter(range(1000))
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def write() -> None:
                for size in sizes:
                    for _ in range(size):
                        await inbox.send(event(next(numbers)))
                    await trio.sleep(0.1)
                inbox.close()

            return await drain(inbox)

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == list(range(sum(sizes)))
