"""Sends the body of a response piece by piece, as the application makes it (RFC 9112, 6 and 7.1).

A body that turns out longer or shorter than its Content-Length, or whose iterator fails, ends the
connection: what the client has received must not look complete, and the next response must not
become a part of it.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

import trio

from trio_sio.http import Response
from trio_sio.protocol.http.response_check import WITHOUT_BODY

PIECE = 64 * 1024
"""Bytes of one write at most: `answer_timeout` limits each, so a slow reader makes progress."""

LAST_CHUNK = b"0\r\n\r\n"


class StreamedBody:
    """The body of one response.

    Args:
        response: its body is an async iterable.
        method: of the request.
    """

    __slots__ = ("_body", "_iterator", "_length", "has_content")

    def __init__(self, response: Response, method: str) -> None:
        assert not isinstance(response.body, bytes)
        lengths = [value for name, value in response.headers if name.lower() == "content-length"]
        self.has_content = method != "HEAD" and response.status not in WITHOUT_BODY | {205}
        self._length = int(lengths[0]) if lengths else None
        self._body: AsyncIterable[bytes] = response.body
        self._iterator: AsyncIterator[bytes] | None = None

    async def send(self, write: Callable[[bytes], Awaitable[None]], *, in_chunks: bool) -> None:
        """Send all of it.

        Raises:
            TypeError: a piece is not bytes.
            ValueError: it is longer or shorter than the response's Content-Length.
            Exception: whatever the iterator or `write` raises.
        """
        sent = 0
        self._iterator = aiter(self._body)
        async for piece in self._iterator:
            if not isinstance(piece, bytes | bytearray | memoryview):
                kind = type(piece).__name__
                raise TypeError(f"a piece of a response's body must be bytes, not {kind}")
            view = memoryview(piece).cast("B")
            sent += len(view)
            if self._length is not None and sent > self._length:
                raise ValueError(f"{self._promise()}, its body has at least {sent} bytes")
            for start in range(0, len(view), PIECE):
                part = bytes(view[start : start + PIECE])
                await write(b"%x\r\n%b\r\n" % (len(part), part) if in_chunks else part)
                await trio.lowlevel.checkpoint()  # a fast iterator must not hold the event loop
        if self._length is not None and sent < self._length:
            raise ValueError(f"{self._promise()}, its body has {sent} bytes")
        if in_chunks:
            await write(LAST_CHUNK)

    async def aclose(self) -> None:
        """Close the iterator, or the iterable if it was not iterated, where that can be done."""
        close = getattr(self._iterator or self._body, "aclose", None)
        if close is not None:
            await close()

    def _promise(self) -> str:
        return f"a response's Content-Length is {self._length}"
