"""Patience with a client: it ends, is lost, or lasts."""

import pytest
import trio
from trio.testing import MockClock

from tests.held_loop import Counter
from trio_sio.engine.alarm import Alarm
from trio_sio.engine.patience import Patience
from trio_sio.engine.watch import Watch


@pytest.mark.parametrize(
    ("seconds", "ends", "lost"), [(10.0, None, [10.0]), (10.0, 9, []), (None, None, [])]
)
async def test_patience(
    seconds: float | None, ends: float | None, lost: list[float], autojump_clock: MockClock
) -> None:
    alarm, times = Alarm(), list[float]()
    patience = Patience(alarm, seconds, Watch(None))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarm.run)
        patience.begin(lambda: times.append(trio.current_time()))
        if ends is not None:
            await trio.sleep(ends)
            patience.end()
        await trio.sleep(100)
        patience.end()
        assert len(alarm) == 0
        nursery.cancel_scope.cancel()
    assert times == lost


async def test_what_the_loop_was_held_for_does_not_count(
    counter: Counter, autojump_clock: MockClock
) -> None:
    autojump_clock.rate = 1.0  # as everywhere but in tests: what holds the loop takes time
    alarm, watch, times = Alarm(), Watch(0.25), list[float]()
    patience = Patience(alarm, 10.0, watch)
    with watch.watching():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(alarm.run)
            patience.begin(lambda: times.append(trio.current_time()))
            await trio.sleep(5)
            counter.hold(4)
            await trio.sleep(100)
            nursery.cancel_scope.cancel()
    (lost,) = times
    assert 14 <= lost < 100
