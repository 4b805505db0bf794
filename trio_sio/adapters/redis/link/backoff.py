"""How long to wait before the next attempt to reach Redis."""

from collections.abc import Callable

FIRST_DELAY, MAX_DELAY = 0.05, 5.0
"""Seconds before the second attempt, and at most."""


class Backoff:
    """Doubles the delay after each failure; a random part keeps servers from coming together.

    Args:
        random: returns a number from 0 to 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._delay = FIRST_DELAY

    def next(self, *, is_refusal: bool = False) -> float:
        """Return the seconds to wait.

        Args:
            is_refusal: Redis answers and refuses, as with a wrong password: there is no hurry.
        """
        delay = MAX_DELAY if is_refusal else self._delay
        self._delay = min(2 * self._delay, MAX_DELAY)
        return delay * (0.5 + self._random() / 2)

    def lasted(self, seconds: float) -> None:
        """Begin anew if a connection has lasted; one that is lost at once is no success."""
        if seconds > MAX_DELAY:
            self._delay = FIRST_DELAY
