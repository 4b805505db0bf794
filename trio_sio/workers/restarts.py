"""When a worker that has died is started again, and when there is no point in it."""

ATTEMPTS = 5
"""So many short lives in a row end the attempts."""

STABLE = 10.0
"""Seconds; a worker that has lived for longer has not died of its start."""

FIRST_DELAY = 0.25
LONGEST_DELAY = 5.0
"""Seconds between the death of a worker that lived for a short time and its next start."""


class Restarts:
    """Counts the short lives of one worker in a row."""

    def __init__(self) -> None:
        self.short_lives = 0

    def ended(self, lived: float) -> float | None:
        """Take note that the worker died; return when to start it again.

        Args:
            lived: seconds from its start to its death.

        Returns:
            Seconds from now on, `None` for never.
        """
        if lived >= STABLE:
            self.short_lives = 0
            return 0.0
        self.short_lives += 1
        if self.short_lives >= ATTEMPTS:
            return None
        return min(FIRST_DELAY * 2.0 ** (self.short_lives - 1), LONGEST_DELAY)
