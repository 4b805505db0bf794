"""The writer of one session: sends what its outbox cannot send without waiting.

It is made when there is something to do for it, since a task that waits takes 4 kB.
"""

import math

import trio

from trio_sio.engine.session.outbox import Outbox
from trio_sio.sync import LazyEvent, Parked


class Writer:
    """The only one that awaits a transport's `send`.

    Args:
        outbox: the session's.

    Attributes:
        parted: set once the client has been told of the end, and has been heard until it knew.
    """

    __slots__ = ("_deadline", "_has_work", "_may_finish", "_outbox", "_parked", "_scope", "parted")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._deadline = math.inf
        self._has_work = True
        self._parked = Parked()
        self._scope: trio.CancelScope | None = None
        self._may_finish, self.parted = LazyEvent(), LazyEvent()

    def wake(self) -> None:
        """Look for work; nothing is lost if it comes while other work is done."""
        self._has_work = True
        self._parked.wake()

    def finish_by(self, deadline: float) -> None:
        """Set when writing is given up; the session ends then, whatever comes in.

        Args:
            deadline: seconds, by `trio.current_time()`.
        """
        self._deadline = deadline
        if self._scope is not None:
            self._scope.deadline = deadline
        self.parted.set()
        self._may_finish.set()

    async def write(self) -> None:
        """Write until the outbox is closed and nothing is left, or the deadline has passed.

        Raises:
            trio.BrokenResourceError: the peer is gone.
        """
        outbox = self._outbox
        with trio.CancelScope(deadline=self._deadline) as self._scope:
            while not (outbox.closed and outbox.is_idle):
                await self._wait_for_work()
                while outbox.is_due:
                    await outbox.write_batch()

    async def part(self) -> None:
        """Tell the client that the session ends; return when `finish_by` has been called.

        Or when the client has moved to another transport meanwhile.
        """
        transport = self._outbox.transport
        await transport.part()
        if transport is self._outbox.transport:
            self.parted.set()
            await self._may_finish.wait()

    async def _wait_for_work(self) -> None:
        if self._has_work:
            await trio.lowlevel.checkpoint()
        else:
            await self._parked.park()
        self._has_work = False
