"""Tools for tests, of applications and of trio_sio itself.

connect         a client in memory: packets, no bytes, no port
WireClient      real bytes over a stream in memory
strategies      Hypothesis strategies for packets and payloads (extra `testing`)
"""

from trio_sio.testing.client import (
    MemoryClient as MemoryClient,
    connect as connect,
)
