"""The heartbeat task of one session, which pings, and notices a client's silence.

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

    def ping(self) -> None:
        """Ask the client whether it is there."""

    def time_out(self, silent: float) -> None:
        """End the session: the client has been silent for `silent` seconds."""


async def beat(session: Beating, runtime: Runtime) -> None:
    """Ping where the server has to, and end the session once the client's silence lasts too long.

    Pings leave a little early, so that those of many clients leave in one turn of the event loop.

    A ping is timed by the answer to the one before. Nobody wakes this task for an answer, so it
    looks again before that ping can be due: that is earlier than the end of the client's time if
    `ping_interval` is less than `ping_timeout`.

    While the handler does not receive, the clock stands, unless the client does not take what is
    queued for it, or has left as far as its transport can see without reading.

    Args:
        session: the client's.
        runtime: the engine's, which wakes this task and knows when the loop was held.
    """
    state = session.state
    deadline = runtime.timers.share(state.deadline, state.early)
    now = trio.current_time()
    while not state.is_closed:
        await runtime.timers.sleep_until(min(deadline, state.soonest_ping(now)))
        now = trio.current_time()
        if state.is_closed:
            return
        if now < deadline and not state.is_ping_due_next:
            continue  # the answer has not come
        if now < state.deadline - state.early:
            deadline = runtime.timers.share(state.deadline, state.early)
        elif state.is_ping_due_next:
            session.ping()
            deadline = runtime.timers.share(state.deadline, state.early)
        elif now - deadline > STALL:
            deadline = now + state.silence_limit
        elif not (session.is_listening or _has_left(session, now)):
            state.touch(now)  # it is our own handler that does not listen
            deadline = state.deadline
        elif not state.version.client_pings and _is_taking(session, now):
            state.touch(now)  # our ping waits behind what the client has yet to take
            deadline = state.deadline
        elif now < (later := state.deadline + runtime.stalls.lost_since(state.last_seen)):
            deadline = later
        else:
            session.time_out(now - state.last_seen)


def _has_left(session: Beating, now: float) -> bool:
    """Whether one can see that a client has left, though the handler does not receive."""
    outbox, limit = session.outbox, session.state.silence_limit
    return outbox.is_stuck(now, limit) or outbox.transport.is_gone(now, limit)


def _is_taking(session: Beating, now: float) -> bool:
    """Whether a client is slow: something waits for it, of which it took a part not long ago."""
    outbox = session.outbox
    return not (outbox.is_idle or outbox.is_stuck(now, session.state.silence_limit))
