"""One direction of a connection.

Each piece of what is sent gets the time of its arrival, not before that of the piece in front of
it, and waits here until then; so does the end of the stream. What is sent while the network is
frozen arrives at no time (`inf`), until it thaws: then it arrives as TCP would send it again. No
task works here: whoever reads waits for the arrival itself.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Iterator

import trio

from trio_sio.sync import Notifier
from trio_sio.testing.network.faults import Ending, Faults

_SHARE = 0.1
"""Seconds: with a limited rate, no piece takes longer to be read."""


class Pipe:
    """The bytes from one end to the other.

    Args:
        faults: delays, sizes and limits.
        chance: decides about delays and sizes.
        rate: bytes per second that are read at most; `None` for any number.
        is_frozen: whether nothing passes at this moment.
    """

    def __init__(
        self,
        faults: Faults,
        chance: random.Random,
        rate: float | None,
        is_frozen: Callable[[], bool],
    ) -> None:
        self._delay = faults.delay
        self._buffer = faults.buffer
        self._chunk = faults.chunk
        self._rate = rate
        self._most = min(faults.buffer, faults.chunk or math.inf)
        if rate is not None:
            self._most = max(1, min(self._most, int(rate * _SHARE)))
        self._chance = chance
        self._is_frozen = is_frozen
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._arrived = -math.inf  # when the last piece does
        self._ending: Ending | None = None
        self._ends = math.inf  # when the receiver learns of `_ending`
        self._abandoned = False  # by the receiver
        self._refuses = math.inf  # when the sender learns of that
        self._changed = Notifier()

    @property
    def is_over(self) -> bool:
        """Whether nothing is to be told to anybody."""
        return self._ending is not None and self._abandoned

    # -- the sender's end ----------------------------------------------------------------------

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the pieces in which data goes."""
        start = 0
        while start < len(data):
            most = int(min(self._most, len(data) - start))
            size = self._chance.randint(1, most) if self._chunk is not None else most
            yield data[start : start + size]
            start += size

    async def wait_room(self) -> None:
        """Return when there is room for a piece.

        Raises:
            trio.BrokenResourceError: the connection broke, or the receiver has closed it.
            trio.ClosedResourceError: it was closed on this side.
        """
        while True:
            self._check_sendable()
            if self._size < self._buffer:
                return
            with trio.move_on_at(self._refuses):
                await self._changed.wait()

    def put(self, piece: bytes) -> float:
        """Send a piece, and return when it arrives; `wait_room` was awaited just before.

        What the receiver has left alone vanishes.
        """
        if piece and not self._abandoned:
            self._size += len(piece)
            self._arrived = self._arrival(len(piece))
            self._pieces.append((self._arrived, piece))
            self._changed.notify_all()
        return self._arrived

    def finish(self) -> None:
        """Send the end of the stream; there is no room behind it."""
        if self._ending is None:
            self._ending = "end"
            self._arrived = self._ends = self._arrival(0)
            self._changed.notify_all()

    def break_off(self, how: Ending) -> None:
        """Break: what is under way arrives, and nothing behind it."""
        now = trio.current_time()
        self._ending = how
        self._pieces = deque(piece for piece in self._pieces if piece[0] < math.inf)
        self._size = sum(len(piece) for _, piece in self._pieces)
        self._ends = max(now, self._pieces[-1][0]) if self._pieces else now
        self._refuses = now
        self._changed.notify_all()

    def _check_sendable(self) -> None:
        if trio.current_time() >= self._refuses:
            raise trio.BrokenResourceError("the other end is gone")
        if self._ending is not None:
            raise trio.ClosedResourceError("the end was sent")

    # -- the receiver's end --------------------------------------------------------------------

    async def get(self, most: int | None) -> bytes:
        """Return the next piece, `b""` at the end.

        Args:
            most: bytes to return at most; `None` for the whole piece.

        Raises:
            trio.BrokenResourceError: the connection broke.
            trio.ClosedResourceError: it was closed on this side.
        """
        while True:
            if self._abandoned:
                raise trio.ClosedResourceError("this end was closed")
            next_arrival = self._pieces[0][0] if self._pieces else self._ends
            if next_arrival <= trio.current_time():
                return self._take(most) if self._pieces else self._take_end()
            with trio.move_on_at(next_arrival):
                await self._changed.wait()

    def abandon(self) -> None:
        """Close the receiver's end: what comes is dropped, and the sender learns of it."""
        if not self._abandoned:
            self._abandoned = True
            self._refuses = min(self._refuses, self._arrival(0))
            self._pieces.clear()
            self._size = 0
            self._changed.notify_all()

    def _take(self, most: int | None) -> bytes:
        arrival, piece = self._pieces.popleft()
        if most is not None and len(piece) > most:
            self._pieces.appendleft((arrival, piece[most:]))
            piece = piece[:most]
        self._size -= len(piece)
        self._changed.notify_all()
        return piece

    def _take_end(self) -> bytes:
        if self._ending == "reset":
            raise trio.BrokenResourceError("the connection was reset")
        return b""

    # -- time ----------------------------------------------------------------------------------

    def thaw(self) -> None:
        """Let what was held go on its way, in its order."""
        held = [piece for arrival, piece in self._pieces if arrival == math.inf]
        self._pieces = deque(piece for piece in self._pieces if piece[0] < math.inf)
        self._arrived = self._pieces[-1][0] if self._pieces else -math.inf
        for piece in held:
            self._arrived = self._arrival(len(piece))
            self._pieces.append((self._arrived, piece))
        if self._ending is not None and self._ends == math.inf:
            self._arrived = self._ends = self._arrival(0)
        if self._abandoned and self._refuses == math.inf:
            self._refuses = self._arrival(0)
        self._changed.notify_all()

    def _arrival(self, size: int) -> float:
        """Return when what is sent now arrives."""
        if self._is_frozen():
            return math.inf
        under_way = trio.current_time() + self._chance.uniform(*self._delay)
        reading = size / self._rate if self._rate is not None else 0.0
        return max(under_way, self._arrived) + reading
