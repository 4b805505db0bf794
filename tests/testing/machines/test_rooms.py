"""The machine of rooms: one server, clusters, and adapters that are wrong."""

from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import FIND, examples
from trio_sio import MemoryAdapter
from trio_sio.abc import Target
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.testing.cluster import MemoryCluster
from trio_sio.testing.machines import RoomsMachine
from trio_sio.testing.machines.rooms import AdapterFactory

TestRooms = RoomsMachine.TestCase
TestRooms.settings = examples(25, stateful_step_count=25)


class ClusterMachine(RoomsMachine):
    """Two servers, one of them far away."""

    def make_adapters(self) -> Iterable[AdapterFactory]:
        cluster = MemoryCluster()
        return [cluster.join(), cluster.join(delay=0.2)]


TestCluster = ClusterMachine.TestCase
TestCluster.settings = examples(8, stateful_step_count=25)


class Twice(MemoryAdapter):
    """Who is in two of the rooms hears twice."""

    async def broadcast(self, packet: Packet, target: Target) -> None:
        for room in target.rooms:
            one = Target(frozenset({room}), target.excepted, target.sender, target.flags)
            await super().broadcast(packet, one)
        if not target.rooms:
            await super().broadcast(packet, target)


class Forgetful(MemoryAdapter):
    """`except_` has no effect."""

    async def broadcast(self, packet: Packet, target: Target) -> None:
        every = Target(target.rooms, frozenset(), target.sender, target.flags)
        await super().broadcast(packet, every)


class Sticky(MemoryAdapter):
    """Who goes stays in the rooms."""

    async def remove_all(self, socket_id: str) -> None:
        pass


class Patient(MemoryAdapter):
    """Volatile events wait."""

    async def broadcast(self, packet: Packet, target: Target) -> None:
        await super().broadcast(packet, Target(target.rooms, target.excepted, target.sender))


@pytest.mark.parametrize("adapter", [Twice, Forgetful, Sticky, Patient])
def test_a_wrong_adapter_is_found(adapter: AdapterFactory) -> None:
    class Wrong(RoomsMachine):
        def make_adapters(self) -> Iterable[AdapterFactory]:
            return [adapter]

    with pytest.raises(Exception):  # noqa: B017, PT011 - what it is depends on the rule
        run_state_machine_as_test(Wrong, settings=settings(FIND, max_examples=500))
