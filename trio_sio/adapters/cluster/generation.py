"""Generations of servers in JavaScript, which speak to each other in different formats."""

from enum import IntEnum


class Generation(IntEnum):
    """Of Socket.IO, whose servers in JavaScript a server shares a cluster with."""

    OF_2 = 2
    """Those of Socket.IO 2.x, with socket.io-redis 5."""
    OF_4 = 4
    """Those of Socket.IO 4.x, with @socket.io/redis-adapter 7 or 8."""
