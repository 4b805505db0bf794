"""What is kept of one socket that may come back."""

from typing import Any

from trio_sio.recovery.log import Audience
from trio_sio.recovery.rooms import RoomHistory


class RecoverySession:
    """One socket, from its first CONNECT on, however often its connection is lost.

    Args:
        pid: the secret by which its client is known again.
        socket_id: the socket's id, which stays.
        namespace: where it is.

    Attributes:
        pid, socket_id, namespace: the same.
        rooms: in which rooms it was, and when.
        data: the application's own, kept while the client is away.
        began: the position of the event before its CONNECT; `None` before that.
        cursor: up to which position the client has, or will have had, everything.
        deadline: until when it may come back; `None` unless it is away.
        is_restored: whether it comes back, or has come back.
    """

    __slots__ = (
        "_broken",
        "_left",
        "_sent",
        "began",
        "cursor",
        "data",
        "deadline",
        "is_restored",
        "namespace",
        "pid",
        "rooms",
        "socket_id",
    )

    def __init__(self, pid: str, socket_id: str, namespace: str) -> None:
        self.pid = pid
        self.socket_id = socket_id
        self.namespace = namespace
        self.rooms = RoomHistory()
        self.data: dict[str, Any] = {}
        self.began: int | None = None
        self.cursor = 0
        self.deadline: float | None = None
        self.is_restored = False
        self._broken: int | None = None  # the last event before its connection was lost
        self._sent = 0  # the last event that was sent to it
        self._left = 0  # the last event before it left

    def __repr__(self) -> str:  # without the pid, which is a secret
        return f"<RecoverySession of {self.socket_id!r} in {self.namespace!r}>"

    def begin(self, rooms: frozenset[str], position: int) -> None:
        """Be connected: what is sent from now on comes here."""
        if self.began is None:
            self.began = position
        self.rooms.keep_only(rooms, position)

    def was_sent(self, position: int) -> int:
        """Take note that an event is on its way to the client; return which was the last before."""
        before = self._sent
        if position > before:
            self._sent = position
        return before

    def was_not_sent(self, position: int, before: int) -> None:
        """Take note that an event is not on its way after all."""
        if self._sent == position:
            self._sent = before

    def was_lost(self, position: int) -> None:
        """Take note that an event came too late: the connection is gone, the socket is not yet."""
        if self._broken is None:
            self._broken = position - 1

    def leave(self, data: dict[str, Any], position: int, deadline: float) -> None:
        """Be away from now on.

        Args:
            data: the application's own.
            position: that of the newest event.
            deadline: until when it may come back.
        """
        self.data = data
        if self.deadline is None:  # otherwise it did not get as far as its CONNECT
            self._left = position if self._broken is None else self._broken
            self.deadline, self._broken = deadline, None

    def is_over(self, now: float) -> bool:
        """Whether the client is away and may not come back any more."""
        return self.deadline is not None and self.deadline <= now

    def return_with(self, offset: int | None) -> int:
        """Move the cursor to what the client has had, and return it.

        A client that has had the last event that was sent to it has missed nothing before it left,
        however much was sent to others since.

        Args:
            offset: the position that the client names; `None` if it has had no event.
        """
        assert self.began is not None
        had = max(self.began, offset or 0)
        self.cursor = max(had, self._left) if had >= self._sent else had
        self.is_restored = True
        return self.cursor

    def come_back(self) -> None:
        """Be connected again: the client is told, and has been sent what it missed."""
        self.deadline, self.data, self._broken = None, {}, None

    def move_to(self, position: int) -> None:
        """Move the cursor: what was for this session up to the position is on its way."""
        self.cursor = position

    def was_meant(self, audience: Audience, position: int) -> bool:
        """Whether an event was for this socket, when it was sent."""
        if audience.namespace != self.namespace or audience.sender == self.socket_id:
            return False
        if audience.receiver is not None:
            return audience.receiver == self.socket_id
        if audience.excepted and self.rooms.was_in(audience.excepted, position):
            return False
        return not audience.rooms or self.rooms.was_in(audience.rooms, position)
