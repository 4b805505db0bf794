"""The order in which the sockets of one client begin to handle its events.

Each socket has a task of its own, and Trio wakes tasks in any order. So the tasks of one client
begin one at a time: the one that is woken has the turn, and passes it on once the application's
function has begun. Those that become ready meanwhile line up by the number of their first event.
A handler that waits has passed the turn on, and delays its own socket alone.
"""

from heapq import heappop, heappush
from typing import Protocol


class Contender(Protocol):
    """What lines up: the inbox of a socket."""

    def take_turn(self) -> bool:
        """Take the turn; return whether it is still wanted."""

    def lose_turn(self) -> None:
        """Line up again: somebody with an earlier event was faster."""


class EventOrder:
    """Which of one client's sockets may begin.

    Whenever sockets line up, another one has the turn.
    """

    __slots__ = ("_granted", "_line", "_number", "_turn")

    def __init__(self) -> None:
        self._number = 0
        self._turn: Contender | None = None
        self._granted = 0  # the number that the turn was given for; 0 from when it is used
        self._line: list[tuple[int, Contender]] | None = None  # most clients have one socket

    def count(self) -> int:
        """Return the number of the event that the client sent just now."""
        self._number += 1
        return self._number

    def count_and_claim(self, contender: Contender) -> tuple[int, bool]:
        """Do as `count`, then as `claim`: for an event that somebody waits for."""
        number = self._number = self._number + 1
        return number, self.claim(contender, number)

    def claim(self, contender: Contender, number: int) -> bool:
        """Take the turn for a task that is about to run, or line up for it.

        Args:
            contender: the socket's inbox, which does not line up already.
            number: of the event that the socket is to begin with.

        Returns:
            Whether it has the turn. If not, `take_turn` is called when it is given the turn.
        """
        if self._turn is None or self._turn is contender:
            self._turn = contender
            self._granted = number
            return True
        self.line_up(contender, number)
        return False

    def begin(self, contender: Contender, number: int) -> bool:
        """Begin with an event, if it is this contender's turn.

        A turn that was given for a later event and has not been used yet is taken back. A task that
        was given the turn and passes it on in the same step need not call this.
        """
        turn = self._turn
        if turn is None or turn is contender:
            self._turn = contender
        elif number < self._granted:
            self.line_up(turn, self._granted)
            turn.lose_turn()
            self._turn = contender
        else:
            return False
        self._granted = 0
        return True

    def line_up(self, contender: Contender, number: int) -> None:
        """Wait for the turn; `take_turn` is called then."""
        if self._line is None:
            self._line = []
        heappush(self._line, (number, contender))

    def pass_on(self, contender: Contender) -> None:
        """Let the next one begin; nothing happens if it is not this contender's turn."""
        if self._turn is not contender:
            return
        while self._line:
            number, first = heappop(self._line)
            if first.take_turn():
                self._turn = first
                self._granted = number
                return
        self._turn = self._line = None
