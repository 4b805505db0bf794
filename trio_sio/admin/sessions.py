"""The sessions that are here, and why the last ones have ended.

Session ids are as good as passwords while their session lives. So operators see the first
characters, and name a session by a number.
"""

import itertools
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import trio

from trio_sio.admin.packed import PackedReader
from trio_sio.admin.packets import PacketFeed, SessionTap
from trio_sio.engine.session.session import Session
from trio_sio.logs.shown import printable, short_id

KEPT_ENDS = 50
"""Ends of sessions that are remembered, the latest ones."""


class Entry(NamedTuple):
    """One session that is here.

    Attributes:
        number: what operators call it.
        session: the session.
        since: when it began (Unix time in seconds).
    """

    number: int
    session: Session
    since: float


class SessionBook:
    """Knows all sessions of one server; the engine tells it of them.

    Args:
        namespace: of the view, whose own packets are not shown.
        find_reader: returns what reads packets of MessagePack, `None` for other parsers.

    Attributes:
        present: the sessions that are here, by number.
        ends: the last sessions that have ended, as JSON, the latest first.
    """

    def __init__(
        self, namespace: str, find_reader: Callable[[], PackedReader | None] = lambda: None
    ) -> None:
        self.present: dict[int, Entry] = {}
        self.ends: deque[dict[str, object]] = deque(maxlen=KEPT_ENDS)
        self._namespace = namespace
        self._find_reader = find_reader
        self._numbers: dict[Session, int] = {}
        self._count = itertools.count(1)
        self._feeds: list[PacketFeed] = []

    # -- called by the engine ------------------------------------------------------------------

    def began(self, session: Session) -> None:
        """Note a new session."""
        number = next(self._count)
        self._numbers[session] = number
        self.present[number] = Entry(number, session, time.time())
        if self._feeds:
            self._tap(number, session)

    def ended(self, session: Session) -> None:
        """Note why a session has ended."""
        number = self._numbers.pop(session)
        entry = self.present.pop(number)
        self.ends.appendleft(_end(entry))

    # -- for operators -------------------------------------------------------------------------

    def open_feed(self, feed: PacketFeed) -> None:
        """Send packets of all sessions to a feed, too."""
        if feed in self._feeds:
            return
        self._feeds.append(feed)
        if len(self._feeds) == 1:
            for number, entry in self.present.items():
                self._tap(number, entry.session)

    def close_feed(self, feed: PacketFeed) -> None:
        """Stop that; without feeds, nothing is tapped any more."""
        if feed not in self._feeds:
            return
        self._feeds.remove(feed)
        if not self._feeds:
            for entry in self.present.values():
                entry.session.watch(None)

    @property
    def is_watched(self) -> bool:
        """Whether packets are shown to somebody."""
        return bool(self._feeds)

    def _tap(self, number: int, session: Session) -> None:
        session.watch(SessionTap(number, self._namespace, self._feeds, self._find_reader()))


def _end(entry: Entry) -> dict[str, object]:
    session, detail = entry.session, entry.session.detail
    end: dict[str, object] = {
        "number": entry.number,
        "id": short_id(session.id),
        "address": session.request.remote,
        "transport": session.transport.name,
        "lasted": round(time.time() - entry.since, 1),
        "at": time.time(),
    }
    if detail is not None:
        end |= {
            "reason": str(detail.reason),
            "text": printable(detail.text, 200),
            "option": detail.option,
            "limit": detail.limit,
            "size": detail.size,
            "silent": round(max(trio.current_time() - detail.last_seen, 0), 1),
            "stalled": round(detail.stalled, 2),
        }
    return end
