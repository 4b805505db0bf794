"""The outgoing queue: bounds, order, waiting, dropping, and items that do not fit."""

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.engine.session.outboxes import Owner, make_outbox
from trio_sio import SessionStatistics
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.runtime.tick import EMITS_PER_TICK
from trio_sio.engine.session.outbox import (
    BATCH_LIMIT,
    CONTROL_ALLOWANCE,
    NO_LIMIT,
    Outbox,
)
from trio_sio.exceptions import Disconnected
from trio_sio.options import OVERFLOW_POLICIES
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
    return make_outbox(tap, packets, size)


async def test_the_first_of_a_tick_leaves_at_once_and_the_others_behind_it(
    autojump_clock: MockClock,
) -> None:
    tap = Tap(is_open=True)
    outbox = make(tap)
    outbox.send_nowait(item("a"))
    assert tap.sent == ["a"]
    outbox.send_nowait(item("b"))
    outbox.send_nowait(item("c"))
    assert (tap.sent, len(outbox)) == (["a"], 2)
    outbox.flush()
    assert (tap.sent, len(outbox)) == (["a", "b", "c"], 0)


async def test_packets_are_bounded(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=2)
    outbox.send_nowait(item("a"))
    outbox.send_nowait(item("b"))
    with pytest.raises(trio.WouldBlock):
        outbox.send_nowait(item("c"))
    assert texts(outbox.take(NO_LIMIT)) == ["a", "b"]
    outbox.send_nowait(item("c"))


async def test_bytes_are_bounded_but_one_large_item_is_taken(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), size=10)
    outbox.send_nowait(item("x" * 50))
    with pytest.raises(trio.WouldBlock):
        outbox.send_nowait(item("a"))
    assert outbox.statistics(5.0).queued_bytes == outbox.statistics(5.0).peak_bytes == 50
    outbox.take(NO_LIMIT)
    outbox.send_nowait(item("x" * 6))
    outbox.send_nowait(item("é" * 2))  # four bytes
    with pytest.raises(trio.WouldBlock):
        outbox.send_nowait(item("a"))


@pytest.mark.parametrize(
    ("limit", "batches"),
    [(1, [["aaa"], ["bbb"], ["c"]]), (6, [["aaa", "bbb"], ["c"]]), (7, [["aaa", "bbb", "c"]])],
)
async def test_a_batch_is_one_item_at_least(
    limit: int, batches: list[list[str]], autojump_clock: MockClock
) -> None:
    outbox = make(Tap(is_open=False))
    for text in ("aaa", "bbb", "c"):
        outbox.send_nowait(item(text))
    assert [texts(outbox.take(limit)) for _ in batches] == batches
    assert outbox.take(limit) == []
    assert outbox.statistics(5.0).queued_bytes == 0


async def test_put_waits_for_room_in_order(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=1)
    await outbox.send(item("a"))
    done: list[float] = []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def put() -> None:
            await outbox.send(item("b"))
            done.append(trio.current_time())

        await trio.sleep(5)
        assert done == []
        assert texts(outbox.take(NO_LIMIT)) == ["a"]
        await wait_all_tasks_blocked()
        assert done == [5.0]
        assert texts(outbox.take(NO_LIMIT)) == ["b"]


async def test_cancelled_put_puts_nothing(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False))
    await outbox.send(item("a"))
    with trio.CancelScope() as scope:
        scope.cancel()
        await outbox.send(item("b"))
    assert texts(outbox.take(NO_LIMIT)) == ["a"]


async def test_a_burst_within_one_tick_fills_nothing_for_who_keeps_up() -> None:
    tap = Tap(is_open=True)
    outbox = make(tap, packets=3, size=100)
    for number in range(50):
        outbox.send_nowait(item(str(number)))
    outbox.send_nowait(item("x" * 90))
    outbox.send_nowait(item("y" * 90))
    outbox.flush()
    assert tap.sent == [*map(str, range(50)), "x" * 90, "y" * 90]
    assert outbox.statistics(5.0).peak_bytes <= 100


