"""The heartbeat task of one session, which notices a client's silence.

A client is not blamed for pings that we had no time to read: the time for which the event loop was
held, or stood still, does not count.
"""

from typing import Protocol

import trio

from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.outbox import Outbox
from trio_sio.protocol.engineio.state import SessionState

STALL = 0.5
"""Seconds by which the heartbeat may wake late before it assumes that the event loop stood still.
What has come meanwhile is still unread, and nobody knows since when it stood."""


class Beating(Protocol):
    """A session, as far as its heartbeat cares."""

    state: SessionState
    outbox: Outbox
    is_listening: bool

    def time_out(self, silent: float) -> None:
        """End the session: the client has been silent for `silent` seconds."""


async def beat(session: Beating, runtime: Runtime) -> None:
    """End the session once the client's silence lasts too long.

    While the handler does not receive, the clock stands, unless the client does not take what is
    queued for it, or has left as far as its transport can see without reading.

    Args:
        session: the client's.
        runtime: the engine's, which wakes this task and knows when the loop was held.
    """
    state = session.state
    deadline = state.deadline
    while not state.is_closed:
        await runtime.timers.sleep_until(deadline)
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
        elif now < (later := state.deadline + runtime.stalls.lost_since(state.last_seen)):
            deadline = later
        else:
            session.time_out(now - state.last_seen)


def _has_left(session: Beating, now: float) -> bool:
    """Whether one can see that a client has left, though the handler does not receive."""
    outbox, limit = session.outbox, session.state.silence_limit
    return outbox.is_stuck(now, limit) or outbox.transport.is_gone(now, limit)
