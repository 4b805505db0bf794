"""An adapter of one's own: servers on one machine, joined by datagrams between them.

Each server binds a Unix socket in a folder that they share, and sends what it broadcasts to all the
others that it finds there.
"""

import os
import socket as sockets
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgpack
import trio

import trio_sio
from trio_sio import MemoryAdapter, Packet, PacketType
from trio_sio.abc import AdapterHost, AdapterNamespace, Flags, Target
from trio_sio.statistics import AdapterStatistics

LARGEST = 200_000  # bytes of a datagram


class NeighbourAdapter(MemoryAdapter):
    """The rooms of one namespace; what is broadcast goes to the neighbours, too."""

    def __init__(
        self,
        namespace: AdapterNamespace,
        publish: Callable[[bytes], None],
        forget: Callable[[str], object],
    ) -> None:
        super().__init__(namespace)
        self._publish = publish
        self._forget = forget

    async def broadcast(self, packet: Packet, target: Target) -> None:
        """Send to the sockets of this server at once, then to the neighbours."""
        await super().broadcast(packet, target)  # raises if the event cannot be encoded
        self._tell(packet, target)

    def broadcast_nowait(self, packet: Packet, target: Target) -> None:
        """Do the same, for `emit_nowait`: nothing of it waits."""
        super().broadcast_nowait(packet, target)
        self._tell(packet, target)

    def _tell(self, packet: Packet, target: Target) -> None:
        if not target.flags.local:
            rooms, excepted = list(target.rooms), list(target.excepted)  # the sender is ours
            message = [self.namespace.name, packet.type, packet.data, rooms, excepted]
            self._publish(msgpack.packb([*message, target.flags.volatile]))

    async def receive(self, packet: Packet, target: Target) -> None:
        """Send what a neighbour has broadcast to the sockets of this server."""
        await super().broadcast(packet, target)

    def close(self) -> None:
        """The namespace is dropped."""
        self._forget(self.namespace.name)


class Neighbours:
    """Makes the adapters of a server, and receives for them what the others send."""

    def __init__(self, folder: Path) -> None:
        self._own = folder / f"{os.getpid()}.sock"
        self._adapters: dict[str, NeighbourAdapter] = {}
        self._published = self._received = self._dropped = self._invalid = 0

    def __call__(self, namespace: AdapterNamespace) -> NeighbourAdapter:
        """Make the adapter of one namespace."""
        adapter = NeighbourAdapter(namespace, self._publish, self._adapters.pop)
        self._adapters[namespace.name] = adapter
        return adapter

    async def run(
        self,
        host: AdapterHost,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Receive for as long as the server serves."""
        self._own.unlink(missing_ok=True)
        with trio.socket.socket(sockets.AF_UNIX, sockets.SOCK_DGRAM) as receiver:
            await receiver.bind(str(self._own))
            try:
                task_status.started()
                while True:
                    await self._receive(await receiver.recv(LARGEST))
            finally:
                self._own.unlink()

    async def _receive(self, message: bytes) -> None:
        try:
            name, kind, data, rooms, excepted, volatile = msgpack.unpackb(message)
            adapter = self._adapters.get(name)  # none here: nobody has joined that namespace
            packet = Packet(PacketType(kind), name, data)
            target = Target(frozenset(rooms), frozenset(excepted), flags=Flags(volatile=volatile))
            if adapter is not None:
                await adapter.receive(packet, target)
                self._received += 1
        except (TypeError, ValueError, trio_sio.ProtocolError):
            self._invalid += 1  # counted, and the end of nothing

    def _publish(self, message: bytes) -> None:
        with sockets.socket(sockets.AF_UNIX, sockets.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for neighbour in self._own.parent.glob("*.sock"):
                if neighbour == self._own:
                    continue
                try:
                    sender.sendto(message, str(neighbour))
                    self._published += 1
                except (ConnectionRefusedError, FileNotFoundError):
                    neighbour.unlink(missing_ok=True)  # its server has died
                except OSError:  # it does not keep up, or the message is too large
                    self._dropped += 1

    async def aclose(self) -> None:
        """Send what is queued: nothing is."""
        await trio.lowlevel.checkpoint()

    def statistics(self) -> AdapterStatistics:
        """Return what has been counted; Prometheus has it, too."""
        return AdapterStatistics(
            published=self._published,
            received=self._received,
            dropped=self._dropped,
            invalid=self._invalid,
        )


folder = Path(os.environ.get("NEIGHBOURS", tempfile.gettempdir() + "/neighbours"))
folder.mkdir(mode=0o700, exist_ok=True)
io = trio_sio.Server(adapter=Neighbours(folder))


@io.on("join")
async def join(socket: trio_sio.Socket, room: str) -> None:
    await socket.join(room)


@io.on("say")
async def say(socket: trio_sio.Socket, room: str, text: str) -> None:
    await socket.to(room).emit("said", text)


if __name__ == "__main__":
    trio_sio.run(io, 3000)