async def test_a_batch_that_is_large_enough_does_not_wait_for_the_end_of_the_tick() -> None:
    tap = Tap(is_open=True)
    outbox = make(tap, packets=1000, size=10**9)
    outbox.send_nowait(item("first"))
    for number in range(3):
        outbox.send_nowait(item(str(number) * (BATCH_LIMIT // 2)))
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
            await outbox.send(item(str(number)))
        assert turns > 0
        nursery.cancel_scope.cancel()


async def test_the_end_wakes_who_waits(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=1)
    await outbox.send(item("a"))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def put() -> None:
            with pytest.raises(Disconnected) as caught:
                await outbox.send(item("b"))
            assert caught.value.reason is DisconnectReason.PING_TIMEOUT

        await trio.sleep(1)
        outbox.close(DisconnectReason.PING_TIMEOUT)
    with pytest.raises(Disconnected):
        outbox.send_nowait(item("c"))
    assert not outbox.send_volatile(item("d"))
    assert texts(outbox.take(NO_LIMIT)) == ["a"]


async def test_volatile_is_dropped_unless_it_can_leave_now(autojump_clock: MockClock) -> None:
    tap = Tap(is_open=False)
    outbox = make(tap)
    assert not outbox.send_volatile(item("a"))
    tap.writable = True
    assert outbox.send_volatile(item("b"))
    outbox.send_nowait(item("c"))
    outbox.send_nowait(item("d"))  # waits for the tick's end
    assert not outbox.send_volatile(item("e"))
    assert tap.sent == ["b", "c"]
    assert outbox.statistics(5.0).dropped == 2


async def test_control_packets_find_room_up_to_a_point(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=1)
    for _ in range(CONTROL_ALLOWANCE + 50):
        outbox.send_control(item("3"))
    assert len(outbox) == 1 + CONTROL_ALLOWANCE
    outbox.close(None)
    outbox.send_control(item("3"))
    assert len(outbox) == 1 + CONTROL_ALLOWANCE


async def test_room_is_made_by_dropping_the_oldest_events_and_nothing_else(
    autojump_clock: MockClock,
) -> None:
    outbox = make(Tap(is_open=False), packets=4)
    for text, droppable in (("ack", False), ("old", True), ("own", False), ("new", True)):
        outbox.send_nowait(item(text, droppable=droppable))
    latest = item("latest", droppable=True)
    assert outbox.make_room(latest)
    outbox.send_nowait(latest)
    assert texts(outbox.take(NO_LIMIT)) == ["ack", "own", "new", "latest"]
    statistics = outbox.statistics(5.0)
    assert (statistics.dropped, statistics.queued, statistics.queued_bytes) == (1, 0, 0)


async def test_room_cannot_always_be_made(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=2)
    outbox.send_nowait(item("ack"))
    outbox.send_nowait(item("own"))
    assert not outbox.make_room(item("event", droppable=True))
    assert texts(outbox.take(NO_LIMIT)) == ["ack", "own"]


@pytest.mark.parametrize("size", [9, 10])
async def test_where_no_room_can_be_made_nothing_is_dropped(
    size: int, autojump_clock: MockClock
) -> None:
    outbox = make(Tap(is_open=False), packets=4, size=10)
    for text, droppable in (("old", True), ("ok", False), ("new", True)):
        outbox.send_nowait(item(text, droppable=droppable))
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
    owner = Owner()
    outbox = make_outbox(tap, 8, 1000, owner)
    owner.on_backlog = lambda is_behind: told.append((is_behind, outbox.is_behind))
    for number in range(4):
        outbox.send_nowait(item(str(number)))
        outbox.flush()
    assert (told, outbox.is_behind) == ([], False)  # it is at the mark, not above
    for number in range(4, 8):
        outbox.send_nowait(item(str(number)))
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
    outbox.send_nowait(item("x" * 501))  # bytes count as well
    outbox.flush()
    assert len(told) == 3


async def test_a_burst_that_leaves_with_the_tick_puts_nobody_behind() -> None:
    owner = Owner()
    outbox = make_outbox(Tap(is_open=True), 4, 100, owner)
    for number in range(4):
        outbox.send_nowait(item(str(number)))
    assert outbox.level() > 0.5
    outbox.flush()
    assert owner.backlogs == []


async def test_at_the_end_nobody_catches_up(autojump_clock: MockClock) -> None:
    owner = Owner()
    outbox = make_outbox(Tap(is_open=False), 2, 100, owner)
    for _ in range(2):
        outbox.send_nowait(item("a"))
    outbox.flush()
    outbox.close(DisconnectReason.FORCED_CLOSE)
    outbox.take(NO_LIMIT)
    assert owner.backlogs == [True]


async def test_what_is_discarded_is_gone(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False))
    outbox.send_nowait(item("a"))
    outbox.discard()
    assert outbox.is_idle
    assert outbox.statistics(5.0).queued_bytes == 0


async def test_nothing_else_is_sent_while_others_wait_for_room(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), size=10)
    outbox.send_nowait(item("xxxxxx"))
    waiting = outbox.enqueue(item("too large"))
    assert waiting is not None
    with pytest.raises(trio.WouldBlock):
        outbox.send_nowait(item("a"))  # though it would fit
    waiting.withdraw()
    outbox.send_nowait(item("a"))


async def test_messages_are_sent_as_they_are(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False))
    await outbox.send("text")
    outbox.send_nowait(b"bytes")
    assert texts(outbox.take(NO_LIMIT)) == ["4text", b"bytes"]
    with pytest.raises(TypeError):
        await outbox.send(5)  # type: ignore[arg-type]


