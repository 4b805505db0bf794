"""Notes how long Python's garbage collector pauses the event loop.

A full collection looks at every object there is: with ten thousand clients that takes some tenths
of a second, in the step of whichever task happens to make one object too many. That task is not to
blame.
"""

import gc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

KEPT = 16
"""Collections that are remembered; one turn of the event loop has few."""

FULL = 2
"""The generation whose collection looks at everything."""

_told_until = float("-inf")
"""When the last collection that was logged was over (`perf_counter()`). The collector is the
process's: all of its servers, in whichever thread, wait for the same collections."""


class GCPauses:
    """The latest full collections."""

    def __init__(self) -> None:
        self._begun = 0.0
        self._noted: deque[tuple[float, float]] = deque(maxlen=KEPT)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note collections while the context lasts."""
        gc.callbacks.append(self._note)
        try:
            yield
        finally:
            gc.callbacks.remove(self._note)
            self._noted.clear()

    def _note(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < FULL:
            return
        if phase == "start":
            self._begun = perf_counter()
        else:
            self._noted.append((self._begun, perf_counter()))

    def claim(self) -> bool:
        """Return whether the last collection is still to be logged; the caller does that."""
        global _told_until
        begun, end = self._noted[-1]
        if begun < _told_until:
            return False
        _told_until = end
        return True

    def seconds_since(self, moment: float) -> float:
        """Return for how many seconds collections have lasted since a moment.

        Args:
            moment: by `perf_counter()`.
        """
        return sum(end - max(begun, moment) for begun, end in self._noted if end > moment)
