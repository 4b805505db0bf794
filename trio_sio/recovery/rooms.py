"""In which rooms a socket was, and when.

An event is replayed to those to whom it was sent: to a socket that was in the room then. One that
has joined since must not hear what was said before, and one that has left may have missed something
from the time before that.
"""

from collections import deque
from collections.abc import Collection

MAX_STAYS = 100
"""Rooms that were left, of one socket."""


class RoomHistory:
    """The rooms of one socket, by the positions of events.

    Attributes:
        known_from: what was sent up to this position may have been sent to rooms that are
            forgotten.
    """

    __slots__ = ("_past", "_present", "known_from")

    def __init__(self) -> None:
        self._present: dict[str, int] = {}
        self._past: deque[tuple[str, int, int]] | None = None  # most leave nothing
        self.known_from = 0

    @property
    def present(self) -> frozenset[str]:
        """The rooms that it is in."""
        return frozenset(self._present)

    def enter(self, room: str, position: int) -> None:
        """Join a room: what is sent after the position comes here; nothing changes if it is in."""
        self._present.setdefault(room, position)

    def leave(self, room: str, position: int) -> None:
        """Leave a room: what is sent after the position does not come here."""
        since = self._present.pop(room, position)
        if since == position:
            return  # nothing was sent meanwhile
        if self._past is None:
            self._past = deque()
        self._past.append((room, since, position))
        if len(self._past) > MAX_STAYS:
            self.known_from = self._past.popleft()[2]

    def keep_only(self, rooms: Collection[str], position: int) -> None:
        """Be in these rooms and in no others."""
        for room in self._present.keys() - set(rooms):
            self.leave(room, position)
        for room in rooms:
            self.enter(room, position)

    def forget(self, mark: int) -> None:
        """Forget the rooms that were left before what is still in the log."""
        past = self._past
        while past and past[0][2] <= mark:
            past.popleft()
        if not past:
            self._past = None

    def was_in(self, rooms: frozenset[str], position: int) -> bool:
        """Whether it was in one of the rooms when the event of a position was sent."""
        present = self._present
        if any(room in present and present[room] < position for room in rooms):
            return True
        return any(
            room in rooms and since < position <= until for room, since, until in self._past or ()
        )
