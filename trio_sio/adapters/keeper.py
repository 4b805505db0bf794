"""What an adapter in memory does for clients that come back."""

import trio

from trio_sio.abc import AdapterNamespace, Flags, Room, SocketId, Target
from trio_sio.adapters.recorder import KeptRecord, Recorder
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.recovery.session import RecoverySession


class Keeper:
    """The methods of a `RecoveringAdapter`, by a recorder.

    Args:
        namespace: the adapter's.
    """

    def __init__(self, namespace: AdapterNamespace) -> None:
        self.namespace = namespace
        self.sids: dict[SocketId, dict[Room, None]] = {}
        store = namespace.recovery
        self._recorder = None if store is None else Recorder(namespace, store)

    @property
    def _keeping(self) -> Recorder:
        if self._recorder is None:
            raise RuntimeError("the option connection_state_recovery is off")
        return self._recorder

    def open_session(self, socket_id: SocketId) -> RecoverySession:
        """Return a new session, for a socket that is about to join."""
        return self._keeping.open(socket_id)

    def begin_session(self, session: RecoverySession) -> None:
        """Take note that a socket has connected, or come back; it is in its rooms."""
        self._keeping.begin(session, self.sids.get(session.socket_id, ()))

    def record(self, packet: Packet, target: Target, session: RecoverySession) -> KeptRecord:
        """Keep an event that is sent to one socket, unless it is volatile."""
        record = self._keeping.record(packet, target, droppable=False, receiver=session)
        record.send_to_one(session)
        return record

    def stamp(self, packet: Packet, flags: Flags, session: RecoverySession) -> Encoded:
        """Return an event for a socket that is about to join; it is not kept."""
        return self._keeping.stamp(packet, flags, session)

    def missed(self, session: RecoverySession) -> list[Encoded] | RecoveryFailure:
        """Return the next events that a restored session missed; none if there are no more."""
        return self._keeping.missed(session)

    async def persist_session(self, session: RecoverySession, data: dict[str, object]) -> None:
        """Keep a session whose client is gone, even if this is cancelled."""
        self.namespace.home.check("adapter.persist_session")
        self._keeping.persist(session, data)
        await trio.lowlevel.checkpoint()

    async def restore_session(self, pid: str, offset: JSON) -> RecoverySession | RecoveryFailure:
        """Take a session out, which can be used once; or say why there is none."""
        self.namespace.home.check("adapter.restore_session")
        await trio.lowlevel.checkpoint_if_cancelled()
        found = self._keeping.restore(pid, offset)
        await trio.lowlevel.cancel_shielded_checkpoint()
        return found

    def drop_session(self, session: RecoverySession) -> None:
        """Forget a session: its socket has left and will not come back."""
        self._keeping.drop(session)
