"""The line before a full outbox: first come, first served, and nobody else is woken."""

from collections import deque

import pytest
import trio
from hypothesis import HealthCheck, given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.engine.session.test_outbox import Tap, item, make, texts
from tests.support.examples import examples
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.session.outbox import NO_LIMIT
from trio_sio.engine.session.waiting import WaitingItem, WaitingLine
from trio_sio.exceptions import Disconnected


async def test_an_item_may_wait_without_a_task(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=1)
    assert outbox.enqueue(item("a")) is None
    waiting = outbox.enqueue(item("b"))
    assert waiting is not None
    assert outbox.is_waited_for
    assert texts(outbox.take(NO_LIMIT)) == ["a"]
    await waiting.wait()  # it is in: nothing to wait for
    assert not outbox.is_waited_for
    assert texts(outbox.take(NO_LIMIT)) == ["b"]


async def test_nobody_overtakes_those_who_wait(autojump_clock: MockClock) -> None:
    """Not even with an item for which there would be room."""
    outbox = make(Tap(is_open=False), size=10)
    outbox.send_nowait(item("xxxxxx"))
    assert outbox.enqueue(item("too large")) is not None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outbox.send, item("b"))
        await wait_all_tasks_blocked()
        assert outbox.enqueue(item("c")) is not None
        assert len(outbox) == 1
        assert texts(outbox.take(NO_LIMIT)) == ["xxxxxx"]
        await wait_all_tasks_blocked()
        assert texts(outbox.take(NO_LIMIT)) == ["too large", "b"]
        assert texts(outbox.take(NO_LIMIT)) == ["c"]


async def test_a_broadcast_and_control_packets_do_not_wait_in_line(
    autojump_clock: MockClock,
) -> None:
    outbox = make(Tap(is_open=False), size=10)
    outbox.send_nowait(item("xxxxxx"))
    assert outbox.enqueue(item("too large")) is not None
    outbox.deliver(item("a"))
    outbox.send_control(item("b"))
    assert texts(outbox.take(NO_LIMIT)) == ["xxxxxx", "a", "b"]
    assert texts(outbox.take(NO_LIMIT)) == ["too large"]


async def test_the_end_ends_all_waiting(autojump_clock: MockClock) -> None:
    outbox = make(Tap(is_open=False), packets=1)
    outbox.send_nowait(item("a"))
    waiting = outbox.enqueue(item("b"))
    assert waiting is not None
    ended = []

    async def put() -> None:
        with pytest.raises(Disconnected) as raised:
            await outbox.send(item("c"))
        ended.append(raised.value.reason)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(put)
        await wait_all_tasks_blocked()
        outbox.close(DisconnectReason.PING_TIMEOUT)
        with pytest.raises(Disconnected):
            await waiting.wait()
        with pytest.raises(Disconnected):
            outbox.enqueue(item("d"))
    assert ended == [DisconnectReason.PING_TIMEOUT]
    assert texts(outbox.take(NO_LIMIT)) == ["a"]


async def test_as_many_are_woken_as_there_is_room_for(autojump_clock: MockClock) -> None:
    """A thousand that wait for one place cost one wake-up for each place, not a thousand."""
    outbox = make(Tap(is_open=False), packets=1)
    outbox.send_nowait(item("first"))
    woken = []

    async def put(number: int) -> None:
        await outbox.send(item(str(number)))
        woken.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(1000):
            nursery.start_soon(put, number)
            await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        for number in range(1000):
            outbox.take(NO_LIMIT)
            await wait_all_tasks_blocked()
            assert woken == list(range(number + 1))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 12)),
        st.tuples(st.just("enqueue"), st.integers(1, 12)),
        st.tuples(st.just("cancel"), st.integers(0, 5)),
        st.tuples(st.just("take"), st.integers(1, 30)),
    ),
    max_size=40,
)


@examples(100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_what_is_not_withdrawn_comes_out_in_the_order_of_asking(
    autojump_clock: MockClock, steps: list[tuple[str, int]]
) -> None:
    outbox = make(Tap(is_open=False), packets=3, size=20)
    asked: list[str] = []
    taken: list[str | bytes] = []
    scopes: deque[tuple[str, trio.CancelScope]] = deque()
    inside: set[str] = set()

    async def put(text: str, scope: trio.CancelScope) -> None:
        with scope:
            await outbox.send(item(text))
            inside.add(text)
        if scope.cancelled_caught:
            asked.remove(text)

    async with trio.open_nursery() as nursery:
        for number, (step, size) in enumerate(steps):
            text = f"{number:02}" + "x" * size
            if step == "put":
                asked.append(text)
                scopes.append((text, trio.CancelScope()))
                nursery.start_soon(put, *scopes[-1])
            elif step == "enqueue":
                asked.append(text)
                outbox.enqueue(item(text))
            elif step == "take":
                taken += texts(outbox.take(size))
            elif size < len(scopes) and scopes[size][0] not in inside:
                scopes[size][1].cancel()
            await wait_all_tasks_blocked()
            assert len(outbox) <= 3
        while outbox:
            taken += texts(outbox.take(NO_LIMIT))
        await wait_all_tasks_blocked()
    assert taken == asked
    assert not outbox.is_waited_for


async def test_whoever_is_cancelled_leaves_the_line(autojump_clock: MockClock) -> None:
    line = WaitingLine()
    waiting: WaitingItem = line.append(item("a"))
    assert line.first is waiting.item
    with trio.move_on_after(1):
        await waiting.wait()
    assert not line
