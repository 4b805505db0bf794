"""What the application tells its operators: the last notes, each with its time.

They stay when an operator's page is closed or reconnects, and can outlive a server: give the same
`Notes` to the `Admin` of the next one.
"""

import time
from collections import deque

from trio_sio.logs.shown import printable

KEPT_NOTES = 30
"""Notes that are kept, the latest ones."""

MAX_NOTE = 500
"""Characters of a note that are shown."""


class Notes:
    """The notes of one view, or of several."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, object]] = deque(maxlen=KEPT_NOTES)
        self._count = 0

    def add(self, text: str) -> None:
        """Add a note; operators see it within a second.

        Raises:
            TypeError: `text` is not a str.
        """
        if not isinstance(text, str):
            raise TypeError(f"a note is a text, not {text!r}")
        self._count += 1
        shown = printable(text, MAX_NOTE)
        self._kept.appendleft({"number": self._count, "at": time.time(), "text": shown})

    def rows(self) -> list[dict[str, object]]:
        """Return the notes as JSON, the latest first."""
        return [*self._kept]
