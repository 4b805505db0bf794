"""The items that wait for one client, bounded by their number and by their bytes."""

from collections import deque

from trio_sio.disconnect import Explanation
from trio_sio.protocol.encoded import Encoded

NOTHING: deque[Encoded] = deque()
"""In place of a queue that nothing was ever put into: it takes 700 bytes, and most clients never
have one."""


class BoundedQueue:
    """A queue of items; `Outbox` puts them in and takes them out.

    Args:
        max_packets: items that may be queued.
        max_bytes: bytes that may be queued; one larger item is still taken by an empty queue.

    Attributes:
        dropped: items that were dropped, volatile ones and those of the overflow policy.
        peak_bytes: the most bytes that ever waited.
    """

    __slots__ = ("_queue", "_size", "dropped", "max_bytes", "max_packets", "peak_bytes")

    def __init__(self, max_packets: int, max_bytes: int) -> None:
        self.max_packets = max_packets
        self.max_bytes = max_bytes
        self.dropped = 0
        self.peak_bytes = 0
        self._queue = NOTHING
        self._size = 0

    def __len__(self) -> int:
        return len(self._queue)

    def level(self) -> float:
        """Return which part of its limits waits."""
        return max(len(self._queue) / self.max_packets, self._size / self.max_bytes)

    def fits(self, item: Encoded) -> bool:
        """Whether there is room for an item."""
        queue = self._queue
        return len(queue) < self.max_packets and (
            not queue or self._size + item.size <= self.max_bytes
        )

    def why_full(self, item: Encoded) -> Explanation:
        """Return which limit is in the way of an item that does not fit."""
        packets = len(self._queue) + 1
        if packets > self.max_packets:
            text = "packets wait for a client that does not take them"
            return Explanation(f"{packets} {text}", "max_outbox", self.max_packets, packets)
        size = self._size + item.size
        text = f"{size} bytes wait for a client that does not take them"
        return Explanation(text, "max_outbox_bytes", self.max_bytes, size)

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
        packets = len(self._queue) + kept
        return packets < self.max_packets and (
            packets == 0 or self._size + item.size <= self.max_bytes
        )
