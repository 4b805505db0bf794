"""What the clients, namespaces and sockets of one server share."""

from typing import NamedTuple

from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import ServerOptions
from trio_sio.statistics import Counters


class RouterContext(NamedTuple):
    """One for each server; nobody changes it.

    Attributes:
        options: the server's options. Those of the engine are not read here: a server that is
            given an engine does not have them.
        grace: seconds that handlers get at the end of their socket.
        log: the server's log.
        counters: the server's counters.
    """

    options: ServerOptions
    grace: float
    log: LogThrottle
    counters: Counters
