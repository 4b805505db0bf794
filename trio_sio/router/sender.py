"""Sends to one socket's client: events, and the packets CONNECT, DISCONNECT and ERROR."""

from typing import Any

from trio_sio.abc import Flags, PacketEncoder, Session
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
from trio_sio.router.acks import PendingAcks
from trio_sio.router.namespace_base import JoinableNamespace


class EventSender:
    """The outgoing half of a socket, until it is closed.

    Args:
        session: the client's session.
        namespace: the namespace that its packets are from.
        acks: the acknowledgements that the socket waits for; closed with this.

    Attributes:
        session, namespace, acks: the same.
        reason: why it was closed; `None` while it is open.
    """

    __slots__ = ("acks", "namespace", "reason", "session")

    def __init__(
        self, session: Session, namespace: JoinableNamespace[Any], acks: PendingAcks
    ) -> None:
        self.session = session
        self.namespace = namespace
        self.acks = acks
        self.reason: DisconnectReason | None = None

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
        namespace.counters.events_out += 1
        return namespace.encode(packet, flags)

    def send_control(self, kind: PacketType, data: JSON = None) -> None:
        """Send a packet of the protocol's own; see `send_control`."""
        namespace = self.namespace
        send_control(self.session, namespace.encoder, Packet(kind, namespace.name, data))

    def close(self, reason: DisconnectReason) -> None:
        """Send no more events, and wait for no more acknowledgements."""
        self.reason = reason
        self.acks.close(reason)


def send_control(session: Session, encoder: PacketEncoder, packet: Packet) -> None:
    """Send a packet that can neither wait nor be dropped: the client depends on it.

    A client that has no room for it reads nothing, and is closed as a slow consumer, whatever the
    option `on_overflow` says of events. Nothing happens if it has left.

    Args:
        session: the client's.
        encoder: encodes the packet.
        packet: the packet.

    Raises:
        LocalProtocolError: its data cannot be sent.
    """
    session.deliver(Encoded.of_messages(encoder.encode(packet), on_overflow="disconnect"))
