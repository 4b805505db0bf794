"""Something that happens once: an event that costs next to nothing until somebody waits for it."""

from collections.abc import Callable

import trio


class LazyEvent:
    """As `trio.Event`, which takes 260 bytes, and each client has several.

    Attributes:
        has_come: whether it has happened.
    """

    __slots__ = ("_event", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._event: trio.Event | None = None

    def set(self) -> None:
        """Let it happen; again, nothing more does."""
        self.is_set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        """Return when it has happened."""
        if self.is_set:
            await trio.lowlevel.checkpoint()
            return
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()


_SETTLING = 5
"""Turns of the event loop after which who is about to wait does so, or has got what he wanted. A
socket takes one to give what it has, a stream in memory three."""


class Condition:
    """As `threading.Condition`, with one predicate for each who waits and nothing to lock.

    Who changes what the predicates look at calls `notify_all`.
    """

    __slots__ = ("_changed",)

    def __init__(self) -> None:
        self._changed: trio.Event | None = None

    def notify_all(self) -> None:
        """Have everybody who waits look again."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Return at a moment at which `predicate` holds; nothing has run since it was asked.

        It is asked at the beginning, and soon after each `notify_all`.
        """
        await trio.lowlevel.checkpoint()
        while not predicate():
            if self._changed is None:
                self._changed = trio.Event()
            await self._changed.wait()
            for _ in range(_SETTLING):
                await trio.lowlevel.checkpoint()
