"""Where the lines about one session go."""

from collections.abc import Sequence
from typing import NamedTuple

from trio_sio.abc import OutgoingQueue, Transport
from trio_sio.logs.events import EventLog, event_log
from trio_sio.logs.throttle import LogThrottle
from trio_sio.logs.wire import WireLog, wire_log
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket


class SessionLog(NamedTuple):
    """The logs of one session.

    Attributes:
        throttle: the engine's, for operators.
        wire: takes the session's packets; `None` if `trio_sio.wire` is off.
        events: takes what becomes of the session; `None` if `trio_sio.events` is off.
    """

    throttle: LogThrottle
    wire: WireLog | None = None
    events: EventLog | None = None

    def of(self, sid: str) -> "SessionLog":
        """Return the logs of a new session; the same object for all while both loggers are off."""
        wire, events = wire_log(sid), event_log(sid)
        return self if wire is None and events is None else SessionLog(self.throttle, wire, events)


class TappedTransport:
    """A transport whose packets are logged.

    Args:
        transport: what does the work.
        wire: takes its packets.
    """

    def __init__(self, transport: Transport, wire: WireLog) -> None:
        self._transport = transport
        self._wire = wire
        self.name = transport.name

    @property
    def writable(self) -> bool:
        """Whether a batch could leave now."""
        return self._transport.writable

    @property
    def direct(self) -> bool:
        """Whether `send_nowait` may be called now."""
        return self._transport.direct

    @property
    def unsent(self) -> bool:
        """Whether `send` is due."""
        return self._transport.unsent

    def attach(self, outbox: OutgoingQueue) -> None:
        """Pass on to the transport."""
        self._transport.attach(outbox)

    async def receive(self) -> EnginePacket:
        """Return the next packet, and log it."""
        packet = await self._transport.receive()
        self._wire.incoming(self.name, packet)
        return packet

    async def wait_heard(self) -> None:
        """Pass on to the transport."""
        await self._transport.wait_heard()

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        """Log the items, and send them without waiting."""
        self._wire.outgoing(self.name, items)
        self._transport.send_nowait(items)

    async def send(self, items: Sequence[Encoded]) -> None:
        """Log the items, and send them."""
        self._wire.outgoing(self.name, items)
        await self._transport.send(items)

    def is_gone(self, now: float, silence_limit: float) -> bool:
        """Pass on to the transport."""
        return self._transport.is_gone(now, silence_limit)

    def lift_limits(self) -> None:
        """Pass on to the transport."""
        self._transport.lift_limits()

    def end_requests(self, *, orderly: bool) -> None:
        """Pass on to the transport."""
        self._transport.end_requests(orderly=orderly)

    async def part(self) -> None:
        """Tell the client of the end."""
        await self._transport.part()

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Pass on to the transport."""
        await self._transport.finish(by_client=by_client, orderly=orderly)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._transport.aclose()

    def abandon(self) -> None:
        """Pass on to the transport."""
        self._transport.abandon()


def tapped(transport: Transport, wire: WireLog | None) -> Transport:
    """Return the transport that a session is to use; the same one if packets are not logged.

    Polling logs packets itself, since it sends them with its responses.
    """
    if wire is None or transport.name == "polling":
        return transport
    return TappedTransport(transport, wire)
