"""Clients that lose their connection and come back (JS: connection state recovery).

With its first CONNECT a socket gets a secret, the pid, by which its client is known again. At most
one socket holds a pid: who comes with the pid of a socket that is still here, because nobody has
noticed yet that its connection is lost, ends that one's session first.
"""

import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import trio

from trio_sio.abc import Flags, Record, RecoveringAdapter, Room, Session, Target, Timers
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.failures import failures
from trio_sio.logs.events import EventLog
from trio_sio.logs.shown import quoted, short_id
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import Recovery
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.recovery.session import RecoverySession
from trio_sio.recovery.store import RecoveryStore
from trio_sio.sync import LazyEvent

logger = logging.getLogger("trio_sio.router")

RECOVERABLE = frozenset(
    {
        DisconnectReason.TRANSPORT_CLOSE,
        DisconnectReason.TRANSPORT_ERROR,
        DisconnectReason.PING_TIMEOUT,
        DisconnectReason.FORCED_CLOSE,
        DisconnectReason.SERVER_SHUTTING_DOWN,
        DisconnectReason.SLOW_CONSUMER,
    }
)
"""Ends after which a client may come back: those of its connection, and of no one's will."""

EPOCH_BYTES = 4

_TAKEN_OVER = "the client has come back by another connection"


Kept = RecoverySession | RecoveryFailure
"""What was kept of a socket, or why nothing was."""


class Claim(NamedTuple):
    """What a client says that wants its socket back.

    Attributes:
        pid: the secret.
        offset: of the last event that it has had; `None` if it names none.
    """

    pid: str
    offset: JSON


def read_claim(auth: Mapping[str, JSON]) -> tuple[Claim | None, Mapping[str, JSON]]:
    """Return the claim in what a client says, and the rest of it, in which no secret is left."""
    pid = auth.get("pid")
    if not isinstance(pid, str):
        return None, auth
    rest = {key: value for key, value in auth.items() if key not in ("pid", "offset")}
    return Claim(pid, auth.get("offset")), rest


class RecoveryGroup:
    """What the namespaces of one store share: one static namespace, or all of a dynamic one.

    Args:
        settings: the option.
        silence: seconds after which it is noticed that a client is gone.
        on_deserted: is told of a namespace to which nobody can come back any more.

    Attributes:
        settings: the option.
        store: what is kept.
    """

    def __init__(
        self, settings: Recovery, silence: float, on_deserted: Callable[[str], object]
    ) -> None:
        self.settings = settings
        self.store: RecoveryStore[Encoded] = RecoveryStore(
            secrets.token_urlsafe(EPOCH_BYTES),
            duration=settings.max_disconnection_duration,
            silence=silence,
            max_packets=settings.max_packets,
            max_bytes=settings.max_bytes,
            max_sessions=settings.max_sessions,
        )
        self._on_deserted = on_deserted
        self._is_armed = False
        self._run: trio.lowlevel.TrioToken | None = None

    def begin_run(self) -> None:
        """Forget who was away in another Trio run, whose clock is not this one's.

        To be called before anything is kept or asked for; the first time in a run counts.
        """
        run = trio.lowlevel.current_trio_token()
        if run is not self._run:
            self._run, self._is_armed = run, False
            self.store.forget_away()

    def settle(self, timers: Timers) -> None:
        """Tell of deserted namespaces, and have sessions forgotten when their time is over.

        To be called whenever sessions may have been kept or forgotten.

        Args:
            timers: call functions at certain times.
        """
        for name in self.store.take_deserted():
            self._on_deserted(name)
        deadline = self.store.next_deadline
        if deadline is not None and not self._is_armed:
            self._is_armed = True
            timers.call_at(deadline, lambda: self._expire(timers))

    def _expire(self, timers: Timers) -> None:
        self._is_armed = False
        self.store.expire(trio.current_time())
        self.settle(timers)


class Holder:
    """Who holds a pid: a socket, or a client that is about to have one.

    Args:
        session: the client's.

    Attributes:
        gone: set when the pid is free.
    """

    __slots__ = ("_end", "_session", "gone")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._end: Callable[[DisconnectReason], object] | None = None
        self.gone = LazyEvent()

    def attach(self, end: Callable[[DisconnectReason], object]) -> None:
        """Have a function called that ends the socket."""
        self._end = end

    def free(self) -> None:
        """Wake whoever waits for the pid."""
        self._end = None  # the socket would keep itself
        self.gone.set()

    def give_way(self, session: Session) -> None:
        """End: the client has come back, with this session."""
        if session is self._session:
            return  # it has left this namespace alone, and has not finished that
        self._session.explain(Explanation(_TAKEN_OVER))
        self._session.abort(DisconnectReason.TRANSPORT_CLOSE)
        if self._end is not None:
            self._end(DisconnectReason.TRANSPORT_CLOSE)


