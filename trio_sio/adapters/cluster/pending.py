"""`Pending`: a request that waits for the responses of several servers, and who is missing.

And `PendingTable`: all that one namespace has asked the other servers and still waits for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

import trio

from trio_sio.exceptions import NoAnswer

MAX_PENDING = 1000
"""Requests of a namespace under way at a time; further ones wait for their turn."""

UNREACHABLE = "the other servers, which cannot be reached"
HERE = "this server"


class OfNode(Protocol):
    """A response that may say which server it is from."""

    @property
    def node(self) -> str | None: ...


R = TypeVar("R", bound=OfNode)
T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Awaiting(Protocol[T_contra]):
    """What waits for responses; a `Pending`, for example."""

    def take(self, response: T_contra, /) -> None:
        """Take what a server says."""

    def cut(self) -> None:
        """Expect no more: the namespace is gone."""


class Pending(Generic[R]):
    """A request that waits for responses.

    Args:
        expected: how many are expected.
        here: what this server responds, if that is known already.

    Attributes:
        responses: what has arrived, in that order.
        nodes: which servers that is from, of those that say so.
    """

    __slots__ = ("_done", "_expected", "nodes", "responses")

    def __init__(self, expected: int, here: R | None = None) -> None:
        self.responses: list[R] = []
        self.nodes: set[str] = set()
        self._expected = expected
        self._done = trio.Event()
        if not expected:
            self._done.set()
        if here is not None:
            self.take(here)

    @property
    def missing(self) -> int:
        """How many responses have not arrived."""
        return self._expected - len(self.responses)

    def take(self, response: R) -> None:
        """Take a response, unless that server has responded, or enough have."""
        if not self.missing or response.node in self.nodes:
            return
        if response.node is not None:
            self.nodes.add(response.node)
        self.responses.append(response)
        if not self.missing:
            self._done.set()

    def finish(self) -> None:
        """Expect no more: what was wanted has come."""
        self._done.set()

    def cut(self) -> None:
        """Expect no more: the namespace is gone."""
        self.finish()

    async def wait(self) -> None:
        """Wait until all responses have arrived, or no more are expected."""
        await self._done.wait()

    def missing_names(
        self, others: int | None, peers: Mapping[str, str], here: str | None = None
    ) -> tuple[str, ...]:
        """Return who has not responded, as names for people, as far as that is known.

        Args:
            others: how many other servers were asked; `None` if nobody can say.
            peers: those that announce themselves, uid to name.
            here: the uid of this server, if it is to respond itself.
        """
        silent = [name for one, name in peers.items() if one not in self.nodes]
        owed = () if here is None or here in self.nodes else (HERE,)
        if others is None:
            return (*owed, *(silent or [UNREACHABLE]))
        count = self.missing - len(owed)
        if count < len(silent):  # some of them do not have the namespace
            some = (f"{count} of {', '.join(silent)}",) if count else ()
            return (*owed, *some)
        return (*owed, *silent, *nameless(count - len(silent)))


class PendingTable(Generic[T]):
    """The requests of one namespace that are under way.

    Attributes:
        turns: for those that may be under way at a time; whoever asks waits for one of them.
        is_closed: whether the namespace is gone.
    """

    __slots__ = ("_by_id", "is_closed", "turns")

    def __init__(self) -> None:
        self._by_id: dict[str, Awaiting[T]] = {}
        self.turns = trio.Semaphore(MAX_PENDING)
        self.is_closed = False

    def __bool__(self) -> bool:
        return bool(self._by_id)

    @contextmanager
    def expecting(self, pending: Awaiting[T], *ids: str) -> Iterator[None]:
        """Hand over the responses to some requests, as long as this lasts."""
        self._by_id.update(dict.fromkeys(ids, pending))
        try:
            yield
        finally:
            for one in ids:
                del self._by_id[one]

    def take(self, request_id: str, response: T) -> None:
        """Hand over the response to a request; one that nobody waits for is ignored."""
        pending = self._by_id.get(request_id)
        if pending is not None:
            pending.take(response)

    def close(self) -> None:
        """End the requests that are under way: the namespace is gone."""
        self.is_closed = True
        for pending in self._by_id.values():
            pending.cut()

    def check_open(self, lost: str) -> None:
        """Raise `NoAnswer` if the namespace is gone, with what is lost."""
        if self.is_closed:
            raise NoAnswer(f"the namespace was dropped: {lost}")


def nameless(count: int) -> tuple[str, ...]:
    """Return the name of so many servers that do not announce themselves; none for 0."""
    if count == 1:
        return ("1 node that does not announce itself",)
    return (f"{count} nodes that do not announce themselves",) if count else ()
