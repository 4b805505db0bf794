"""The answer to a polling handshake.

It has the OPEN packet and everything that the handler sends before it first waits for a message:
the CONNECT packet of "/" rides along, as in the reference server.
"""

import trio

from trio_sio.engine.session.outbox import NO_LIMIT, Outbox
from trio_sio.protocol.encoded import Encoded
from trio_sio.sync import LazyEvent


class FirstPayload:
    """The answer to one handshake.

    Args:
        packet: the OPEN packet.
        outbox: the session's.
    """

    __slots__ = ("_complete", "_items", "_outbox")

    def __init__(self, packet: Encoded, outbox: Outbox) -> None:
        self._items = [packet]
        self._outbox = outbox
        self._complete = LazyEvent()

    def complete(self) -> None:
        """Answer with the OPEN packet and what is queued now; again, nothing more happens."""
        if not self._complete.is_set:
            if self._outbox.tap is not None:
                self._outbox.tap.outgoing("polling", self._items)
            self._items += self._outbox.take(NO_LIMIT)
            self._complete.set()

    async def complete_soon(self) -> None:
        """Answer for a handler that begins otherwise than with `receive`."""
        try:
            await trio.lowlevel.checkpoint()
        finally:
            self.complete()

    async def wait(self) -> list[Encoded]:
        """Return the items of the answer, once it is complete."""
        await self._complete.wait()
        return self._items
