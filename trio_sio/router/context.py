"""What the clients, namespaces and sockets of one server share."""

from typing import NamedTuple

from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import ServerOptions
from trio_sio.statistics import Counters
from trio_sio.sync import Home


class RouterContext(NamedTuple):
    """One for each server; nobody changes it.

    Attributes:
        options: the server's options. Those of the engine are not read here: a server that is
            given an engine does not have them.
        grace: seconds that handlers get at the end of their socket.
        home: the Trio run in which the server serves.
        log: the server's log.
        counters: the server's counters.
    """

    options: ServerOptions
    grace: float
    home: Home
    log: LogThrottle
    counters: Counters
