"""The swarm, a process: `python -m tests.hostile.swarm PORT COUNT VERSION [KIND …]`.

It connects and prints "here", attacks when it is told so by a line on its standard input, and
prints "begun" when all do. At the next line it prints as JSON how often each kind came, and
vanishes.
"""

import contextlib
import json
import os
import random
import resource
import sys
from collections import Counter
from collections.abc import Sequence

import trio

from tests.hostile.attacker import Attacker
from tests.hostile.kinds import KINDS, MIX, Kind

AT_ONCE = 200
"""Attackers that are on their way in at the same time: what waits to be accepted is limited."""

RAMP = 2.0
"""Seconds within which they begin, each at its own moment."""

REST = 0.2
"""Seconds until an attacker comes again that was shown out."""


class Swarm:
    """All attackers.

    Args:
        port: the server's.
        version: of Engine.IO.
        names: of the kinds; all, if there are none.

    Attributes:
        came: how many connections of each kind there were.
    """

    def __init__(self, port: int, version: int, names: Sequence[str] = ()) -> None:
        self.came: Counter[str] = Counter()
        self.attack = trio.Event()
        self._port = port
        self._version = version
        self._names = names or MIX
        self._first: list[Attacker] = []
        self._gate = trio.CapacityLimiter(AT_ONCE)

    async def assemble(self, count: int, nursery: trio.Nursery) -> None:
        """Return when so many are connected, mixed as `MIX` says."""
        names = self._names
        async with trio.open_nursery() as coming:
            for number in range(count):
                name = names[number % len(names)]
                await self._gate.acquire_on_behalf_of(number)
                first = self._attacker(number)
                self._first.append(first)
                nursery.start_soon(self._live, name, KINDS[name], number, first)
                coming.start_soon(self._let_in, number, first)

    async def begin(self) -> None:
        """Let them attack; return when all do."""
        self.attack.set()
        for attacker in self._first:
            await attacker.begun.wait()

    def _attacker(self, number: int) -> Attacker:
        first_steps = 0.0 if self.attack.is_set() else RAMP * random.random()
        return Attacker(self._port, self._version, number, self.attack, first_steps)

    async def _let_in(self, number: int, attacker: Attacker) -> None:
        await attacker.arrived.wait()
        self._gate.release_on_behalf_of(number)

    async def _live(self, name: str, kind: Kind, number: int, attacker: Attacker) -> None:
        while True:
            self.came[name] += 1
            # However the server gets rid of it, it comes again.
            with contextlib.suppress(OSError, trio.TooSlowError):
                await kind(attacker)
            attacker.close()
            await self.attack.wait()
            await trio.sleep(REST)
            attacker = self._attacker(number)


def tell(line: str) -> None:
    """Say something to whoever has started this process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(port: int, count: int, version: int, names: Sequence[str]) -> None:
    """Assemble, attack, vanish."""
    swarm = Swarm(port, version, names)
    orders = trio.lowlevel.FdStream(os.dup(0))
    async with trio.open_nursery() as nursery:
        await swarm.assemble(count, nursery)
        tell("here")
        await orders.receive_some()
        await swarm.begin()
        tell("begun")
        await orders.receive_some()
        tell(json.dumps(swarm.came))
        os._exit(0)  # no goodbye: the kernel closes what is open


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    numbers = [int(argument) for argument in sys.argv[1:4]]
    trio.run(main, numbers[0], numbers[1], numbers[2], sys.argv[4:])
