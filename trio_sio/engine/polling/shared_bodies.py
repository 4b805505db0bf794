"""Bodies of poll responses, made once for all clients that get the same packets.

A broadcast gives the same packets to every client that polls. Joining and compressing them for each
client within the step that emits would hold the event loop. So a body that is large or compressed
is made by the task of one poll, in pieces and in turns, and the other polls share it.
"""

import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import trio

from trio_sio.engine.polling.compression import compressor
from trio_sio.engine.polling.payload_format import PayloadFormat
from trio_sio.engine.runtime.timers import Timers
from trio_sio.protocol.encoded import Encoded

KEEP = 2.0
"""Seconds for which a body is kept: clients that were between two polls come back sooner."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes that all bodies together may have, with their packets; a larger one is kept alone."""

PIECE = 16 * 1024
"""Bytes that are compressed in one turn, which takes half a millisecond to two."""


SHORT = 4 * 1024
"""Bytes of packets below which they are joined at once: that takes microseconds, for their wire
formats are kept."""


def is_short(items: list[Encoded]) -> bool:
    """Whether packets can be joined so fast that sharing the body is not worth it."""
    return len(items) < SHORT and sum([item.size for item in items]) < SHORT


class Batch(NamedTuple):
    """What a response carries, and how; equal if every packet is the same object.

    Attributes:
        items: the packets.
        form: how the client wants its packets.
        encoding: the Content-Encoding, `None` for none.
    """

    items: tuple[Encoded, ...]
    form: PayloadFormat
    encoding: str | None = None


class SharedBodies:
    """The bodies that were made in the last seconds.

    Args:
        timers: of the engine; forget them.
        turn: awaited before each piece of work.
        level: of compression, 0 to 9.
    """

    def __init__(self, timers: Timers, turn: Callable[[], Awaitable[object]], level: int) -> None:
        self._timers = timers
        self._turn = turn
        self._level = level
        self._bodies: OrderedDict[Batch, tuple[bytes, float]] = OrderedDict()
        self._size = 0
        self._making: dict[Batch, trio.Event] = {}
        self._is_timed = False

    def __len__(self) -> int:
        return len(self._bodies)

    def find(self, batch: Batch) -> bytes | None:
        """Return a body if it has been made."""
        found = self._bodies.get(batch)
        return None if found is None else found[0]

    async def join(self, batch: Batch, make: Callable[[], bytes]) -> bytes:
        """Return a body that is not compressed; `make` joins its packets."""

        async def join() -> bytes:
            await self._turn()
            return make()

        return await self._once(batch, join)

    async def compress(self, batch: Batch, body: bytes) -> bytes:
        """Return a body that is compressed as the batch says."""
        assert batch.encoding is not None
        engine = compressor(batch.encoding, self._level)

        async def compress() -> bytes:
            parts = []
            for start in range(0, len(body), PIECE):
                await self._turn()
                parts.append(engine.compress(body[start : start + PIECE]))
            return b"".join([*parts, engine.flush(zlib.Z_FINISH)])

        return await self._once(batch, compress)

    async def _once(self, batch: Batch, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return a body; make it unless another task has, or is about to."""
        while (making := self._making.get(batch)) is not None:
            await making.wait()
        body = self.find(batch)
        if body is None:
            self._making[batch] = made = trio.Event()
            try:
                body = await make()
                self._keep(batch, body)
            finally:  # if this task was cancelled, one that waits makes it
                del self._making[batch]
                made.set()
        return body

    def _keep(self, batch: Batch, body: bytes) -> None:
        self._bodies[batch] = body, trio.current_time()
        self._size += _size_of(batch, body)
        while self._size > MAX_BYTES and len(self._bodies) > 1:
            self._forget_oldest()
        self._look_later()

    def _forget_oldest(self) -> None:
        batch, (body, _) = self._bodies.popitem(last=False)
        self._size -= _size_of(batch, body)

    def _look_later(self) -> None:
        if self._bodies and not self._is_timed:
            self._is_timed = True
            _, made = next(iter(self._bodies.values()))
            self._timers.call_at(made + KEEP, self._look)

    def _look(self) -> None:
        self._is_timed = False
        now = trio.current_time()
        while self._bodies and next(iter(self._bodies.values()))[1] + KEEP <= now:
            self._forget_oldest()
        self._look_later()


def _size_of(batch: Batch, body: bytes) -> int:
    return len(body) + sum(item.size for item in batch.items)
