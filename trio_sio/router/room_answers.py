"""The answers of several sockets to one event, in the order in which they arrive."""

from collections.abc import AsyncIterator
from typing import Any, Self

import trio

from trio_sio.exceptions import MissingAnswers
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.router.handlers import as_result
from trio_sio.sync import Notifier


class Answers:
    """The answers to one event while they come; an async iterator.

    Args:
        timeout: seconds to wait for them, from now on.

    Attributes:
        timeout: the same.
        deadline: when they are over, in Trio's time.
        arrived: the answers so far; each is `None`, one value, or a tuple of several.
        answered: who has given them, in the same order: ids of sockets. Of clients of other servers
            with `generation=4`, only the server is known: "a client of web-2".
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.deadline = trio.current_time() + timeout
        self.arrived: list[Any] = []
        self.answered: list[str] = []
        self._given = 0
        self._owed: dict[str, int] = {}
        self._lost: list[str] = []
        self._is_asked = False
        self._is_over = False
        self._changed = Notifier()

    @property
    def missing(self) -> tuple[str, ...]:
        """Who has not answered: ids of sockets, and names of servers that have not responded."""
        owed = [name for name, count in self._owed.items() for _ in range(count)]
        return (*self._lost, *owed)

    # -- for whoever has asked -------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - whatever the client says
        """Return the next answer.

        Raises:
            StopAsyncIteration: all have answered who are still here.
            MissingAnswers: not all have, and the time is over.
        """
        await trio.lowlevel.checkpoint()
        while self._given == len(self.arrived) and self._is_waiting:
            with trio.move_on_at(self.deadline) as scope:
                await self._changed.wait()
            if scope.cancelled_caught:
                self.close()
        if self._given < len(self.arrived):
            self._given += 1
            return self.arrived[self._given - 1]
        self.check()
        raise StopAsyncIteration

    async def named(self) -> AsyncIterator[tuple[str, Any]]:
        """Yield the same answers, each behind the name in `answered` of who has given it.

        Raises:
            MissingAnswers: not all have answered, and the time is over.
        """
        async for answer in self:
            yield self.answered[self._given - 1], answer

    @property
    def _is_waiting(self) -> bool:
        return bool(self._owed) and not self._is_over

    async def wait_complete(self) -> None:
        """Wait until all have answered who are still here."""
        while self._is_waiting:
            await self._changed.wait()

    def check(self) -> None:
        """Raise `MissingAnswers` unless all have answered who are still here."""
        missing = self.missing
        if missing or not self._is_asked:
            raise MissingAnswers(self.arrived, missing)

    # -- for whoever asks --------------------------------------------------------------------

    def begin(self) -> None:
        """All have been asked."""
        self._is_asked = True

    def close(self) -> None:
        """The time is over: what comes from now on does not count."""
        self._is_over = True
        self._changed.notify_all()

    # -- for the adapter ---------------------------------------------------------------------

    def expect(self, *names: str) -> None:
        """Wait for an answer of each of these."""
        if not self._is_over:
            for name in names:
                self._owed[name] = self._owed.get(name, 0) + 1

    def take(self, name: str, args: list[JSON]) -> None:
        """Take the arguments of an answer; one that is not expected is ignored."""
        if self._settle(name):
            self.arrived.append(as_result(args))
            self.answered.append(name)
            self._changed.notify_all()

    def drop(self, *names: str) -> None:
        """Wait no longer for sockets that have left, or servers that have spoken."""
        for name in names:
            self._settle(name)
        self._changed.notify_all()

    def give_up(self, *names: str) -> None:
        """Wait no longer for these: they are missing."""
        self._lost += [name for name in names if self._settle(name)]
        self._changed.notify_all()

    def _settle(self, name: str) -> bool:
        """Wait for one answer less; return whether it was waited for."""
        count = self._owed.get(name, 0)
        if not count or self._is_over:
            return False
        if count > 1:
            self._owed[name] = count - 1
        else:
            del self._owed[name]
        return True
