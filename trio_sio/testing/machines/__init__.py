"""State machines of Hypothesis (extra `testing`), for tests of trio_sio and of what is built on it.

trio_machine    TrioMachine: a machine whose rules may be async, over anything that runs on Trio
trio_thread     the Trio run of one example
session         SessionMachine, Session4Machine: the states of a session of Engine.IO 3 and 4
rooms           RoomsMachine: rooms and broadcasts, over any adapter
rooms_model     who is in which room, and has to receive what
upgrade         UpgradeMachine, Upgrade4Machine: from polling to WebSocket, with traffic meanwhile
acks            AcksMachine: acknowledgements in both directions
disconnects     DisconnectsMachine: every way to go, and what remains
server          ServerMachine: all of it, by bytes through a network that fails
remains         what a server has at a moment
packet_client   a client of any packets
"""

from trio_sio.testing.machines.acks import AcksMachine as AcksMachine
from trio_sio.testing.machines.disconnects import DisconnectsMachine as DisconnectsMachine
from trio_sio.testing.machines.rooms import RoomsMachine as RoomsMachine
from trio_sio.testing.machines.server import ServerMachine as ServerMachine
from trio_sio.testing.machines.session import (
    Session4Machine as Session4Machine,
    SessionMachine as SessionMachine,
)
from trio_sio.testing.machines.trio_machine import (
    TrioMachine as TrioMachine,
    in_trio as in_trio,
)
from trio_sio.testing.machines.upgrade import (
    Upgrade4Machine as Upgrade4Machine,
    UpgradeMachine as UpgradeMachine,
)
