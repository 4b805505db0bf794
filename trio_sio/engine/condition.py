"""Waiting until something holds, which somebody else brings about."""

from collections.abc import Callable

import trio

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
