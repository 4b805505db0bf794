"""Probes: short messages by which servers of ours announce themselves, and prove that they hear.

Each server publishes one every `interval` and listens to all of them. When its own does not come
back, although Redis has taken it, the subscriber is deaf and connects anew. Those of others say
which servers there are. JavaScript's servers neither send nor see them.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import trio

from trio_sio.adapters.redis.health import Health, Part
from trio_sio.adapters.redis.journal import Journal
from trio_sio.adapters.redis.link.connection import GRACE
from trio_sio.adapters.redis.link.resp import ErrorReply
from trio_sio.adapters.redis.publisher import Publisher
from trio_sio.adapters.redis.subscriber import Subscriber
from trio_sio.adapters.redis.subscriptions import Listener
from trio_sio.protocol.cluster.ids import new_id
from trio_sio.protocol.cluster.probe import Probe, decode_probe
from trio_sio.protocol.errors import RemoteProtocolError

PATIENCE = 4
"""Times `timeout` for the own probe while other messages come: then it is behind them, and another
connection would not make this server faster."""

MAX_NODES = 4096
"""Servers that are remembered; what others publish must not fill the memory."""

REMEMBERED = 12
"""Intervals after which a server that is silent is forgotten: until then, it can be named as one
that has not answered."""


class Identity:
    """Who this server is among those of the cluster.

    Args:
        name: for people; `None` for host and process id.

    Attributes:
        uid: at the head of what it sends; two servers with the same one would not hear each other.
        name: for people.
    """

    def __init__(self, name: str | None) -> None:
        self._given = name
        self._pid = -1
        self.renew()

    def renew(self) -> None:
        """Become somebody else in a process that was forked from the one of before."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self.uid = new_id(os.urandom)
            self.name = self._given or f"{socket.gethostname()}:{self._pid}"


@dataclass(frozen=True, slots=True)
class Node:
    """Another server of the cluster.

    Attributes:
        uid: its id in the cluster.
        name: for people.
        seen: when its last probe came (`trio.current_time()`).
    """

    uid: str
    name: str
    seen: float


class Probes:
    """Sends probes and listens to them.

    Args:
        channel: where.
        identity: who this server is.
        publisher: sends them.
        subscriber: hears them.
        health: is told whether the own ones come back.
        journal: writes and counts.
        interval: seconds between two.
        timeout: seconds in which an own one has to come back.
    """

    def __init__(
        self,
        channel: bytes,
        identity: Identity,
        publisher: Publisher,
        subscriber: Subscriber,
        health: Health,
        journal: Journal,
        *,
        interval: float,
        timeout: float,
    ) -> None:
        self._channel = channel
        self._identity = identity
        self._publisher = publisher
        self._subscriber = subscriber
        self._health = health
        self._journal = journal
        self._interval = interval
        self._timeout = timeout
        self._nodes: dict[str, Node] = {}
        self._number = 0
        self._echoed = 0
        self._is_nudged = False
        self._lot = trio.lowlevel.ParkingLot()
        subscriber.open(Listener(self._hear, [channel]))

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The other servers whose probes come."""
        oldest = trio.current_time() - 2 * self._interval - self._timeout
        return tuple(node for node in self._nodes.values() if node.seen >= oldest)

    @property
    def peers(self) -> Mapping[str, str]:
        """The other servers, uid to name; those that have fallen silent, too, for a while."""
        return {node.uid: node.name for node in self._nodes.values()}

    def nudge(self) -> None:
        """Probe now: there is a new connection."""
        self._is_nudged = True
        self._lot.unpark_all()

    async def run(self) -> None:
        """Probe again and again; a task."""
        while True:
            await self._probe()
            self._forget()
            with trio.move_on_after(self._interval):
                while not self._is_nudged:
                    await self._lot.park()

    async def leave(self) -> None:
        """Say goodbye, if Redis is there."""
        if self._publisher.is_connected:
            await self._publisher.publish(self._channel, self._encode(leaving=True))

    # -- private -------------------------------------------------------------------------------

    def _encode(self, *, leaving: bool = False) -> bytes:
        identity = self._identity
        return Probe(identity.uid, identity.name, self._number, leaving).encode()

    async def _probe(self) -> None:
        self._is_nudged = False
        self._number += 1
        reply = await self._publisher.ask(b"PUBLISH", self._channel, self._encode())
        if isinstance(reply, ErrorReply):
            self._health.find(Part.PROBE, f"Redis refuses probes: {reply.text}")
        elif reply is not None and self._subscriber.is_hearing:
            await self._wait_for_echo()

    async def _wait_for_echo(self) -> None:
        """Wait for the own probe; without it, the subscriber is deaf, or behind."""
        sent = trio.current_time()
        for _ in range(PATIENCE):
            await self._wait(self._timeout)
            await self._wait(GRACE)
            if self._echoed == self._number:
                self._health.find(Part.PROBE, "")
                return
            if self._is_nudged or not self._subscriber.is_hearing:
                return
            seconds = f"{trio.current_time() - sent:.0f}"
            problem = f"the own probe did not come back in {seconds} s"
            self._health.find(Part.PROBE, problem)
            if self._subscriber.last_read < sent:
                break
        self._subscriber.restart(problem)

    async def _wait(self, seconds: float) -> None:
        with trio.move_on_after(seconds):
            while self._echoed < self._number and not self._is_nudged:
                await self._lot.park()

    def _hear(self, _channel: bytes, payload: bytes) -> int:
        try:
            probe = decode_probe(payload)
        except RemoteProtocolError as error:
            self._journal.count_invalid(error)
            return 0
        if probe.uid == self._identity.uid:
            self._hear_own(probe)
        elif probe.leaving:
            self._nodes.pop(probe.uid, None)
        elif probe.uid in self._nodes or len(self._nodes) < MAX_NODES:
            self._nodes[probe.uid] = Node(probe.uid, probe.name, trio.current_time())
        return 0

    def _hear_own(self, probe: Probe) -> None:
        if probe.name != self._identity.name:
            text = "another server has the same id, and neither hears the other"
            self._journal.warn("same id", text)
        elif probe.number == self._number:
            self._echoed = probe.number
            self._lot.unpark_all()

    def _forget(self) -> None:
        """Forget who has been silent for long."""
        oldest = trio.current_time() - REMEMBERED * self._interval
        for node in tuple(self._nodes.values()):
            if node.seen < oldest:
                del self._nodes[node.uid]
