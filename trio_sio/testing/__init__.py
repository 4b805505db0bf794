"""Tools for tests, of applications and of trio_sio itself.

connect         a client in memory: packets, no bytes, no port
open_wire       clients of bytes over streams in memory: HTTP, long polling, WebSocket
cluster         servers of one process as one cluster (extra `msgpack`)
strategies      Hypothesis strategies for packets, payloads and conversations (extra `testing`)
conversations   conversations of several clients, and a model of what they must hear
"""

from trio_sio.testing.client import (
    MemoryClient as MemoryClient,
    connect as connect,
)
from trio_sio.testing.wire import (
    WireClient as WireClient,
    WireSession as WireSession,
    open_wire as open_wire,
)
