"""What the clients, namespaces and sockets of one server share."""

from typing import NamedTuple

from trio_sio.counters import Counters
from trio_sio.logs.throttle import LogThrottle
from trio_sio.router.limits import Limits


class RouterContext(NamedTuple):
    """One for each server; nobody changes it.

    Attributes:
        limits: of what one client may have and send.
        max_inbox: events that may wait for one socket's handlers.
        grace: seconds that handlers get at the end of their socket.
        log: the server's log.
        counters: the server's counters.
    """

    limits: Limits
    max_inbox: int
    grace: float
    log: LogThrottle
    counters: Counters
