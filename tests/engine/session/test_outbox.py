"""The only door out: bounds, order, waiting, dropping."""

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import SessionStatistics
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.runtime.tick import EMITS_PER_TICK, TickFlusher
from trio_sio.engine.session.outbox import (
    BATCH_LIMIT,
    CONTROL_ALLOWANCE,
    NO_LIMIT,
    Outbox,
)
from trio_sio.exceptions import Disconnected
from trio_sio.protocol.encoded import Encoded


def item(text: str, *, droppable: bool = False) -> Encoded:
    return Encoded((text,), droppable=droppable)


def texts(items: Sequence[Encoded]) -> list[str | bytes]:
    return [one.parts[0] for one in items]


class Tap(PollingTransport):
    """A transport that can be opened and shut, and keeps what leaves."""

    unsent = False

    def __init__(self, *, is_open: bool) -> None:
        super().__init__(base64=False)
        self.writable = is_open
        self.sent: list[str | bytes] = []

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        assert self.writable
        self.sent += texts(items)


def make(tap: Tap, packets: int = 3, size: int = 100) -> Outbox:
    return Outbox(tap, packets, size, TickFlusher())


async def test_the_first_of_a_tick_leaves_at_once_and_the_others_behind_it(
    autojump_clock: MockClock,
) -> None:
    tap = Tap(is_open=True)
    outbox = make(tap)
    outbox.put_nowait(item("a"))
    assert tap.sent == ["a"]
    outbox.put_nowait(item("b"))
    outbox.put_nowait(item("c"))
    assert (tap.sent, len(outbox)) == (["a"], 2)
    outbox.flush()
    assert (tap.sent, len(outbox)) == (["a", "b", "c"], 0)


async def test_packets_are_bounded(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=2)
    outbox.put_nowait(item("a"))
    outbox.put_nowait(item("b"))
    with pytest.raises(trio.WouldBlock):
        outbox.put_nowait(item("c"))
    assert texts(outbox.take(NO_LIMIT)) == ["a", "b"]
    outbox.put_nowait(item("c"))


async def test_bytes_are_bounded_but_one_large_item_is_taken(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), size=10)
    outbox.put_nowait(item("x" * 50))
    with pytest.raises(trio.WouldBlock):
        outbox.put_nowait(item("a"))
    assert outbox.statistics(5.0).queued_bytes == outbox.statistics(5.0).peak_bytes == 50
    outbox.take(NO_LIMIT)
    outbox.put_nowait(item("x" * 6))
    outbox.put_nowait(item("é" * 2))  # four bytes
    with pytest.raises(trio.WouldBlock):
        outbox.put_nowait(item("a"))


@pytest.mark.parametrize(
    ("limit", "batches"),
    [(1, [["aaa"], ["bbb"], ["c"]]), (6, [["aaa", "bbb"], ["c"]]), (7, [["aaa", "bbb", "c"]])],
)
async def test_a_batch_is_one_item_at_least(
    limit: int, batches: list[list[str]], autojump_clock: MockClock
) -> None:
    outbox = make(Tap(is_open=False))
    for text in ("aaa", "bbb", "c"):
        outbox.put_nowait(item(text))
    assert [texts(outbox.take(limit)) for _ in batches] == batches
    assert outbox.take(limit) == []
    assert outbox.statistics(5.0).queued_bytes == 0


async def test_put_waits_for_room_in_order(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=1)
    await outbox.put(item("a"))
    done: list[float] = []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def put() -> None:
            await outbox.put(item("b"))
            done.append(trio.current_time())

        await trio.sleep(5)
        assert done == []
        assert texts(outbox.take(NO_LIMIT)) == ["a"]
        await wait_all_tasks_blocked()
        assert done == [5.0]
        assert texts(outbox.take(NO_LIMIT)) == ["b"]


async def test_cancelled_put_puts_nothing(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False))
    await outbox.put(item("a"))
    with trio.CancelScope() as scope:
        scope.cancel()
        await outbox.put(item("b"))
    assert texts(outbox.take(NO_LIMIT)) == ["a"]


async def test_a_burst_within_one_tick_fills_nothing_for_who_keeps_up() -> None:
    tap = Tap(is_open=True)
    outbox = make(tap, packets=3, size=100)
    for number in range(50):
        outbox.put_nowait(item(str(number)))
    outbox.put_nowait(item("x" * 90))
    outbox.put_nowait(item("y" * 90))
    outbox.flush()
    assert tap.sent == [*map(str, range(50)), "x" * 90, "y" * 90]
    assert outbox.statistics(5.0).peak_bytes <= 100


