"""What went when: the last lines of it, for whoever wonders why a test fails."""

from collections import deque

import trio

LINES = 10_000
"""Lines that a transcript keeps."""

TAIL = 20
"""Lines that a failure shows."""

_LINE = 200
"""Characters of a line that are kept."""


class Transcript:
    """What a network has done, a line for each thing, the oldest first.

    A line has the time since the network was opened, in seconds, who did something, and what.

    Args:
        limit: lines to keep; the oldest are forgotten.
    """

    def __init__(self, limit: int = LINES) -> None:
        self._begun = trio.current_time()
        self._lines: deque[str] = deque(maxlen=limit)

    @property
    def lines(self) -> list[str]:
        """The lines."""
        return list(self._lines)

    def tell(self, who: str, what: str) -> None:
        """Add a line."""
        line = f"{self.elapsed(trio.current_time()):10.4f} {who} {what}"
        self._lines.append(line if len(line) <= _LINE else f"{line[: _LINE - 1]}…")

    def elapsed(self, moment: float) -> float:
        """Return a time of Trio's clock as this transcript tells it."""
        return moment - self._begun

    def tail(self, lines: int = TAIL) -> str:
        """Return the last lines."""
        return "\n".join(self.lines[-lines:])

    def __str__(self) -> str:
        return "\n".join(self._lines)
