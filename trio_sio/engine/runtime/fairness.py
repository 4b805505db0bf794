"""Schedules reading fairly, so that a client that floods keeps nobody else waiting.

A socket may hold thousands of the smallest packets at once, and thousands of sockets may be
readable in one round of the event loop. If each reader took everything, a client with one message
would wait for seconds. So a reader takes a few packets, its quantum, and asks for more. All readers
share a budget of further quanta in each round; those beyond it queue up, and the queue advances
with each round. A client that sends no faster than others never comes here.
"""

import trio

from trio_sio.engine.runtime.tick import TickFlusher

FIRST_QUANTUM = 2
"""Packets or frames, 5 to 25 µs each, that a reader takes of what it has just read, unasked."""

QUANTUM = 8
"""Packets or frames that it takes with each further quantum."""

QUANTA_PER_ROUND = 16
"""Further quanta in one round of the event loop, for all readers together: some 2 ms."""

ARRIVALS_PER_ROUND = 4
"""Connections whose first bytes are read in one round: some 2 ms, too."""


class FairScheduler:
    """Grants quanta to readers, while `run` runs.

    Args:
        tick: the engine's; tells one round from the next.
        limit: quanta in one round.
    """

    def __init__(self, tick: TickFlusher, limit: int = QUANTA_PER_ROUND) -> None:
        self._limit = limit
        self._tick = tick
        self._round = -1
        self._left = 0
        self._line = trio.lowlevel.ParkingLot()
        self._wanted = trio.Event()

    def __len__(self) -> int:
        return len(self._line)

    async def wait(self) -> None:
        """Return when the present task may take another quantum."""
        if not self._line and self._is_left():
            await trio.lowlevel.checkpoint_if_cancelled()
            return
        if not self._line:
            self._wanted.set()
        await self._line.park()

    def _is_left(self) -> bool:
        if self._round != self._tick.count:
            self._round = self._tick.count
            self._left = self._limit
        self._left -= 1
        return self._left >= 0

    async def run(self) -> None:
        """Advance the queue, forever."""
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            while self._line:
                await trio.lowlevel.checkpoint()
                self._line.unpark(count=self._limit)