async def test_a_batch_that_is_large_enough_does_not_wait_for_the_end_of_the_tick() -> None:
    tap = Tap(is_open=True)
    outbox = make(tap, packets=1000, size=10**9)
    outbox.put_nowait(item("first"))
    for number in range(3):
        outbox.put_nowait(item(str(number) * (BATCH_LIMIT // 2)))
    assert len(tap.sent) == 3
    assert len(outbox) == 1


async def test_who_puts_without_end_lets_others_run(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=10**9, size=10**9)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for number in range(EMITS_PER_TICK * 2):
            await outbox.put(item(str(number)))
        assert turns > 0
        nursery.cancel_scope.cancel()


async def test_the_end_wakes_who_waits(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=1)
    await outbox.put(item("a"))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def put() -> None:
            with pytest.raises(Disconnected) as caught:
                await outbox.put(item("b"))
            assert caught.value.reason is DisconnectReason.PING_TIMEOUT

        await trio.sleep(1)
        outbox.close(DisconnectReason.PING_TIMEOUT)
    with pytest.raises(Disconnected):
        outbox.put_nowait(item("c"))
    assert not outbox.put_volatile(item("d"))
    assert texts(outbox.take(NO_LIMIT)) == ["a"]


async def test_volatile_is_dropped_unless_it_can_leave_now(autojump_clock: MockClock) -> None:
    tap = Tap(is_open=False)
    outbox = make(tap)
    assert not outbox.put_volatile(item("a"))
    tap.writable = True
    assert outbox.put_volatile(item("b"))
    outbox.put_nowait(item("c"))
    outbox.put_nowait(item("d"))  # waits for the tick's end
    assert not outbox.put_volatile(item("e"))
    assert tap.sent == ["b", "c"]
    assert outbox.statistics(5.0).dropped == 2


async def test_control_packets_find_room_up_to_a_point(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=1)
    for _ in range(CONTROL_ALLOWANCE + 50):
        outbox.put_control(item("3"))
    assert len(outbox) == 1 + CONTROL_ALLOWANCE
    outbox.close(None)
    outbox.put_control(item("3"))
    assert len(outbox) == 1 + CONTROL_ALLOWANCE


async def test_room_is_made_by_dropping_the_oldest_events_and_nothing_else(
    autojump_clock: MockClock,
) -> None:
    outbox = make(Tap(is_open=False), packets=4)
    for text, droppable in (("ack", False), ("old", True), ("own", False), ("new", True)):
        outbox.put_nowait(item(text, droppable=droppable))
    latest = item("latest", droppable=True)
    assert outbox.make_room(latest)
    outbox.put_nowait(latest)
    assert texts(outbox.take(NO_LIMIT)) == ["ack", "own", "new", "latest"]
    statistics = outbox.statistics(5.0)
    assert (statistics.dropped, statistics.queued, statistics.queued_bytes) == (1, 0, 0)


async def test_room_cannot_always_be_made(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=2)
    outbox.put_nowait(item("ack"))
    outbox.put_nowait(item("own"))
    assert not outbox.make_room(item("event", droppable=True))
    assert texts(outbox.take(NO_LIMIT)) == ["ack", "own"]


@pytest.mark.parametrize("size", [9, 10])
async def test_where_no_room_can_be_made_nothing_is_dropped(
    size: int, autojump_clock: MockClock
) -> None:
    outbox = make(Tap(is_open=False), packets=4, size=10)
    for text, droppable in (("old", True), ("ok", False), ("new", True)):
        outbox.put_nowait(item(text, droppable=droppable))
    assert not outbox.make_room(item("x" * size, droppable=True))
    assert outbox.statistics(5.0) == SessionStatistics(3, 8, 8, 0, 5.0)
    assert outbox.make_room(item("x" * 8, droppable=True))
    assert outbox.statistics(5.0) == SessionStatistics(1, 2, 8, 2, 5.0)
    assert texts(outbox.take(NO_LIMIT)) == ["ok"]


async def test_who_falls_behind_and_who_has_caught_up_is_told_once(
    autojump_clock: MockClock,
) -> None:
    told: list[tuple[bool, bool]] = []
    tap = Tap(is_open=False)
    outbox = Outbox(tap, 8, 1000, TickFlusher(), (0.5, 0.25))
    outbox.on_backlog = lambda is_behind: told.append((is_behind, outbox.is_behind))
    for number in range(4):
        outbox.put_nowait(item(str(number)))
        outbox.flush()
    assert (told, outbox.is_behind) == ([], False)  # it is at the mark, not above
    for number in range(4, 8):
        outbox.put_nowait(item(str(number)))
        outbox.flush()
    assert told == [(True, True)]
    assert outbox.statistics(5.0).is_behind
    for _ in range(5):
        outbox.take(1)
    assert told == [(True, True)]  # three wait, two may
    outbox.take(1)
    outbox.flush()
    assert told == [(True, True), (False, False)]
    assert not outbox.statistics(5.0).is_behind
    outbox.take(NO_LIMIT)
    outbox.put_nowait(item("x" * 501))  # bytes count as well
    outbox.flush()
    assert len(told) == 3


async def test_a_burst_that_leaves_with_the_tick_puts_nobody_behind() -> None:
    told: list[bool] = []
    outbox = make(Tap(is_open=True), packets=4)
    outbox.on_backlog = told.append
    for number in range(4):
        outbox.put_nowait(item(str(number)))
    assert outbox.level() > 0.5
    outbox.flush()
    assert told == []


async def test_at_the_end_nobody_catches_up(autojump_clock: MockClock) -> None:
    told: list[bool] = []
    outbox = make(Tap(is_open=False), packets=2)
    outbox.on_backlog = told.append
    for _ in range(2):
        outbox.put_nowait(item("a"))
    outbox.flush()
    outbox.close(DisconnectReason.FORCED_CLOSE)
    outbox.take(NO_LIMIT)
    assert told == [True]


async def test_what_is_discarded_is_gone(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False))
    outbox.put_nowait(item("a"))
    outbox.discard()
    assert outbox.is_clear
    assert outbox.statistics(5.0).queued_bytes == 0
