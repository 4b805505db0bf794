"""The order in which the sockets of one client depart."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

import trio

from trio_sio.sync import LazyEvent, Notifier

S = TypeVar("S", bound=Hashable)


class Departure(Generic[S]):
    """One socket's place among those that depart.

    Args:
        before: the end of the departure that this one follows, if any.

    Attributes:
        freed: set when the socket's id is free for another socket of the client.
        ended: set when the socket has run its last handler.
    """

    __slots__ = ("_announced", "_before", "ended", "freed")

    def __init__(self, before: LazyEvent | None) -> None:
        self._before = before
        self._announced: tuple[Exception, Sequence[S]] | None = None
        self.freed = LazyEvent()
        self.ended = LazyEvent()

    async def wait_turn(self, patience: float) -> None:
        """Wait until the socket before this one has departed, even if everything is cancelled.

        Args:
            patience: seconds to wait at most: a handler that does not end delays nobody for long.
        """
        before, self._before = self._before, None
        if before is not None:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + patience):
                await before.wait()

    def announce(self, error: Exception, witnesses: Sequence[S]) -> None:
        """Have sockets told of an error before this one departs.

        Args:
            error: a packet that broke the protocol.
            witnesses: the sockets.
        """
        self._announced = error, witnesses

    def take_announcement(self) -> tuple[Exception, Sequence[S]] | None:
        """Return what `announce` was given, once: the error's traceback holds much."""
        announced, self._announced = self._announced, None
        return announced


class Departures(Generic[S]):
    """The sockets of one client that are leaving: each follows the one that began before it."""

    __slots__ = ("_departed", "_last", "_leaving")

    def __init__(self) -> None:
        self._leaving: dict[S, Departure[S]] | None = None  # most of the time nobody leaves
        self._last: Departure[S] | None = None  # the most recent one, until it has ended
        self._departed: Notifier | None = None  # for whoever waits until one has

    def __len__(self) -> int:
        return len(self._leaving or ())

    def __getitem__(self, socket: S) -> Departure[S]:
        if self._leaving is None:
            raise KeyError(socket)
        return self._leaving[socket]

    def begin(self, socket: S) -> None:
        """Line up a socket that begins to leave."""
        if self._leaving is None:
            self._leaving = {}
        departure: Departure[S] = Departure(None if self._last is None else self._last.ended)
        self._leaving[socket] = self._last = departure

    def end(self, socket: S) -> None:
        """Let the next one depart: this one has run its last handler."""
        departure = self[socket]
        departure.ended.set()
        if self._last is departure:
            self._last = None
        assert self._leaving is not None
        del self._leaving[socket]
        if not self._leaving:
            self._leaving = None
        if self._departed is not None:
            self._departed.notify_all()

    async def wait_one(self) -> None:
        """Wait until a socket has departed."""
        if self._departed is None:
            self._departed = Notifier()
        await self._departed.wait()
