"""All that is kept for clients that may come back, bounded in every direction.

Offsets, which clients are told with each event and give back, are the positions of events behind
the name of the store's epoch: `kX0c-w.17`. A store of another run has another epoch, so that an
offset from before a restart is not taken for one of today.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import takewhile
from typing import Any, Generic, TypeVar

from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.recovery.log import Audience, Entry, PacketLog
from trio_sio.recovery.session import RecoverySession
from trio_sio.statistics import RecoveryStatistics

T = TypeVar("T")

MAX_REMEMBERED = 1000
"""Sessions of which it is remembered why they are gone."""

MAX_DIGITS = 19
"""Of an offset."""

BATCH = 64
"""Events that are replayed before it is looked whether there are more."""


class RecoveryStore(Generic[T]):
    """Events and sessions of one namespace, or of all that a dynamic one has made.

    Args:
        epoch: a name that no other store has.
        duration: seconds that a client may be away.
        silence: seconds after which it is noticed, at the latest, that a client is gone; events are
            kept for as much longer.
        max_packets: events that are kept.
        max_bytes: their size in bytes.
        max_sessions: sessions of clients that are away.

    Attributes:
        log: the events.
    """

    __slots__ = (
        "_away",
        "_away_from",
        "_deserted",
        "_duration",
        "_epoch",
        "_evicted",
        "_failed",
        "_gone",
        "_held",
        "_max_sessions",
        "_recovered",
        "_refused",
        "log",
    )

    def __init__(
        self,
        epoch: str,
        *,
        duration: float,
        silence: float,
        max_packets: int,
        max_bytes: int,
        max_sessions: int,
    ) -> None:
        self.log: PacketLog[T] = PacketLog(
            keep=duration + silence, max_packets=max_packets, max_bytes=max_bytes
        )
        self._epoch = epoch
        self._duration = duration
        self._max_sessions = max_sessions
        self._away: dict[str, RecoverySession] = {}  # in the order in which they left
        self._away_from: Counter[str] = Counter()  # how many, by namespace
        self._deserted: set[str] = set()
        self._gone: dict[str, RecoveryFailure] = {}
        self._held = 0  # sessions of sockets that are here, or about to be
        self._recovered = 0
        self._failed = dict.fromkeys(RecoveryFailure, 0)
        self._evicted = 0
        self._refused = 0

    # -- events ------------------------------------------------------------------------------

    @property
    def is_needed(self) -> bool:
        """Whether there is anybody who could miss an event."""
        return bool(self._held or self._away)

    def offset(self, position: int) -> str:
        """Return what clients are told of a position."""
        return f"{self._epoch}.{position}"

    def current_offset(self) -> str:
        """Return the offset of the newest event."""
        return self.offset(self.log.position)

    def next_offset(self) -> str:
        """Return the offset that the next event will have."""
        return self.offset(self.log.position + 1)

    def append(self, audience: Audience, item: T, size: int, now: float) -> Entry[T]:
        """Keep an event; see `PacketLog.append`."""
        return self.log.append(audience, item, size, now)

    # -- sockets that are here ---------------------------------------------------------------

    def begin(self, session: RecoverySession, rooms: Iterable[str]) -> None:
        """Take note that a socket has connected, or is back."""
        if session.began is None:
            self._held += 1
        else:
            session.come_back()
            self._recovered += 1
        session.begin(frozenset(rooms), self.log.position)

    def entered(self, session: RecoverySession, rooms: Iterable[str]) -> None:
        """Take note that a socket that is here has joined rooms."""
        for room in rooms:
            session.rooms.enter(room, self.log.position)

    def left(self, session: RecoverySession, room: str) -> None:
        """Take note that a socket that is here has left a room."""
        session.rooms.forget(self.log.mark)
        session.rooms.leave(room, self.log.position)

    def count_refusal(self) -> None:
        """Take note that a client that is back in time is not let in; its session is dropped."""
        self._refused += 1

    def drop(self, session: RecoverySession) -> None:
        """Take note that a socket is gone and will not come back."""
        self._let_go(session)
        self._clear_unneeded()

    def _let_go(self, session: RecoverySession) -> None:
        if session.began is not None:
            self._held -= 1

    def _clear_unneeded(self) -> None:
        """Drop the events if nobody could miss them: no other one may come to push them out."""
        if not self.is_needed:
            self.log.clear()

    # -- clients that are away ---------------------------------------------------------------

    @property
    def next_deadline(self) -> float | None:
        """When the session that left first expires; `None` if none is away."""
        first = next(iter(self._away.values()), None)
        return None if first is None else first.deadline

    def has_away(self, namespace: str) -> bool:
        """Whether a client of a namespace is away."""
        return namespace in self._away_from

    def save(self, session: RecoverySession, data: dict[str, Any], now: float) -> None:
        """Keep the session of a client that is gone, or that was about to come back.

        Args:
            session: the session, which has begun once.
            data: the application's own.
            now: the time.
        """
        self._let_go(session)
        self.log.trim(now)
        session.leave(data, self.log.position, now + self._duration)
        self._away[session.pid] = session
        self._away_from[session.namespace] += 1
        while len(self._away) > self._max_sessions:
            self._evicted += 1
            self._forget(next(iter(self._away)), RecoveryFailure.EVICTED)
        self._clear_unneeded()

    def expire(self, now: float) -> None:
        """Drop the sessions whose time is over, and events that are too old."""
        self.log.trim(now)
        over = [*takewhile(lambda one: one.is_over(now), self._away.values())]
        for session in over:
            self._forget(session.pid, RecoveryFailure.EXPIRED)
        self._clear_unneeded()

    def forget_away(self) -> None:
        """Drop all sessions of clients that are away, as a server that is started again."""
        for session in [*self._away.values()]:
            self._take_out(session)
            self._deserted.add(session.namespace)
        self._clear_unneeded()

    def take_deserted(self) -> set[str]:
        """Return the namespaces to which nobody who was away can come back any more, once."""
        deserted, self._deserted = self._deserted, set()
        return deserted

    def _take_out(self, session: RecoverySession) -> None:
        del self._away[session.pid]
        self._away_from[session.namespace] -= 1
        if not self._away_from[session.namespace]:
            del self._away_from[session.namespace]

    def _forget(self, pid: str, why: RecoveryFailure) -> None:
        session = self._away[pid]
        self._take_out(session)
        if session.namespace not in self._away_from:
            self._deserted.add(session.namespace)
        self._gone[pid] = why
        if len(self._gone) > MAX_REMEMBERED:
            del self._gone[next(iter(self._gone))]

    def take(
        self, pid: str, namespace: str, offset: object, now: float
    ) -> RecoverySession | RecoveryFailure:
        """Take out the session of a client that is back: it can be used once.

        Args:
            pid: what the client says.
            namespace: where it asks for it.
            offset: the offset that it names, `None` or anything else for none.
            now: the time.

        Returns:
            The session, or why there is none.
        """
        self.expire(now)
        session = self._away.get(pid)
        if session is None or session.namespace != namespace:
            return self._fail(self._gone.get(pid, RecoveryFailure.UNKNOWN))
        self._take_out(session)
        if session.is_over(now):
            return self._fail(RecoveryFailure.EXPIRED)
        position = self._position(offset)
        if position is not None and position > self.log.position:
            return self._fail(RecoveryFailure.OFFSET)
        cursor = session.return_with(position)
        if cursor < self.log.mark or cursor < session.rooms.known_from:
            return self._fail(RecoveryFailure.MISSED)
        self._held += 1
        return session

    def _position(self, offset: object) -> int | None:
        """Return the position of an offset of this epoch, `None` for anything else.

        A client keeps the offset of a former epoch until it gets an event in this one, and a text
        that is none until then, too: so it has had nothing since its CONNECT.
        """
        if not isinstance(offset, str):
            return None
        epoch, dot, digits = offset.rpartition(".")
        is_ours = dot and epoch == self._epoch and digits.isdecimal() and digits.isascii()
        return int(digits) if is_ours and len(digits) <= MAX_DIGITS else None

    def missed(self, session: RecoverySession) -> list[T] | RecoveryFailure:
        """Return the next events that a session missed, and move on behind them.

        Args:
            session: one that `take` has returned.

        Returns:
            Some of them in their order, none if there are no more; or that some are gone by now.
        """
        if session.cursor < self.log.mark:
            return RecoveryFailure.MISSED
        found: list[T] = []
        for entry in self.log.after(session.cursor):
            if entry.item is not None and session.was_meant(entry.audience, entry.position):
                session.was_sent(entry.position)
                found.append(entry.item)
                if len(found) == BATCH:
                    session.move_to(entry.position)
                    return found
        session.move_to(self.log.position)
        return found

    def _fail(self, failure: RecoveryFailure) -> RecoveryFailure:
        self._failed[failure] += 1
        self._clear_unneeded()
        return failure

    def statistics(self) -> RecoveryStatistics:
        """Return what is kept at this moment, and what has been counted."""
        return RecoveryStatistics(
            away=len(self._away),
            packets=len(self.log),
            packet_bytes=self.log.size,
            recovered=self._recovered,
            failed={str(failure): count for failure, count in self._failed.items()},
            evicted=self._evicted,
            refused=self._refused,
        )
