"""Turns: a client that sends a flood keeps nobody else waiting.

A socket may have thousands of the smallest packets at once, and thousands of sockets may be
readable in one round of the event loop. If each reader took all that is there, a client with one
message would wait for seconds. So a reader takes a few, its share, and asks for more. All readers
together may have so many further shares in a round; who comes too late waits in a line, and the
line moves with each round. A client that sends no faster than others never comes here.
"""

from collections import OrderedDict

import trio

from trio_sio.engine.runtime.tick import TickFlusher

FIRST_QUANTUM = 2
"""Packets or frames, 5 to 25 µs each, that a reader takes without a turn: of what it just read."""

QUANTUM = 8
"""Packets or frames that it takes with each turn."""

QUANTA_PER_ROUND = 16
"""Turns in one round of the event loop, for all readers together: some 2 ms."""

ARRIVALS_PER_ROUND = 4
"""Connections that may say their first words in one round: some 2 ms, too."""


class FairScheduler:
    """Gives readers their turns, while `run` runs.

    Args:
        pulse: the engine's pulse, which knows one round from the next.
        limit: turns in one round.
    """

    def __init__(self, pulse: TickFlusher, limit: int = QUANTA_PER_ROUND) -> None:
        self._limit = limit
        self._pulse = pulse
        self._round = -1
        self._left = 0
        self._line: OrderedDict[trio.lowlevel.Task, None] = OrderedDict()
        self._wanted = trio.Event()

    def __len__(self) -> int:
        return len(self._line)

    async def wait(self) -> None:
        """Return when the present task may take another share."""
        if not self._line and self._is_left():
            await trio.lowlevel.checkpoint_if_cancelled()
            return
        task = trio.lowlevel.current_task()
        if not self._line:
            self._wanted.set()
        self._line[task] = None

        def give_up(_: object) -> trio.lowlevel.Abort:
            del self._line[task]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(give_up)

    def _is_left(self) -> bool:
        if self._round != self._pulse.tick:
            self._round = self._pulse.tick
            self._left = self._limit
        self._left -= 1
        return self._left >= 0

    async def run(self) -> None:
        """Move the line, forever."""
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            while self._line:
                await trio.lowlevel.checkpoint()
                for _ in range(min(self._limit, len(self._line))):
                    task, _nothing = self._line.popitem(last=False)
                    trio.lowlevel.reschedule(task)
