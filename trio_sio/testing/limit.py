"""How long the clients of tests wait.

Under `autojump_clock` a client that waits for something that never comes does not wait at all, it
spins: heartbeats go on, and virtual years pass. So each wait has an end, which says what was
awaited.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

WAIT = 60.0
"""Seconds, by Trio's clock, that a test's client waits for one thing."""

WIRE_WAIT = 600.0
"""Seconds that a client of bytes waits: longer than the server's limits, such as `body_timeout`."""


@contextmanager
def within(seconds: float, awaited: str, came: Callable[[], str]) -> Iterator[None]:
    """Wait for something, but not for ever.

    Args:
        seconds: how long, by Trio's clock.
        awaited: what is awaited.
        came: says what there was instead.

    Raises:
        trio.TooSlowError: it did not come; says both.
    """
    with trio.move_on_after(seconds) as scope:
        try:
            yield
        except trio.Cancelled as cancelled:  # a state machine, where no time passes, tells this
            cancelled.add_note(f"{awaited}; {came()}")
            raise
    if scope.cancelled_caught:
        # The context would be a `Cancelled`, which says nothing to whoever reads of the failure.
        raise trio.TooSlowError(f"waited {seconds:g} s for {awaited}; {came()}") from None
