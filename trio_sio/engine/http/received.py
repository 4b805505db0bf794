"""What a connection has brought and no request has taken yet: the next head, the rest of a body."""

from collections.abc import Awaitable, Callable

import trio

from trio_sio.engine.http.h11 import BadRequest, count_empty_lines, find_head, head_too_large
from trio_sio.protocol.http.chunked import ChunkedBody


class Received:
    """The bytes of one connection, read as they are asked for.

    Args:
        read: returns what the connection brings next, `b""` at its end.

    Attributes:
        data: what has been read and not been taken.
    """

    __slots__ = ("_read", "data")

    def __init__(self, read: Callable[[], Awaitable[bytes]]) -> None:
        self.data = b""
        self._read = read

    async def read(self) -> bytes:
        """Wait for more, add it to `data` and return it; `b""` if the client is done."""
        more = await self._read()
        self.data += more
        return more

    def keep(self, more: bytes) -> None:
        """Add what somebody else has read."""
        self.data += more

    def take(self, size: int) -> bytes:
        """Return the first `size` bytes of `data`, or all if it has less, and keep the rest."""
        data, self.data = self.data[:size], self.data[size:]
        return data

    async def fill(self, size: int) -> None:
        """Read on until `data` has `size` bytes.

        Raises:
            trio.BrokenResourceError: the client left before that.
        """
        have, parts = len(self.data), [self.data]
        while have < size:
            parts.append(await self._read_body())
            have += len(parts[-1])
        self.data = b"".join(parts)

    async def fill_chunks(self, body: ChunkedBody, limit: int) -> None:
        """Read on until `body` is complete; raises as `ChunkedBody.receive` and `fill`."""
        while True:
            # What is refused is dropped: nobody could tell where the next request begins.
            data, self.data = self.data, b""
            self.data = body.receive(data, limit)
            if body.is_complete:
                return
            self.data = await self._read_body()

    async def _read_body(self) -> bytes:
        data = await self._read()
        if not data:
            raise trio.BrokenResourceError("the client left in the middle of a body")
        return data

    async def next_head(self, limit: int, begin: Callable[[], None]) -> int:
        """Read on until `data` begins with a whole head; return where that ends.

        Returns 0 if the client is done. Empty lines before the head are dropped.

        Args:
            limit: bytes that a head may have, and the empty lines before it.
            begin: called when there is something of the head.

        Raises:
            BadRequest: there is no head, or no end of it.
        """
        empty = 0
        has_begun = False
        while True:
            empty += len(self.take(count_empty_lines(self.data)))
            if empty > limit:
                raise head_too_large(limit)
            if not has_begun and self.data not in (b"", b"\r"):
                has_begun = True
                begin()
            end = find_head(self.data, limit)
            if end:
                return end
            if not await self.read():
                break
        if self.data:
            raise BadRequest("the connection ended in the middle of a request's head", 400)
        return 0
