"""Keeps what other servers want in its order, though each of it has a task of its own.

Trio starts tasks in any order. So each task waits for the one before: until that has begun, for
what runs beside each other, or until it has ended.
"""

from collections.abc import Awaitable, Callable

import trio

from trio_sio.adapters.cluster.member import Member


class Turns:
    """Starts tasks that keep their order.

    Args:
        member: starts them, or refuses to.
        one_by_one: each begins when the one before has ended; otherwise, when it has begun.
    """

    def __init__(self, member: Member, *, one_by_one: bool) -> None:
        self._member = member
        self._one_by_one = one_by_one
        self._last: trio.Event | None = None

    def start(self, function: Callable[[], Awaitable[None]]) -> None:
        """Call a function in its turn, unless too much is under way."""
        turn = trio.Event()
        if self._member.start(self._run, function, self._last, turn):
            self._last = turn

    async def _run(
        self, function: Callable[[], Awaitable[None]], before: trio.Event | None, turn: trio.Event
    ) -> None:
        try:
            if before is not None:
                await before.wait()
            if not self._one_by_one:
                turn.set()
            await function()
        finally:
            turn.set()
