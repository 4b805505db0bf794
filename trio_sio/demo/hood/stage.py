"""One exhibit at a time, and a rest behind each, however often the buttons are pressed."""

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from trio_sio import PacketRefused

REST = 1.0
"""Seconds between the end of one and the beginning of the next."""


class Stage:
    """Where the exhibits are shown."""

    def __init__(self) -> None:
        self._playing = ""
        self._free_at = float("-inf")

    @contextmanager
    def playing(self, label: str) -> Iterator[None]:
        """Keep the stage while the context lasts; as `claim`."""
        self.claim(label)
        try:
            yield
        finally:
            self.release()

    def claim(self, label: str) -> None:
        """Keep the stage until `release` is called.

        Args:
            label: what is shown.

        Raises:
            PacketRefused: something else is.
        """
        if self._playing:
            raise PacketRefused(f"“{self._playing}” is running; press again when it has ended.")
        if trio.current_time() < self._free_at:
            raise PacketRefused("The last one has just ended; press again in a second.")
        self._playing = label

    def release(self) -> None:
        """Leave the stage to others."""
        self._playing = ""
        self._free_at = trio.current_time() + REST
