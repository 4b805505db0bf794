"""Sleeping by the timers of an engine."""

import trio

from trio_sio.engine.runtime.timers import Timers


async def sleep_until(timers: Timers, deadline: float) -> None:
    """As `trio.sleep_until`; only while the timers run is anybody woken."""
    over = trio.Event()
    timer = timers.call_at(deadline, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()
