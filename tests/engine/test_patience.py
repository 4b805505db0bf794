"""Patience with a client: it ends, is lost, or lasts."""

import pytest
import trio
from trio.testing import MockClock

from trio_sio.engine.alarm import Alarm
from trio_sio.engine.patience import Patience


@pytest.mark.parametrize(
    ("seconds", "ends", "lost"), [(10.0, None, [10.0]), (10.0, 9, []), (None, None, [])]
)
async def test_patience(
    seconds: float | None, ends: float | None, lost: list[float], autojump_clock: MockClock
) -> None:
    alarm, times = Alarm(), list[float]()
    patience = Patience(alarm, seconds)
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
