"""The writer task and the flush at a tick's end: whatever cannot leave at once leaves in order."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio.abc import TransportClosed
from trio_sio.engine.outbox import BATCH_LIMIT, NO_LIMIT, Outbox
from trio_sio.engine.pipe import Pipe
from trio_sio.engine.polling import PollingTransport
from trio_sio.engine.pulse import Pulse
from trio_sio.protocol.encoded import WS3, Encoded
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.reasons import DisconnectReason


def item(text: str) -> Encoded:
    return Encoded((text,))


class Slow:
    """A transport whose kernel takes `room` items at once and the others when `go` is set."""

    name = "slow"
    writable = True

    def __init__(self, room: int = 0) -> None:
        self.room = room
        self.batches: list[list[str | bytes]] = []
        self.go = trio.Event()
        self._left: list[Encoded] = []

    @property
    def direct(self) -> bool:
        return not self.unsent

    @property
    def unsent(self) -> bool:
        return bool(self._left)

    @property
    def sent(self) -> list[str | bytes]:
        return [part for batch in self.batches for part in batch]

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        assert self.direct
        taken, self._left = list(items[: self.room]), list(items[self.room :])
        self.room -= len(taken)
        self._take(taken)

    async def send(self, items: Sequence[Encoded]) -> None:
        left = self._left
        await self.go.wait()
        self._left = []
        self._take([*left, *items])

    def _take(self, items: Sequence[Encoded]) -> None:
        if items:
            self.batches.append([one.parts[0] for one in items])

    async def receive(self) -> EnginePacket:
        raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)

    def trust(self) -> None: ...

    async def finish(self, *, by_client: bool, orderly: bool) -> None: ...

    def abandon(self) -> None: ...


@asynccontextmanager
async def written(
    transport: Slow | PollingTransport, packets: int = 1000
) -> AsyncIterator[Outbox]:
    """An outbox with its pulse and its writer, which has to end once the outbox is closed."""
    pulse = Pulse()
    outbox = Outbox(transport, packets, 2**20, pulse)
    ended = trio.Event()

    async def write() -> None:
        await outbox.write(lambda: outbox.reason is not None)
        ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.run)
        nursery.start_soon(write)
        await wait_all_tasks_blocked()
        yield outbox
        await ended.wait()
        nursery.cancel_scope.cancel()
