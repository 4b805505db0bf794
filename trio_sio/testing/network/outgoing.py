"""What a client sends: in its order, and by polling one request behind the other."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import trio

from trio_sio.sync import Notifier
from trio_sio.testing.wire import PacketText


class _Item:
    """Packets that belong together, and whoever waits until they have left."""

    def __init__(self, packets: Sequence[PacketText]) -> None:
        self.packets = packets
        self.has_left = False
        self.done = trio.Event()

    def leave(self) -> None:
        """Tell that they have left."""
        self.has_left = True
        self.done.set()


class Outgoing:
    """The packets that wait to leave; `run` is the task that sends them.

    As in JavaScript's client, all that has come together while one request was under way leaves in
    the next one. What a request has begun to carry leaves even if its sender is cancelled: half a
    request would be the end of its connection.
    """

    def __init__(self) -> None:
        self._waiting: list[_Item] = []  # one for each task that waits
        self._changed = Notifier()
        self._free = trio.Lock()
        self._is_closed = False

    async def send(self, packets: Sequence[PacketText]) -> None:
        """Send packets; returns when they have left, by polling: when the server has them.

        Raises:
            trio.ClosedResourceError: the session ended before.
        """
        if self._is_closed:
            raise trio.ClosedResourceError("the session has ended")
        item = _Item(packets)
        self._waiting.append(item)
        self._changed.notify_all()
        try:
            await item.done.wait()
        finally:
            if item in self._waiting:
                self._waiting.remove(item)
        if not item.has_left:
            raise trio.ClosedResourceError("the session has ended")

    async def run(self, transmit: Callable[[Sequence[PacketText]], Awaitable[None]]) -> None:
        """Send what there is, for ever.

        Args:
            transmit: sends packets.
        """
        batch: list[_Item] = []
        try:
            while True:
                while not self._waiting:
                    await self._changed.wait()
                async with self._free:
                    batch, self._waiting = self._waiting, []
                    await transmit([packet for item in batch for packet in item.packets])
                for item in batch:
                    item.leave()
        finally:
            self._is_closed = True
            for item in (*batch, *self._waiting):
                item.done.set()

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Wait until nothing is under way, and let nothing leave meanwhile."""
        async with self._free:
            yield
