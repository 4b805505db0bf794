"""Sends to one socket's client: events, and the packets CONNECT, DISCONNECT and ERROR."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import trio

from trio_sio.abc import Flags, Record, Session, Waiter
from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import Disconnected
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import (
    JSON,
    RESERVED_EVENTS,
    Packet,
    PacketType,
    event_packet,
)
from trio_sio.protocol.socketio.parser import Codec
from trio_sio.router.acks import PendingAcks
from trio_sio.router.namespace_base import JoinableNamespace
from trio_sio.router.recovery import Holder, Kept, Recoveries, SocketRecovery


class OutgoingListener(Protocol):
    """The socket, which has handlers of every event that is sent."""

    def notify_outgoing(self, event: str, args: Sequence[object]) -> None:
        """Tell them of an event."""


class EventSender:
    """The outgoing half of a socket, until it is closed.

    Args:
        session: the client's session.
        namespace: the namespace that its packets are from.
        acks: the acknowledgements that the socket waits for; closed with this.
        listener: is told of each event, if the server's application wants that.

    Attributes:
        session, namespace, acks: the same.
        reason: why it was closed; `None` while it is open.
        recovery: the socket's; `None` if its client cannot come back.
    """

    __slots__ = ("_listener", "acks", "namespace", "reason", "recovery", "session")

    def __init__(
        self,
        session: Session,
        namespace: JoinableNamespace[Any],
        acks: PendingAcks,
        listener: OutgoingListener,
    ) -> None:
        self.session = session
        self.namespace = namespace
        self.acks = acks
        self._listener = listener
        self.reason: DisconnectReason | None = None
        self.recovery: SocketRecovery | None = None

    def allow_recovery(
        self,
        recoveries: Recoveries,
        kept: Kept | None,
        holder: Holder | None,
        socket_id: str,
        end: Callable[[DisconnectReason], object],
    ) -> None:
        """Tell the client offsets, and keep what it may miss.

        Args:
            recoveries: the namespace's.
            kept: as of `SocketRecovery`.
            holder: who holds the pid; `None` for a new socket.
            socket_id: the socket's.
            end: ends the socket when its client comes back by another connection.
        """
        held = holder or Holder(self.session)
        held.attach(end)
        encode = self.namespace.encode
        self.recovery = SocketRecovery(recoveries, kept, held, socket_id, encode)

    @property
    def is_over(self) -> bool:
        """Whether it is closed, or about to be because its session has ended."""
        return self.reason is not None or self.session.closed

    def encode(
        self, event: str, args: tuple[object, ...], flags: Flags, ack_id: int | None = None
    ) -> Encoded:
        """Return an event as an item for the session.

        Raises:
            Disconnected: this has been closed.
            TypeError, ValueError, LocalProtocolError: the event cannot be sent.
        """
        if self.reason is not None:
            raise Disconnected(self.reason)
        namespace = self.namespace
        packet = event_packet(event, args, RESERVED_EVENTS, namespace.name, ack_id)
        item = namespace.encode(packet, flags)
        namespace.counters.events_out += 1
        if namespace.watch.outgoing and not flags.volatile:
            self._listener.notify_outgoing(event, args)
        return item

    def send_volatile(self, item: Encoded, event: str, args: Sequence[object]) -> bool:
        """Send an event if it can leave now; return whether it has."""
        is_sent = bool(self.session.send_volatile(item))
        if is_sent and self.namespace.watch.outgoing:
            self._listener.notify_outgoing(event, args)
        return is_sent

    def record(
        self, recovery: SocketRecovery, event: str, args: tuple[object, ...], flags: Flags
    ) -> Record:
        """Return an event as an item for the session, and keep it for a client that may miss it.

        Raises:
            Disconnected, TypeError, ValueError, LocalProtocolError: as `encode`.
        """
        if self.reason is not None:
            raise Disconnected(self.reason)
        packet = event_packet(event, args, RESERVED_EVENTS, self.namespace.name)
        record = recovery.record(packet, flags)
        self.namespace.counters.events_out += 1
        if self.namespace.watch.outgoing and not flags.volatile:
            self._listener.notify_outgoing(event, args)
        return record

    async def send_recorded(
        self, recovery: SocketRecovery, event: str, args: tuple[object, ...], flags: Flags
    ) -> None:
        """Send an event and keep it; waits while the client's outbox is full.

        Whoever hears of an error has not sent it. A broadcast that overtakes an event which waits
        for room may be heard again after a recovery.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        record = self.record(recovery, event, args, flags)
        is_sent = False
        try:
            if flags.on_overflow:
                self.session.deliver(record.item)
            else:
                await self.session.send(record.item)
            is_sent = True
        finally:
            if not is_sent:
                record.withdraw()
        if flags.on_overflow:
            await trio.lowlevel.cancel_shielded_checkpoint()

    def send_recorded_nowait(
        self, recovery: SocketRecovery, event: str, args: tuple[object, ...], flags: Flags
    ) -> None:
        """Send an event and keep it, without waiting; raises as `Emitter.emit_nowait`."""
        record = self.record(recovery, event, args, flags)
        is_sent = False
        try:
            if flags.on_overflow:
                self.session.deliver(record.item)
            else:
                self.session.send_nowait(record.item)
            is_sent = True
        finally:
            if not is_sent:
                record.withdraw()

    def send_control(self, kind: PacketType, data: JSON = None) -> None:
        """Send a packet of the protocol's own; see `send_control`."""
        namespace = self.namespace
        send_control(self.session, namespace.codec, Packet(kind, namespace.name, data))

    def enqueue_control(self, kind: PacketType, data: JSON) -> Waiter | None:
        """Send a packet of the protocol's own, or return what waits with it for room.

        Raises:
            Disconnected: the session has ended.
        """
        namespace = self.namespace
        item = namespace.codec.encoder_5.encode(Packet(kind, namespace.name, data))
        return self.session.enqueue(Encoded.of_messages(item))

    def close(self, reason: DisconnectReason) -> None:
        """Send no more events, and wait for no more acknowledgements."""
        self.reason = reason
        self.acks.close(reason)


def send_control(session: Session, codec: Codec, packet: Packet) -> None:
    """Send a packet that can neither wait nor be dropped: the client depends on it.

    A client that has no room for it reads nothing, and is closed as a slow consumer, whatever the
    option `on_overflow` says of events. Nothing happens if it has left.

    Args:
        session: the client's.
        codec: encodes the packet.
        packet: the packet.

    Raises:
        LocalProtocolError: its data cannot be sent.
    """
    encoder = codec.encoder if session.protocol == 3 else codec.encoder_5
    session.deliver(Encoded.of_messages(encoder.encode(packet), on_overflow="disconnect"))
