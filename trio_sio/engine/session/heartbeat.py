"""The heartbeat of one session, which notices a client's silence.

A client is not blamed for pings that we had no time to read: the time for which the event loop was
held, or stood still, does not count.
"""

from typing import TYPE_CHECKING, Protocol

import trio

from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.outbox import Outbox
from trio_sio.protocol.engineio.state import SessionState

if TYPE_CHECKING:
    from trio_sio.engine.runtime.timers import Timer

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


class Heartbeat:
    """Ends a session once its client's silence lasts too long; a context manager.

    While the handler does not receive, the clock stands, unless the client does not take what is
    queued for it, or has left as far as its transport can see without reading.

    It is a timer, since a task that sleeps takes 2 kB. Only when a client is late does a task
    begin, one turn of the event loop later: by then has been read what came meanwhile.

    Args:
        session: the client's.
        runtime: the engine's; calls the timer, and knows when the loop was held.
        nursery: where that task runs.
    """

    __slots__ = ("_deadline", "_nursery", "_runtime", "_session", "_timer")

    def __init__(self, session: Beating, runtime: Runtime, nursery: trio.Nursery) -> None:
        self._session = session
        self._runtime = runtime
        self._nursery = nursery
        self._deadline = session.state.deadline
        self._timer: Timer | None = None

    def __enter__(self) -> None:
        self._wait_until(self._session.state.deadline)

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait_until(self, deadline: float) -> None:
        self._deadline = deadline
        self._timer = self._runtime.timers.call_at(deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        state = self._session.state
        if state.is_closed:
            return
        if trio.current_time() < state.deadline:  # as a rule: something was heard meanwhile
            self._wait_until(state.deadline)
        else:
            self._nursery.start_soon(self._judge)

    async def _judge(self) -> None:
        """Decide whether a client that is late is gone."""
        session, state, now = self._session, self._session.state, trio.current_time()
        if state.is_closed:
            return
        if now < state.deadline:
            self._wait_until(state.deadline)
        elif now - self._deadline > STALL:
            self._wait_until(now + state.silence_limit)
        elif not (session.is_listening or _has_left(session, now)):
            state.touch(now)  # it is our own handler that does not listen
            self._wait_until(state.deadline)
        elif now < (later := state.deadline + self._runtime.stalls.lost_since(state.last_seen)):
            self._wait_until(later)
        else:
            session.time_out(now - state.last_seen)


def _has_left(session: Beating, now: float) -> bool:
    """Whether one can see that a client has left, though the handler does not receive."""
    outbox, limit = session.outbox, session.state.silence_limit
    return outbox.is_stuck(now, limit) or outbox.transport.is_gone(now, limit)