async def test_what_is_queued_goes_on_by_another_transport() -> None:
    former, tap = Tap(is_open=False), Tap(is_open=True)
    outbox = make(former)
    outbox.send_nowait(item("a"))
    outbox.switch(tap)
    assert tap.sent == []
    outbox.flush()
    assert (former.sent, tap.sent) == ([], ["a"])


async def test_what_is_raised_at_the_end_of_a_tick_is_the_sessions() -> None:
    owner = Owner()
    outbox = make_outbox(Tap(is_open=False), 1, 100, owner)
    outbox.send_nowait(item("a"))
    error = ZeroDivisionError()

    def fail(is_behind: bool) -> None:
        raise error

    owner.on_backlog = fail
    outbox.flush()
    assert owner.failures == [error]


# -- items of broadcasts that do not fit -----------------------------------------------------------

WHY = Explanation("3 packets wait for a client that does not take them", "max_outbox", 2, 3)


def behind(owner: Owner, *, droppable: bool = True) -> Outbox:
    outbox = make_outbox(PollingTransport(base64=False), 2, 100, owner)
    for text in ("old", "new"):
        outbox.send_nowait(item(text, droppable=droppable))
    return outbox


def latest(policy: str = "", text: str = "latest") -> Encoded:
    return Encoded((text,), droppable=True, on_overflow=policy)


@pytest.mark.parametrize("policy", ["", "disconnect"])
async def test_by_default_the_client_is_disconnected(policy: str) -> None:
    owner = Owner()
    outbox = behind(owner)
    outbox.deliver(latest(policy))
    assert owner.slow == [WHY]
    assert owner.limits == []  # its end counts
    assert texts(outbox.take(NO_LIMIT)) == ["old", "new"]


@pytest.mark.parametrize(
    ("policy", "kept"), [("drop_newest", ["old", "new"]), ("drop_oldest", ["new", "latest"])]
)
async def test_or_something_is_dropped_and_counted(policy: str, kept: list[str]) -> None:
    owner = Owner()
    outbox = behind(owner)
    outbox.deliver(latest(policy))
    assert owner.slow == []
    assert owner.limits == ["max_outbox"]
    assert outbox.dropped == 1
    assert texts(outbox.take(NO_LIMIT)) == kept


async def test_what_is_no_broadcast_makes_no_room() -> None:
    outbox = behind(Owner(), droppable=False)
    outbox.deliver(latest("drop_oldest"))
    assert outbox.dropped == 1
    assert texts(outbox.take(NO_LIMIT)) == ["old", "new"]


async def test_the_limit_of_bytes_is_named_where_it_was() -> None:
    owner = Owner()
    outbox = behind(owner)
    outbox.take(1)
    outbox.deliver(latest("drop_newest", "x" * 98))
    assert owner.limits == ["max_outbox_bytes"]


def test_these_are_all_policies() -> None:
    assert OVERFLOW_POLICIES == ("disconnect", "drop_newest", "drop_oldest")
