"""Where the lines about one session go, and what the last of them says: why it ended."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from trio_sio.abc import OutgoingQueue, Transport
from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.failures import KeptFailures, keep
from trio_sio.logs.events import EventLog, event_log
from trio_sio.logs.shown import short_id
from trio_sio.logs.throttle import LogThrottle
from trio_sio.logs.wire import WireLog, wire_log
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket

logger = logging.getLogger("trio_sio.engine")


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


class CloseRecord:
    """Why one session ended.

    A limit or the client's own mistake is worth a warning; a client that went away, or is not
    heard of any more, is not.

    Args:
        sid: the session's id.
        log: the session's, where the end is told.

    Attributes:
        detail: what is known; `None` until the session ends.
        failures: what the application's code raised, to be raised at the end; `None` for nothing.
    """

    __slots__ = ("_log", "_sid", "_why", "detail", "failures")

    def __init__(self, sid: str, log: SessionLog) -> None:
        self.detail: DisconnectDetail | None = None
        self.failures: KeptFailures | None = None
        self._sid = sid
        self._log = log
        self._why: Explanation | None = None

    def fail(self, error: BaseException) -> None:
        """Keep what the application's code raised."""
        self.failures = keep(error, self.failures)

    def explain(self, why: Explanation) -> None:
        """Say why the session is about to end; the first explanation counts."""
        if self._why is None:
            self._why = why

    def end(self, reason: DisconnectReason, last_seen: float, stalled: float) -> None:
        """Record the end, once; it is logged if there is more to say than the reason.

        Args:
            reason: JavaScript's word.
            last_seen: when something was last heard of the client.
            stalled: seconds that our own event loop was held around then.
        """
        if self.detail is not None:
            return
        self.detail = detail = DisconnectDetail.of(reason, self._why, last_seen, stalled)
        if self._log.events is not None:
            self._log.events.ended(detail)
        if not (detail.text or detail.stalled):
            return
        is_refused = bool(detail.text) and detail.option != "ping_timeout"
        level = logging.WARNING if is_refused else logging.INFO
        kind = str(reason), detail.option
        self._log.throttle.tell(logger, level, kind, "session %s: %s", short_id(self._sid), detail)


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
