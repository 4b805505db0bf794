"""Where the lines about one session go."""

from typing import NamedTuple

from trio_sio.logs.events import EventLog, event_log
from trio_sio.logs.throttle import LogThrottle
from trio_sio.logs.wire import WireLog, wire_log


class SessionLog(NamedTuple):
    """What one session says.

    Attributes:
        throttle: what an operator reads; the engine's.
        wire: the session's packets; `None` if nobody wants to see them.
        events: what becomes of the session; `None` if nobody wants to know.
    """

    throttle: LogThrottle
    wire: WireLog | None = None
    events: EventLog | None = None

    def of(self, sid: str) -> "SessionLog":
        """Return that of a new session; the same for all of which nobody wants to know more."""
        wire, events = wire_log(sid), event_log(sid)
        return self if wire is None and events is None else SessionLog(self.throttle, wire, events)
