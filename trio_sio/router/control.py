"""Packets of the protocol's own: CONNECT, DISCONNECT and ERROR."""

from trio_sio.abc import PacketEncoder, Session
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import Packet


def send_control(session: Session, encoder: PacketEncoder, packet: Packet) -> None:
    """Send a packet that can neither wait nor be dropped, without which the client is lost.

    A client that has no room for it takes nothing, and is closed as a slow consumer, whatever the
    option `on_overflow` says of events. Nothing happens if it has left.

    Args:
        session: the client's.
        encoder: makes the packet's messages.
        packet: the packet.

    Raises:
        LocalProtocolError: its data cannot be sent.
    """
    session.deliver(Encoded.of_messages(encoder.encode(packet), on_overflow="disconnect"))
