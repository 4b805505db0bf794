"""The task that notices a client's silence; the table of states owns the time.

A client is not blamed for pings that we had no time to read: the time that the event loop has been
held, or stood still, does not count.
"""

from typing import Protocol

import trio

from trio_sio.engine.runtime.stalls import StallMonitor
from trio_sio.engine.runtime.timers import Timers
from trio_sio.engine.session.outbox import Outbox
from trio_sio.protocol.engineio.state import SessionState

STALL = 0.5
"""Seconds by which the heartbeat may wake late before it believes that the event loop stood
still. What has come meanwhile has yet to be read, and nobody knows since when it stood."""


class Beating(Protocol):
    """A session, as far as its heartbeat cares."""

    state: SessionState
    outbox: Outbox
    timers: Timers
    stalls: StallMonitor
    is_listening: bool

    def time_out(self, silent: float) -> None:
        """End: the client has been silent for so many seconds."""


async def beat(session: Beating) -> None:
    """Wait for the client's silence to last too long.

    While the handler does not receive the clock stands, unless the client does not take what waits
    for it, or has gone as far as its transport can see without reading.
    """
    state = session.state
    deadline = state.deadline
    while not state.is_closed:
        await session.timers.sleep_until(deadline)
        now = trio.current_time()
        if state.is_closed:
            return
        if now < state.deadline:
            deadline = state.deadline
        elif now - deadline > STALL:
            deadline = now + state.silence_limit
        elif not (session.is_listening or _has_left(session, now)):
            state.touch(now)  # it is our own handler that does not listen
            deadline = state.deadline
        elif now < (later := state.deadline + session.stalls.lost_since(state.last_seen)):
            deadline = later
        else:
            session.time_out(now - state.last_seen)


def _has_left(session: Beating, now: float) -> bool:
    """Whether it shows that a client has left, though nobody listens to it."""
    outbox, limit = session.outbox, session.state.silence_limit
    return outbox.is_stuck(now, limit) or outbox.transport.is_gone(now, limit)
