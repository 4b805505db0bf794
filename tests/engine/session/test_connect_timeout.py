"""Patience with a client: it ends, is lost, or lasts."""

import pytest
import trio
from trio.testing import MockClock

from tests.support.held_loop import Counter
from trio_sio.engine.runtime.stalls import StallMonitor
from trio_sio.engine.runtime.timers import Timers
from trio_sio.engine.session.connect_timeout import ConnectTimeout


@pytest.mark.parametrize(
    ("seconds", "ends", "lost"), [(10.0, None, [10.0]), (10.0, 9, []), (None, None, [])]
)
async def test_timeout(
    seconds: float | None, ends: float | None, lost: list[float], autojump_clock: MockClock
) -> None:
    timers, times = Timers(), list[float]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        timeout = ConnectTimeout(
            timers, seconds, StallMonitor(None), lambda: times.append(trio.current_time())
        )
        if ends is not None:
            await trio.sleep(ends)
            timeout.cancel()
        await trio.sleep(100)
        timeout.cancel()
        assert len(timers) == 0
        nursery.cancel_scope.cancel()
    assert times == lost


async def test_what_the_loop_was_held_for_does_not_count(
    counter: Counter, autojump_clock: MockClock
) -> None:
    autojump_clock.rate = 1.0  # as everywhere but in tests: what holds the loop takes time
    timers, stalls, times = Timers(), StallMonitor(0.25), list[float]()
    with stalls.watching():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timers.run)
            ConnectTimeout(timers, 10.0, stalls, lambda: times.append(trio.current_time()))
            await trio.sleep(5)
            counter.hold(4)
            await trio.sleep(100)
            nursery.cancel_scope.cancel()
    (lost,) = times
    assert 14 <= lost < 100
