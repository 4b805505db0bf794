"""The events that were sent, in their order, until they are too many, too large or too old.

Each event has a position, counted from 1. What is dropped is always the oldest, so one number, the
mark, says all about what is gone: a client that has had everything up to the mark has missed
nothing that is not here.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Audience(NamedTuple):
    """Whom an event was sent to.

    Attributes:
        namespace: the sockets of this one,
        rooms: in any of these rooms, or all of them if there are none,
        excepted: but in none of these,
        sender: and not this one;
        receiver: or this one alone, wherever it is. (Others may be in the room of its id.)
    """

    namespace: str
    rooms: frozenset[str] = frozenset()
    excepted: frozenset[str] = frozenset()
    sender: str | None = None
    receiver: str | None = None


class Entry(Generic[T]):
    """One event of a log.

    Attributes:
        position: its place in the order.
        audience: whom it was sent to.
        item: what was sent; `None` if it was withdrawn.
        size: its size in bytes.
        time: when it was sent.
    """

    __slots__ = ("audience", "item", "position", "size", "time")

    def __init__(self, position: int, audience: Audience, item: T, size: int, time: float) -> None:
        self.position = position
        self.audience = audience
        self.item: T | None = item
        self.size = size
        self.time = time

    def withdraw(self) -> int:
        """Keep the event no more: nobody has got it. Return the bytes that this frees."""
        size, self.size = self.size, 0
        self.item = None
        return size


class PacketLog(Generic[T]):
    """The last events.

    Args:
        keep: seconds for which an event is kept.
        max_packets: how many are kept.
        max_bytes: their size in bytes.

    Attributes:
        position: that of the newest event, 0 before the first.
        mark: that of the newest event that was dropped, 0 if none was.
        size: of all events in bytes.
    """

    __slots__ = ("_entries", "_keep", "_max_bytes", "_max_packets", "mark", "position", "size")

    def __init__(self, *, keep: float, max_packets: int, max_bytes: int) -> None:
        self._keep = keep
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self._entries: deque[Entry[T]] = deque()
        self.position = 0
        self.mark = 0
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, audience: Audience, item: T, size: int, now: float) -> Entry[T]:
        """Add an event.

        Args:
            audience: whom it is sent to.
            item: what is sent.
            size: its size in bytes.
            now: the time.
        """
        self.position += 1
        entry = Entry(self.position, audience, item, size, now)
        self._entries.append(entry)
        self.size += size
        self.trim(now)
        return entry

    def trim(self, now: float) -> None:
        """Drop the oldest events as long as there is too much, or one is too old."""
        entries, oldest = self._entries, now - self._keep
        while entries and (
            len(entries) > self._max_packets
            or self.size > self._max_bytes
            or entries[0].time < oldest
        ):
            dropped = entries.popleft()
            self.size -= dropped.size
            self.mark = dropped.position

    def clear(self) -> None:
        """Drop all events."""
        self._entries.clear()
        self.size, self.mark = 0, self.position

    def withdraw(self, entry: Entry[T]) -> None:
        """Forget what an event said: nobody has got it."""
        if entry.position > self.mark:
            self.size -= entry.withdraw()

    def after(self, position: int) -> Iterator[Entry[T]]:
        """Yield the events behind a position that are still here, without withdrawn ones."""
        for entry in islice(self._entries, max(0, position - self.mark), None):
            if entry.item is not None:
                yield entry
