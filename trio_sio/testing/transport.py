"""A transport without bytes: the packets of one session go through two channels in memory."""

from collections.abc import Sequence

import trio

from trio_sio.abc import OutgoingQueue, TransportClosed
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.protocol.engineio.version import EIO3, EngineVersion
from trio_sio.sync import Condition


class MemoryTransport:
    """Both ends of a session's transport.

    Args:
        buffer: parts of packets that may wait for the client; when it is full, the session's
            outbox fills, as behind a connection that nobody reads from.
        version: the revision of Engine.IO that the client speaks.
    """

    name = "memory"

    def __init__(self, buffer: int, version: EngineVersion = EIO3) -> None:
        self.direct = True
        self.writable = True
        self.unsent = False
        self._outbox: OutgoingQueue | None = None
        self._buffer = buffer
        self._form = version.frames
        self._to_client, self._client_end = trio.open_memory_channel[str | bytes](float("inf"))
        self._waiting = 0
        self._abandoned = False
        self._heard = Condition()
        self._from_client, self._server_end = trio.open_memory_channel[EnginePacket](0)

    # -- the server's end ------------------------------------------------------------------

    def attach(self, outbox: OutgoingQueue) -> None:
        """Belong to a session: what its outbox holds leaves when the client makes room."""
        self._outbox = outbox

    async def receive(self) -> EnginePacket:
        """Return the client's next packet."""
        self._heard.notify_all()
        try:
            return await self._server_end.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE) from None

    async def wait_heard(self) -> None:
        """Return when everything that the client has sent was received, and its end too."""
        await self._heard.wait_for(self._is_heard)

    def _is_heard(self) -> bool:
        return self._abandoned or self._server_end.statistics().tasks_waiting_receive > 0

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        """Put the items' parts where the client finds them; the last item may exceed the buffer."""
        for item in items:
            for part in item.parts_for(self._form):
                try:
                    self._to_client.send_nowait(part)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return
                self._waiting += 1
        self.direct = self.writable = self._waiting < self._buffer

    async def send(self, items: Sequence[Encoded]) -> None:
        """Send as `send_nowait`."""
        await trio.lowlevel.checkpoint()
        self.send_nowait(items)

    def is_gone(self, now: float, silence_limit: float) -> bool:
        """Whether the client has closed."""
        return self._server_end.statistics().open_send_channels == 0

    def lift_limits(self) -> None:
        """There are no limits here."""

    def end_requests(self, *, orderly: bool) -> None:
        """There are no requests here."""

    async def part(self) -> None:
        """Nothing to do: whatever the client has sent was received."""
        await trio.lowlevel.checkpoint()

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Close both directions; what has been sent can still be received."""
        await trio.lowlevel.checkpoint()
        self.abandon()

    def abandon(self) -> None:
        """Close both directions."""
        self._abandoned = True
        self.direct = self.writable = False
        self._to_client.close()
        self._server_end.close()
        self._heard.notify_all()

    async def aclose(self) -> None:
        """Nothing to do: there is no connection."""

    # -- the client's end ------------------------------------------------------------------

    async def client_receive(self) -> str | bytes:
        """Return the next part that the server sent; raises `trio.EndOfChannel` at the end.

        It counts against the buffer until `client_took` says that somebody took it.
        """
        return await self._client_end.receive()

    def client_took(self, parts: int) -> None:
        """Make room for this many further parts."""
        self._waiting -= parts
        if self._abandoned or self.writable or self._waiting >= self._buffer:
            return
        self.direct = self.writable = True
        if self._outbox is not None:
            self._outbox.flush()

    async def client_send(self, packet: EnginePacket) -> None:
        """Send a packet; raises `trio.BrokenResourceError` if the server has ended."""
        await self._from_client.send(packet)

    def client_close(self) -> None:
        """Close the client's end, like a connection."""
        self._from_client.close()
