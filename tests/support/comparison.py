"""socket.io 2.5.1 or 4.8.4 and trio_sio side by side, each in a process of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import trio

from tests.differential import differences, differences_5
from tests.support.conformance import NODE, NODE_4, OURS, served
from trio_sio.conformance.comparison.comparison import Comparison, compare
from trio_sio.conformance.target import Target
from trio_sio.testing.scripts import Script

PATIENCE = 10.0
"""Seconds; only what is never answered takes them."""

INTERVAL = 3600.0
"""Seconds between pings: no script takes as long, however busy the machine is."""

REFERENCES = {4: NODE, 5: NODE_4}
DIFFERENCES = {4: differences.DIFFERENCES, 5: differences_5.DIFFERENCES_5}


class Pair:
    """Both servers.

    Args:
        stack: ends the servers.
        protocol: the revision of Socket.IO that clients speak.
        patience: seconds to wait for one thing.

    Attributes:
        protocol: the same.
    """

    def __init__(self, stack: ExitStack, protocol: int, patience: float) -> None:
        self._stack = stack
        self.protocol = protocol
        self._patience = patience
        self._ours = self._target(OURS)
        self._reference = self._target(REFERENCES[protocol])

    def _target(self, command: tuple[str, ...]) -> Target:
        url = self._stack.enter_context(served(command, ping_interval=INTERVAL))
        return Target.parse(url, patience=self._patience, protocol=self.protocol)

    def compare(self, script: Script) -> Comparison:
        """Play a script to both. A reference that has died is told of, and another one started."""
        try:
            known = DIFFERENCES[self.protocol]
            return trio.run(compare, self._reference, self._ours, script, known)
        except* OSError:
            self._reference = self._target(REFERENCES[self.protocol])
        return Comparison(frozenset(), "one of the servers is gone")


@contextmanager
def servers(protocol: int = 4, patience: float = PATIENCE) -> Iterator[Pair]:
    """Start both servers, and end them."""
    with ExitStack() as stack:
        yield Pair(stack, protocol, patience)
