"""What a session begins with: the answer to a polling handshake, or a WebSocket's first word.

The answer has the OPEN packet and everything that the handler sends before it first waits for a
message: the CONNECT packet of "/" rides along, as in the reference server.
"""

from collections.abc import Callable

import trio

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.session.outbox import NO_LIMIT, Outbox
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EngineVersion
from trio_sio.sync import LazyEvent


class FirstPayload:
    """The answer to one handshake.

    Args:
        packet: the OPEN packet.
        outbox: the session's.
    """

    __slots__ = ("_complete", "_items", "_outbox")

    def __init__(self, packet: Encoded, outbox: Outbox) -> None:
        self._items = [packet]
        self._outbox = outbox
        self._complete = LazyEvent()

    def complete(self) -> None:
        """Answer with the OPEN packet and what is queued now; again, nothing more happens."""
        if not self._complete.is_set:
            if self._outbox.tap is not None:
                self._outbox.tap.outgoing("polling", self._items)
            self._items += self._outbox.take(NO_LIMIT)
            self._complete.set()

    async def complete_soon(self) -> None:
        """Answer for a handler that begins otherwise than with `receive`."""
        try:
            await trio.lowlevel.checkpoint()
        finally:
            self.complete()

    async def wait(self) -> list[Encoded]:
        """Return the items of the answer, once it is complete."""
        await self._complete.wait()
        return self._items


PING = EnginePacket(EnginePacketType.PING)


class FirstWord:
    """In place of `FirstPayload`, for a WebSocket whose client says that it speaks Engine.IO 4.

    Clients of Engine.IO 4 never ping, and nobody takes a session of theirs that does. A client that
    pings before it has said anything else, as some do that say `EIO=4`, speaks Engine.IO 3.
    Silence would tell nothing: a client may be slow, or have nothing to join yet.

    Args:
        speak: makes the transport speak another revision.
    """

    __slots__ = ("speak",)

    def __init__(self, speak: Callable[[EngineVersion], object]) -> None:
        self.speak = speak

    def complete(self) -> None:
        """Nothing to do: there is no answer."""


class Again:
    """Has a packet that was received to look at it, and then nothing more."""

    __slots__ = ("_packet", "name")

    def __init__(self, packet: EnginePacket, name: str) -> None:
        self.name = name
        self._packet: EnginePacket | None = packet

    async def receive(self) -> EnginePacket:
        """Return the packet; raises as a transport that was left for another one."""
        await trio.lowlevel.checkpoint()
        packet, self._packet = self._packet, None
        if packet is None:
            raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
        return packet

    async def wait_heard(self) -> None:
        """Return: who waits for the packet gets it at once."""
        await trio.lowlevel.checkpoint()
