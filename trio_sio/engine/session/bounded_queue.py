"""A queue of items for one client, bounded by their number and by their bytes."""

from collections import deque
from typing import Protocol

from trio_sio.disconnect import Explanation
from trio_sio.protocol.encoded import Encoded

NOTHING: deque[Encoded] = deque()
"""In place of a queue into which nothing was ever put: a deque takes 700 bytes, and most clients
never need one."""


class OutboxLimits(Protocol):
    """The options that limit an outbox; `EngineOptions` has them."""

    @property
    def max_outbox(self) -> int:
        """Items that may be queued."""

    @property
    def max_outbox_bytes(self) -> int:
        """Bytes that may be queued; an empty queue still takes one larger item."""

    @property
    def high_water(self) -> float:
        """How full it is, 0 to 1, above which the client is behind at the end of a tick."""

    @property
    def low_water(self) -> float:
        """How full it is, 0 to 1, when the client has caught up."""

    @property
    def on_overflow(self) -> str:
        """What is done with an item of a broadcast that does not fit."""


class OutboxOwner(Protocol):
    """What an outbox asks of its session."""

    def wake_writer(self) -> None:
        """Have the writer task look for work; start it if it does not run."""

    def backlog_changed(self, is_behind: bool) -> None:
        """The client fell behind, or caught up.

        It is called at the end of a tick, when nothing is on its way out that something sent now
        could overtake.
        """

    def slow_consumer(self, why: Explanation) -> None:
        """End the session: an item does not fit, and the policy is to disconnect."""

    def count_limit(self, option: str) -> None:
        """Count a limit that was reached without ending the session."""

    def flush_failed(self, error: BaseException) -> None:
        """End the session: `backlog_changed` or the transport raised at the end of a tick."""


class BoundedQueue:
    """A queue of items for one client.

    Args:
        limits: how much may be queued.

    Attributes:
        dropped: items that were dropped, volatile ones and those of the overflow policy.
        peak_bytes: the most bytes that were ever queued.
    """

    __slots__ = ("_limits", "_queue", "_size", "dropped", "peak_bytes")

    def __init__(self, limits: OutboxLimits) -> None:
        self.dropped = 0
        self.peak_bytes = 0
        self._limits = limits
        self._queue = NOTHING
        self._size = 0

    def __len__(self) -> int:
        return len(self._queue)

    def level(self) -> float:
        """Return how full it is, 0 to 1; a larger item than it may have counts as more."""
        limits = self._limits
        return max(len(self._queue) / limits.max_outbox, self._size / limits.max_outbox_bytes)

    def fits(self, item: Encoded) -> bool:
        """Whether there is room for an item."""
        queue, limits = self._queue, self._limits
        return len(queue) < limits.max_outbox and (
            not queue or self._size + item.size <= limits.max_outbox_bytes
        )

    def why_full(self, item: Encoded) -> Explanation:
        """Return the limit that an item which does not fit would exceed."""
        packets, limit = len(self._queue) + 1, self._limits.max_outbox
        if packets > limit:
            text = "packets wait for a client that does not take them"
            return Explanation(f"{packets} {text}", "max_outbox", limit, packets)
        size = self._size + item.size
        text = f"{size} bytes wait for a client that does not take them"
        return Explanation(text, "max_outbox_bytes", self._limits.max_outbox_bytes, size)

    def append(self, item: Encoded) -> None:
        """Queue an item, whether it fits or not."""
        if self._queue is NOTHING:
            self._queue = deque()
        self._queue.append(item)
        self._size += item.size
        if self._size > self.peak_bytes:
            self.peak_bytes = self._size

    def drop(self) -> None:
        """Count an item that is not queued."""
        self.dropped += 1

    def pop_batch(self, limit: int) -> list[Encoded]:
        """Take the first item, and those behind it up to `limit` bytes; needs an item."""
        queue = self._queue
        first = queue.popleft()
        items = [first]
        size = first.size
        while queue and size + queue[0].size <= limit:
            item = queue.popleft()
            size += item.size
            items.append(item)
        self._size -= size
        return items

    def clear(self) -> None:
        """Forget what is queued."""
        self._queue.clear()
        self._size = 0

    def make_room(self, item: Encoded) -> bool:
        """Drop the oldest events of broadcasts until `item` fits; none if it cannot fit."""
        queue = self._queue
        size = self._size
        oldest: list[Encoded] = []
        kept = 0
        while queue and not self._fits_behind(item, kept):
            one = queue.popleft()
            oldest.append(one)
            if one.droppable:
                self._size -= one.size
            else:
                kept += 1
        fits = self._fits_behind(item, kept)
        if fits:
            self.dropped += len(oldest) - kept
            oldest = [one for one in oldest if not one.droppable]
        else:
            self._size = size
        queue.extendleft(reversed(oldest))
        return fits

    def _fits_behind(self, item: Encoded, kept: int) -> bool:
        packets, limits = len(self._queue) + kept, self._limits
        return packets < limits.max_outbox and (
            packets == 0 or self._size + item.size <= limits.max_outbox_bytes
        )
