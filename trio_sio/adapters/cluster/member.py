"""`Member`: this server in its cluster; what the adapters of its namespaces have in common.

They count together, they write to one log, and the answers to other servers that have to wait for
something run in one nursery, never in the task that receives messages.
"""

import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import trio

from trio_sio.abc import AdapterHost
from trio_sio.failures import failures
from trio_sio.logs.shown import printable

logger = logging.getLogger("trio_sio.adapters")

MAX_ANSWERS = 1024
"""Answers under way at a time. Another server may well have a thousand sockets join a room at once,
and each of these answers waits for the broker."""


@dataclass(slots=True)
class ClusterCounters:
    """What the adapters of one server count.

    Attributes:
        received: messages of other servers that were delivered here or answered.
        invalid: messages that could not be read, and were ignored.
        refused: requests that were not answered, because too many answers were under way.
        unanswered: requests to other servers that not all of them answered in time.
    """

    received: int = 0
    invalid: int = 0
    refused: int = 0
    unanswered: int = 0


class Member:
    """What the adapters of one server have in common; it works while `run` does.

    Args:
        max_answers: answers to other servers under way at a time; further ones are refused.

    Attributes:
        counters: what the adapters count.
        max_answers: the same.
    """

    def __init__(self, max_answers: int = MAX_ANSWERS) -> None:
        self.counters = ClusterCounters()
        self.max_answers = max_answers
        self._numbers = itertools.count()
        self._running = 0
        self._host: AdapterHost | None = None
        self._nursery: trio.Nursery | None = None

    def next_number(self) -> int:
        """Return a number that no request of this server has had."""
        return next(self._numbers)

    # -- what has to be said -----------------------------------------------------------------

    def tell(self, kind: str | tuple[str, ...], text: str, *args: object) -> None:
        """Warn in the log, at a limited rate; arguments as `trio_sio.logs.shown` returns them.

        Args:
            kind: what this is another example of, in words of ours.
            text: as for `logging`.
            *args: likewise.
        """
        if self._host is not None:
            self._host.log.tell(logger, logging.WARNING, kind, text, *args)

    def tell_missing(self, name: str, namespace: str, missing: Sequence[str]) -> None:
        """Count and log that servers have not responded in time.

        Args:
            name: what the responses are called.
            namespace: the namespace.
            missing: the servers, as names for people.
        """
        self.counters.unanswered += 1
        text = "the %s response for %s is incomplete: missing %s"
        shown = printable(namespace), printable(", ".join(missing), 200)
        self.tell(("unanswered", name), text, name, *shown)

    def report(self, error: BaseException, text: str, *args: object) -> None:
        """Report what a function of the application raised, or a mistake of ours.

        Raises:
            BaseException: the error, as the server wants it.
        """
        if self._host is None:
            raise error
        self._host.report(error, text, *args)

    # -- answers that wait -------------------------------------------------------------------

    def start(self, function: Callable[..., Awaitable[None]], *args: object) -> bool:
        """Start a task, unless there are too many; return whether it was started."""
        if self._nursery is None or self._running >= self.max_answers:
            self.counters.refused += 1
            text = "a request of another server was refused: %d answers are under way"
            self.tell("refused", text, self._running)
            return False
        self._running += 1
        self._nursery.start_soon(self._run, function, args)
        return True

    async def _run(
        self, function: Callable[..., Awaitable[None]], args: tuple[object, ...]
    ) -> None:
        try:
            await function(*args)
        except failures() as error:
            self.report(error, "a request of another server could not be answered")
        finally:
            self._running -= 1

    async def run(
        self,
        host: AdapterHost,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run the tasks of answers until cancelled.

        Args:
            host: the server.
            task_status: to be told when requests may come.
        """
        self._host = host
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                task_status.started()
                await trio.sleep_forever()
        finally:
            self._nursery = None
