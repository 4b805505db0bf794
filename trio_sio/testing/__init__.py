"""Tools for tests, of applications and of trio_sio itself.

connect         a client in memory: packets, no bytes, no port
open_wire       clients of bytes over streams in memory: HTTP, long polling, WebSocket
open_network    clients of bytes through a network with faults, which can be replayed
cluster         servers of one process as one cluster (extra `msgpack`)
strategies      Hypothesis strategies for packets, payloads and conversations (extra `testing`)
machines        state machines: a base for your own, and those of the protocol (extra `testing`)
conversations   conversations of several clients, and a model of what they must hear
"""

from trio_sio.testing.client import (
    MemoryClient as MemoryClient,
    connect as connect,
)
from trio_sio.testing.network.client import NetworkClient as NetworkClient
from trio_sio.testing.network.faults import (
    Cut as Cut,
    Faults as Faults,
    Freeze as Freeze,
)
from trio_sio.testing.network.network import (
    Network as Network,
    open_network as open_network,
)
from trio_sio.testing.wire import (
    WireClient as WireClient,
    WireSession as WireSession,
    open_wire as open_wire,
)
