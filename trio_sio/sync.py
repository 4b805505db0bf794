"""Waiting for other tasks: events made lazily, conditions, one parked task.

They do what Trio's own `Event` and `ParkingLot` do, for less: a server keeps several of them for
each of its clients, of which nearly all are idle. So whatever takes memory is made when a task has
to wait, and given back afterwards. `trio_sio.channel` has the channel that goes with them.

LazyEvent   happens once
Notifier    happens again and again
Condition   a notifier whose waiters each wait for a predicate
Parked      one task, until another one wakes it
"""

from collections.abc import Callable, Coroutine
from typing import Any

import trio


class LazyEvent:
    """A `trio.Event` that allocates only when a task waits for it, 260 bytes less until then.

    Attributes:
        is_set: whether it has happened.
    """

    __slots__ = ("_event", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._event: trio.Event | None = None

    def set(self) -> None:
        """Set the event and wake everyone who waits for it; setting it again does nothing."""
        self.is_set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        """Return once the event is set."""
        if self.is_set:
            await trio.lowlevel.checkpoint()
            return
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()


class Notifier:
    """Wakes everyone who waits, as often as it is told to; 40 bytes while nobody does.

    It has no memory: a notification that comes before `wait` is called does not end that wait.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: trio.Event | None = None

    def notify_all(self) -> None:
        """Wake everyone who waits at this moment."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Return after the next `notify_all`."""
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()


async def settle(rounds: int) -> None:
    """Let all other tasks run for some iterations of the event loop.

    Args:
        rounds: the number of iterations. A task that was woken needs one to run; each task that
            it wakes in turn needs another.
    """
    for _ in range(rounds):
        await trio.lowlevel.checkpoint()


_SETTLING_ROUNDS = 5
"""Iterations after which a reader has taken what has arrived. A socket needs one to hand over its
bytes, a stream in memory three."""


class Condition:
    """As `threading.Condition`, with a predicate for each waiter and no lock.

    Whoever changes what the predicates depend on calls `notify_all`.
    """

    __slots__ = ("_changed",)

    def __init__(self) -> None:
        self._changed = Notifier()

    def notify_all(self) -> None:
        """Have every waiter evaluate its predicate again."""
        self._changed.notify_all()

    async def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Return as soon as the predicate is true; no other task has run since it was evaluated.

        Args:
            predicate: evaluated at the beginning, and soon after each `notify_all`.
        """
        await trio.lowlevel.checkpoint()
        while not predicate():
            await self._changed.wait()
            await settle(_SETTLING_ROUNDS)


class Parked:
    """At most one task that waits until another task wakes it.

    Attributes:
        task: the task that waits, `None` if none does.
    """

    __slots__ = ("task",)

    def __init__(self) -> None:
        self.task: trio.lowlevel.Task | None = None

    def park(self) -> Coroutine[Any, Any, Any]:
        """Wait until `wake` is called; to be awaited at once.

        Raises:
            trio.BusyResourceError: another task waits here.
        """
        if self.task is not None:
            raise trio.BusyResourceError("another task is waiting")
        self.task = trio.lowlevel.current_task()
        return trio.lowlevel.wait_task_rescheduled(self._abort)  # noqa: ASYNC105 - by the caller

    def wake(self) -> None:
        """Let the task go on; nothing happens if none waits."""
        task, self.task = self.task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    def _abort(self, error: object) -> trio.lowlevel.Abort:
        """Forget the task: it has been cancelled (called by Trio)."""
        self.task = None
        return trio.lowlevel.Abort.SUCCEEDED
