"""Keeps what clients of one namespace miss, in memory, for `MemoryAdapter`.

An event is encoded once with its offset, for the clients that can come back and for the log, and
once without, for the others; what nobody needs is not made.
"""

import secrets
from collections.abc import Collection, Iterable

import trio

from trio_sio.abc import AdapterNamespace, Flags, Recipient, Room, SocketId, Target
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.recovery.log import Audience, Entry
from trio_sio.recovery.session import RecoverySession
from trio_sio.recovery.store import RecoveryStore

PID_BYTES = 16
"""Random bytes of the secret by which a client is known again: 22 characters."""


class KeptRecord:
    """An event that was sent, and may be kept.

    Args:
        item: the event with its offset.
        store: where it is kept.
        entry: as what; `None` if it is not.
    """

    __slots__ = ("_before", "_entry", "_session", "_store", "item")

    def __init__(
        self, item: Encoded, store: RecoveryStore[Encoded], entry: Entry[Encoded] | None
    ) -> None:
        self.item = item
        self._store = store
        self._entry = entry
        self._session: RecoverySession | None = None
        self._before = 0

    def withdraw(self) -> None:
        """Keep it no more: it was not sent to the one client that it was for."""
        if self._entry is not None:
            self._store.log.withdraw(self._entry)
            if self._session is not None:
                self._session.was_not_sent(self._entry.position, self._before)

    def send_to_one(self, session: RecoverySession) -> None:
        """Take note that it is on its way to the one client that it is for."""
        if self._entry is not None:
            self._session, self._before = session, session.was_sent(self._entry.position)

    @property
    def position(self) -> int:
        """Its position; 0, which is before all others, if it is not kept."""
        return 0 if self._entry is None else self._entry.position


class Recorder:
    """What one adapter keeps.

    Args:
        namespace: the adapter's.
        store: where it is kept.
    """

    __slots__ = ("_namespace", "_sessions", "_store")

    def __init__(self, namespace: AdapterNamespace, store: RecoveryStore[Encoded]) -> None:
        self._namespace = namespace
        self._store = store
        self._sessions: dict[SocketId, RecoverySession] = {}

    # -- sessions ----------------------------------------------------------------------------

    def open(self, socket_id: SocketId) -> RecoverySession:
        """Return a new session."""
        pid = secrets.token_urlsafe(PID_BYTES)
        return RecoverySession(pid, socket_id, self._namespace.name)

    def begin(self, session: RecoverySession, rooms: Iterable[Room]) -> None:
        """Take note that a socket is here, in these rooms."""
        self._store.begin(session, rooms)
        self._sessions[session.socket_id] = session

    def entered(self, socket_id: SocketId, rooms: Collection[Room]) -> None:
        """Take note that a socket has joined rooms."""
        session = self._sessions.get(socket_id)
        if session is not None:
            self._store.entered(session, rooms)

    def left(self, socket_id: SocketId, room: Room) -> None:
        """Take note that a socket has left a room."""
        session = self._sessions.get(socket_id)
        if session is not None:
            self._store.left(session, room)

    def persist(self, session: RecoverySession, data: dict[str, object]) -> None:
        """Keep the session of a client that is gone."""
        self._sessions.pop(session.socket_id, None)
        self._store.save(session, data, trio.current_time())

    def restore(self, pid: str, offset: object) -> RecoverySession | RecoveryFailure:
        """Take a session out, or say why there is none."""
        return self._store.take(pid, self._namespace.name, offset, trio.current_time())

    def drop(self, session: RecoverySession) -> None:
        """Forget a session."""
        self._sessions.pop(session.socket_id, None)
        self._store.drop(session)

    def missed(self, session: RecoverySession) -> list[Encoded] | RecoveryFailure:
        """Return the next events that a session missed."""
        return self._store.missed(session)

    # -- events ------------------------------------------------------------------------------

    def record(
        self,
        packet: Packet,
        target: Target,
        *,
        droppable: bool,
        receiver: RecoverySession | None = None,
    ) -> KeptRecord:
        """Encode an event with its offset, and keep it unless it is volatile.

        Args:
            packet: the event.
            target: whom it is for, and how it is sent.
            droppable: the overflow policy may drop it.
            receiver: of whom it is for alone, whoever else the target names.

        Raises:
            LocalProtocolError: it cannot be encoded; it is not kept.
        """
        store, flags = self._store, target.flags
        if flags.volatile:
            item = self._encode(packet, flags, store.current_offset(), droppable=droppable)
            return KeptRecord(item, store, None)
        item = self._encode(packet, flags, store.next_offset(), droppable=droppable)
        audience = Audience(
            self._namespace.name,
            target.rooms,
            target.excepted,
            target.sender,
            None if receiver is None else receiver.socket_id,
        )
        return KeptRecord(item, store, store.append(audience, item, item.size, trio.current_time()))

    def stamp(self, packet: Packet, flags: Flags, session: RecoverySession) -> Encoded:
        """Encode an event for a socket that is about to join."""
        store = self._store
        is_back = session.is_restored
        offset = store.offset(session.cursor) if is_back else store.current_offset()
        return self._encode(packet, flags, offset, droppable=False)

    def _encode(self, packet: Packet, flags: Flags, offset: str, *, droppable: bool) -> Encoded:
        data = packet.data
        assert isinstance(data, list)
        whole = Packet(packet.type, self._namespace.name, [*data, offset])
        return self._namespace.encode(whole, flags, droppable=droppable)

    def deliver(self, packet: Packet, target: Target, recipients: Collection[Recipient]) -> None:
        """Send an event of a broadcast.

        Raises:
            LocalProtocolError: it cannot be encoded; nobody gets it, and it is not kept.
        """
        is_volatile, is_watched = target.flags.volatile, self._namespace.watch.outgoing
        record = None
        if self._is_wanted(is_volatile, recipients):
            record = self.record(packet, target, droppable=True)
        position = 0 if record is None else record.position
        plain: Encoded | None = None
        if record is None:  # so that it is refused if it cannot be encoded
            plain = self._plain(packet, target.flags)
        for socket in tuple(recipients) if is_watched else recipients:
            session = socket.recovery_session
            if record is None or session is None:
                if plain is None:
                    plain = self._plain(packet, target.flags)
                item = plain
            else:
                item = record.item
                if not socket.is_over:
                    session.was_sent(position)
                elif position:
                    session.was_lost(position)
            is_sent = True
            if is_volatile:
                is_sent = bool(socket.deliver_volatile(item))
            else:
                socket.deliver(item)
            if is_watched and is_sent:
                socket.notify_outgoing(packet.event, packet.args)

    def _is_wanted(self, is_volatile: bool, recipients: Collection[Recipient]) -> bool:
        """Whether somebody needs the event with its offset: the log, or a recipient."""
        if is_volatile:
            return any(one.recovery_session is not None for one in recipients)
        return self._store.is_needed

    def _plain(self, packet: Packet, flags: Flags) -> Encoded:
        own = Packet(packet.type, self._namespace.name, packet.data)
        return self._namespace.encode(own, flags, droppable=True)
