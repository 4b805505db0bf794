"""What answers a polling handshake.

That is the OPEN packet and everything that the handler sends before it first waits for a message:
the CONNECT packet of "/" rides along, as the reference server has it.
"""

from collections.abc import Iterable

from trio_sio.protocol.encoded import Encoded
from trio_sio.sync import LazyEvent


class FirstPayload:
    """The answer to one handshake.

    Args:
        packet: the OPEN packet.
    """

    __slots__ = ("_items", "_made")

    def __init__(self, packet: Encoded) -> None:
        self._items = [packet]
        self._made = LazyEvent()

    def make(self, items: Iterable[Encoded]) -> None:
        """Answer with the OPEN packet and these items."""
        self._items.extend(items)
        self._made.set()

    async def wait(self) -> list[Encoded]:
        """Return the items of the answer, when they are known."""
        await self._made.wait()
        return self._items