class Recoveries:
    """The sockets of one namespace that may come back.

    Args:
        adapter: keeps what they miss.
        group: what the namespace shares with others.

    Attributes:
        adapter, group: the same.
    """

    def __init__(self, adapter: RecoveringAdapter, group: RecoveryGroup) -> None:
        self.adapter = adapter
        self.group = group
        self._holders: dict[str, Holder] = {}

    async def take(
        self, claim: Claim, session: Session, report: Callable[[BaseException], object]
    ) -> tuple[Holder, Kept]:
        """Take out what was kept of a socket, behind the end of whoever holds its pid.

        Args:
            claim: what the client says.
            session: the client's.
            report: is given what the adapter raises.

        Returns:
            Who holds the pid from now on, until `release`; and what was kept, or why nothing was.
        """
        while (former := self._holders.get(claim.pid)) is not None:
            former.give_way(session)
            await former.gone.wait()
        holder = Holder(session)
        self.hold(claim.pid, holder)
        self.group.begin_run()
        found: Kept = RecoveryFailure.UNKNOWN
        is_taken = False
        try:
            found = await self.adapter.restore_session(claim.pid, claim.offset)
            is_taken = isinstance(found, RecoverySession)
        except failures() as error:
            report(error)
        finally:
            if not is_taken:
                self.release(claim.pid, holder)
            self.group.settle(session.timers)
        return (holder if is_taken else Holder(session)), found

    def hold(self, pid: str, holder: Holder) -> None:
        """Have somebody hold a pid."""
        self._holders[pid] = holder

    def release(self, pid: str, holder: Holder) -> None:
        """Have somebody hold a pid no more."""
        if self._holders.get(pid) is holder:
            del self._holders[pid]
        holder.free()


class _Sent(NamedTuple):
    """An event that is sent and not kept."""

    item: Encoded

    def withdraw(self) -> None:
        """Do nothing: it is not kept."""


class SocketRecovery:
    """One socket's part in recovery.

    Args:
        recoveries: the namespace's.
        kept: what was kept of it, or why nothing was; `None` if nobody asked.
        holder: who holds its pid.
        socket_id: of a socket that is new.
        encode: encodes an event without an offset.

    Attributes:
        failure: why it was not recovered; `None` if it was, or nobody asked.
        recovered: whether it was.
        session: what is kept of it.
    """

    __slots__ = (
        "_encode",
        "_holder",
        "_is_asked_for",
        "_is_begun",
        "_is_spared",
        "_recoveries",
        "failure",
        "recovered",
        "session",
    )

    def __init__(
        self,
        recoveries: Recoveries,
        kept: Kept | None,
        holder: Holder,
        socket_id: str,
        encode: Callable[[Packet, Flags], Encoded],
    ) -> None:
        self._recoveries = recoveries
        self._holder = holder
        self._encode = encode
        self._is_asked_for = kept is not None
        self._is_begun = False
        self._is_spared = False
        recoveries.group.begin_run()
        self.recovered = isinstance(kept, RecoverySession)
        self.failure = kept if isinstance(kept, RecoveryFailure) else None
        if isinstance(kept, RecoverySession):
            self.session = kept
        else:
            self.session = recoveries.adapter.open_session(socket_id)

    @property
    def skips_middleware(self) -> bool:
        """Whether the socket does not pass the middleware."""
        return self.recovered and self._recoveries.group.settings.skip_middlewares

    @property
    def rooms(self) -> frozenset[Room]:
        """The rooms in which it was."""
        return self.session.rooms.present

    def missed(self) -> Collection[Encoded] | RecoveryFailure:
        """Return the next events that it missed; see `RecoveringAdapter.missed`."""
        return self._recoveries.adapter.missed(self.session)

    def begin(self) -> str:
        """Be connected from now on; return the pid, for the client alone."""
        self._is_begun = True
        session = self.session
        self._recoveries.adapter.begin_session(session)
        self._recoveries.hold(session.pid, self._holder)
        return session.pid

    def count_refusal(self) -> None:
        """Take note that the socket is not let in, for the statistics."""
        if self.recovered:
            self._recoveries.group.store.count_refusal()

    def spare(self) -> None:
        """Have the session kept though the socket is not let in: nobody has refused it."""
        self._is_spared = True

    def record(self, packet: Packet, flags: Flags) -> Record:
        """Return an event for the socket alone, which is kept once the socket is connected.

        In middleware a client that has a pid would take the last text of an event for an offset.

        Raises:
            LocalProtocolError: it cannot be encoded.
        """
        adapter, session = self._recoveries.adapter, self.session
        if self._is_begun:
            return adapter.record(
                packet, Target(frozenset((session.socket_id,)), flags=flags), session
            )
        if self._is_asked_for:
            return _Sent(adapter.stamp(packet, flags, session))
        return _Sent(self._encode(packet, flags))

    async def leave(self, reason: DisconnectReason, data: dict[str, Any], timers: Timers) -> None:
        """Have the session kept, if the client may come back.

        Args:
            reason: why the socket has left.
            data: the application's own.
            timers: call functions at certain times.
        """
        session, adapter = self.session, self._recoveries.adapter
        if session.began is None:
            await trio.lowlevel.checkpoint()  # it has never been connected
        elif reason in RECOVERABLE or self._is_spared:
            await adapter.persist_session(session, data)
            self._recoveries.group.settle(timers)
        else:
            adapter.drop_session(session)
            await trio.lowlevel.checkpoint()

    def release(self) -> None:
        """Let another socket have the pid."""
        self._recoveries.release(self.session.pid, self._holder)


def tell_failure(
    failure: RecoveryFailure, name: str, session_id: str, log: LogThrottle, events: EventLog | None
) -> None:
    """Log why a client has not got its socket back.

    Args:
        failure: why.
        name: the namespace.
        session_id: of the session by which the client has come.
        log: the server's.
        events: the session's, if its events are logged.
    """
    if events is not None:
        events.not_recovered(name, failure)
    line, kind = "session %s is not recovered in %s: %s", ("recovery", str(failure))
    log.tell(logger, logging.INFO, kind, line, short_id(session_id), quoted(name), failure)
