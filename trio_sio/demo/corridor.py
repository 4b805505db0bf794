"""Adapters of servers in one process, each with a door to the others.

While one server takes over from another, some clients are with the one and some with the other.
What is broadcast on either side reaches both.
"""

from trio_sio import MemoryAdapter, Packet
from trio_sio.abc import AdapterNamespace, Target


class Door:
    """Makes the adapters of one server (option `adapter`).

    Args:
        doors: those of all servers, this one's among them until it is closed.
    """

    def __init__(self, doors: "list[Door]") -> None:
        self._doors = doors
        self._adapters: dict[str, CorridorAdapter] = {}
        doors.append(self)

    def __call__(self, namespace: AdapterNamespace) -> "CorridorAdapter":
        """Make the adapter of a namespace."""
        adapter = self._adapters[namespace.name] = CorridorAdapter(namespace, self)
        return adapter

    def others(self, namespace: str) -> "list[CorridorAdapter]":
        """Return the adapters of a namespace on the other servers."""
        others = [door._adapters for door in self._doors if door is not self]
        return [adapters[namespace] for adapters in others if namespace in adapters]

    def forget(self, namespace: str) -> None:
        """Forget the adapter of a namespace that has been dropped."""
        self._adapters.pop(namespace, None)

    def close(self) -> None:
        """The server has ended."""
        if self in self._doors:
            self._doors.remove(self)


class CorridorAdapter(MemoryAdapter):
    """The rooms of one namespace on one server.

    Args:
        namespace: the namespace.
        door: leads to the other servers.
    """

    def __init__(self, namespace: AdapterNamespace, door: Door) -> None:
        super().__init__(namespace)
        self._door = door

    async def broadcast(self, packet: Packet, target: Target) -> None:
        """Send to the sockets of the target on this server, and on the others."""
        deliveries = self.deliver(packet, target)
        if not target.flags.local:
            for adapter in self._door.others(self.namespace.name):
                deliveries += adapter.pass_on(packet, target)
        await self.pause_after(deliveries)

    def close(self) -> None:
        """The namespace is dropped."""
        self._door.forget(self.namespace.name)
