"""An adapter that keeps what clients miss which come back (JS: connection state recovery)."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from trio_sio.abc.adapter import Flags, Target
from trio_sio.abc.recipient import SocketId
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.recovery.session import RecoverySession


class Record(Protocol):
    """An event that an adapter keeps for clients that may miss it."""

    @property
    def item(self) -> Encoded:
        """The event with its offset."""

    def withdraw(self) -> None:
        """Keep it no more: it was not sent."""


@runtime_checkable
class RecoveringAdapter(Protocol):
    """What an adapter has besides, for the option `connection_state_recovery`.

    It keeps what the clients of its namespace miss, and the sessions of those that are away. It
    tells each socket that has a `recovery_session` the offsets of events, as their last argument:
    of an event that it keeps its own, of a volatile one that of the newest.
    """

    def open_session(self, socket_id: SocketId) -> RecoverySession:
        """Return a new session, for a socket that is about to join."""

    def begin_session(self, session: RecoverySession) -> None:
        """Take note that a socket has connected, or come back; it is in its rooms."""

    def record(self, packet: Packet, target: Target, session: RecoverySession) -> Record:
        """Keep an event that is sent to one socket, unless it is volatile.

        Args:
            packet: the event.
            target: the socket's own room, and how the event is sent. Who else is in that room is
                not to get it.
            session: the socket's.

        Raises:
            LocalProtocolError: it cannot be encoded.
        """

    def stamp(self, packet: Packet, flags: Flags, session: RecoverySession) -> Encoded:
        """Return an event for a socket that is about to join; it is not kept.

        Its offset is that of what the client has had, so that it does not take another text for
        one.

        Args:
            packet: the event.
            flags: how it is sent.
            session: the socket's.
        """

    def missed(self, session: RecoverySession) -> Collection[Encoded] | RecoveryFailure:
        """Return the next events that a restored session missed; none if there are no more.

        If some are gone by now it says so.
        """

    async def persist_session(self, session: RecoverySession, data: dict[str, object]) -> None:
        """Keep a session whose client is gone, before its rooms are left.

        Args:
            session: the session.
            data: `socket.data`.
        """

    async def restore_session(self, pid: str, offset: JSON) -> RecoverySession | RecoveryFailure:
        """Take a session out, which can be used once; or say why there is none.

        Args:
            pid: what the client says.
            offset: the offset of the last event that it has had; `None` if it names none.
        """

    def drop_session(self, session: RecoverySession) -> None:
        """Forget a session: its socket has left and will not come back."""
