"""One end of a connection, as Trio has streams."""

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

from trio_sio.testing.network.pipe import Pipe


class FaultyStream(trio.abc.HalfCloseableStream):
    """One end; `Route.open` makes both.

    Args:
        outgoing: what this end sends.
        incoming: what it receives.
        put: puts a piece into `outgoing`, as far as the network's faults let it, and returns when
            it arrives.
        tell: is told how many bytes were sent in how many pieces, and when the first and the last
            of them arrive.
    """

    def __init__(
        self,
        outgoing: Pipe,
        incoming: Pipe,
        put: Callable[[bytes], float],
        tell: Callable[[int, int, float, float], None],
    ) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self._put = put
        self._tell = tell
        self._busy: set[str] = set()
        self._is_closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything; returns when the network holds it."""
        with self._exclusively("sending"):
            await trio.lowlevel.checkpoint()
            sent, arrivals = 0, [0.0, 0.0]
            pieces = 0
            try:
                for piece in self._outgoing.pieces(bytes(data)):
                    await self._outgoing.wait_room()
                    arrivals[1] = self._put(piece)
                    arrivals[0] = arrivals[0] if pieces else arrivals[1]
                    sent, pieces = sent + len(piece), pieces + 1
            finally:
                if pieces:
                    self._tell(sent, pieces, *arrivals)

    async def wait_send_all_might_not_block(self) -> None:
        """Return when the network has room."""
        with self._exclusively("sending"):
            await trio.lowlevel.checkpoint()
            await self._outgoing.wait_room()

    async def send_eof(self) -> None:
        """Send the end of the stream."""
        with self._exclusively("sending"):
            await trio.lowlevel.checkpoint()
            self._outgoing.finish()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the next piece, or the beginning of it; `b""` at the end."""
        if max_bytes is not None and operator.index(max_bytes) < 1:
            raise ValueError(f"'max_bytes' must be at least 1, not {max_bytes!r}")
        with self._exclusively("receiving"):
            await trio.lowlevel.checkpoint()
            return await self._incoming.get(max_bytes)

    async def aclose(self) -> None:
        """Close this end; the other one learns of it as soon as the network tells."""
        if not self._is_closed:
            self._is_closed = True
            self._outgoing.finish()
            self._incoming.abandon()
        await trio.lowlevel.checkpoint()

    @contextmanager
    def _exclusively(self, verb: str) -> Iterator[None]:
        if verb in self._busy:
            raise trio.BusyResourceError(f"another task is {verb}")
        if self._is_closed:
            raise trio.ClosedResourceError("this end was closed")
        self._busy.add(verb)
        try:
            yield
        finally:
            self._busy.discard(verb)
