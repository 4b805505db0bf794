"""`Transport`: how the packets of one session travel, and what it asks of the session."""

from collections.abc import Sequence
from typing import Protocol

from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket


class TransportClosed(Exception):
    """A transport has no more packets. The engine handles it; nobody else sees it.

    Attributes:
        reason: the reason for the end of the session.
        code: the WebSocket close code to answer with, if any.
        why: further details.
    """

    def __init__(
        self, reason: DisconnectReason, code: int | None = None, why: Explanation | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.why = why


class OutgoingQueue(Protocol):
    """The outbox of a session, as far as its transport is concerned."""

    def take(self, limit: int) -> list[Encoded]:
        """Return queued items in their order: one at least, further ones up to `limit` bytes."""

    def send_control(self, item: Encoded) -> None:
        """Send or queue one of the engine's own packets, even if the outbox is full."""

    def flush(self) -> None:
        """Send what is queued, as far as that can be done without waiting."""


class Transport(Protocol):
    """How the packets of one session travel.

    Attributes:
        name: "polling" or "websocket".
        writable: whether a batch could leave at this moment; what `volatile` asks.
        direct: whether `send_nowait` may be called at this moment.
        unsent: whether bytes that `send_nowait` took still wait for the kernel; `send` is due.
    """

    @property
    def name(self) -> str: ...
    @property
    def writable(self) -> bool: ...
    @property
    def direct(self) -> bool: ...
    @property
    def unsent(self) -> bool: ...

    def attach(self, outbox: OutgoingQueue) -> None:
        """Belong to a session from now on.

        Args:
            outbox: the session's, which sends by this transport.
        """

    async def receive(self) -> EnginePacket:
        """Return the client's next packet.

        Raises:
            RemoteProtocolError: it could not be decoded.
            TransportClosed: there is none, and why.
        """

    async def wait_heard(self) -> None:
        """Return when everything that the client has sent is received: `receive` waits, and no
        packet has arrived in part; or when there will be nothing more."""

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        """Send without waiting (the direct path); needs `direct`, may set `unsent`."""

    async def send(self, items: Sequence[Encoded]) -> None:
        """Send what is unsent, then `items`, however long that takes; for the writer task.

        Raises:
            trio.BrokenResourceError: the peer is gone.
        """

    def is_gone(self, now: float, silence_limit: float) -> bool:
        """Whether the client has left, as far as can be told while nobody receives.

        Args:
            now: the time (`trio.current_time()`).
            silence_limit: seconds for which a client without a request under way may be silent.
        """

    def lift_limits(self) -> None:
        """Apply the full limits from now on: the client has joined a namespace."""

    def end_requests(self, *, orderly: bool) -> None:
        """End the requests that are no longer needed: the session has just ended.

        Args:
            orderly: what was queued before the end is being sent, and may still arrive.
        """

    async def part(self) -> None:
        """Tell the client that the session ends; the queue is empty, and stays so.

        Returns when the client knows, as far as that can be seen, or after some seconds. What it
        sends until then is received as ever, and `finish` comes next.
        """

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Tell the client that the session is over, and end; the queue is empty.

        Args:
            by_client: the client itself ended the session.
            orderly: the server ended it, and the client may still fetch that.
        """

    def abandon(self) -> None:
        """End at once: the session has moved to another transport, or its time is up."""

    async def aclose(self) -> None:
        """Close the connection that belongs to the session alone, if there is one: it is over."""
