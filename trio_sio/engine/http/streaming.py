"""Sends the body of a response piece by piece, as the application makes it (RFC 9112, 6 and 7.1).

A body that turns out longer or shorter than its Content-Length, or whose iterator fails, ends the
connection: what the client has received must not look complete, and the next response must not
become a part of it.
"""

from collections.abc import Awaitable, Callable

import trio

from trio_sio.engine.http.exchange import Exchange
from trio_sio.engine.http.responder import Responder
from trio_sio.http import Response
from trio_sio.protocol.http.response_check import WITHOUT_BODY

PIECE = 64 * 1024
"""Bytes of one write at most: `answer_timeout` limits each, so a slow reader makes progress."""

LAST_CHUNK = b"0\r\n\r\n"


class BodyLength:
    """Counts a body that is sent piece by piece, and holds it to its response's Content-Length.

    Args:
        promised: bytes that the head says, `None` if it does not.
    """

    __slots__ = ("_promised", "_sent")

    def __init__(self, promised: int | None) -> None:
        self._promised = promised
        self._sent = 0

    def add(self, data: memoryview) -> None:
        """Count a piece; raises ValueError if the body becomes too long."""
        self._sent += len(data)
        if self._promised is not None and self._sent > self._promised:
            raise self._broken("at least ")

    def end(self) -> None:
        """Raise ValueError if the body is too short."""
        if self._promised is not None and self._sent < self._promised:
            raise self._broken()

    def _broken(self, at_least: str = "") -> ValueError:
        promise = f"a response's Content-Length is {self._promised}"
        return ValueError(f"{promise}, its body has {at_least}{self._sent} bytes")


def as_bytes(data: object) -> memoryview:
    """Return the bytes of a piece of a body; raises TypeError if it is something else."""
    if not isinstance(data, bytes | bytearray | memoryview):
        kind = type(data).__name__
        raise TypeError(f"a piece of a response's body must be bytes, not {kind}")
    return memoryview(data).cast("B")


class StreamedBody:
    """The body of one response; a `trio_sio.abc.ResponseBody`.

    Args:
        exchange: the request and its response.
        response: whose head says how long the body is.
        write: sends bytes.
    """

    __slots__ = ("_exchange", "_has_content", "_length", "_write")

    def __init__(
        self, exchange: Exchange, response: Response, write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        lengths = [value for name, value in response.headers if name.lower() == "content-length"]
        self._exchange = exchange
        self._has_content = exchange.method != "HEAD" and response.status not in WITHOUT_BODY
        self._length = BodyLength(int(lengths[0]) if lengths else None)
        self._write = write

    async def begin(self, response: Response) -> None:
        """Send the head."""
        await self._write(self._exchange.render_head(response))

    async def write(self, data: bytes) -> None:
        """Send a piece; see `trio_sio.abc.ResponseBody`."""
        await trio.lowlevel.checkpoint()  # a fast application must not hold the event loop
        view = as_bytes(data)
        if not self._has_content:
            return
        self._length.add(view)
        in_chunks = self._exchange.sends_chunks
        for start in range(0, len(view), PIECE):
            part = bytes(view[start : start + PIECE])
            await self._write(b"%x\r\n%b\r\n" % (len(part), part) if in_chunks else part)

    async def finish(self) -> None:
        """Send the end; see `trio_sio.abc.ResponseBody`."""
        if self._has_content:
            self._length.end()
            if self._exchange.sends_chunks:
                await self._write(LAST_CHUNK)
        self._exchange.end_streaming()

    @property
    def has_content(self) -> bool:
        """Whether anything of it is sent: not to HEAD, and not with 204 and 304."""
        return self._has_content


async def send_streamed(responder: Responder, response: Response) -> None:
    """Send a response whose body is an async iterable, and close that in any case.

    If this fails, the connection ends with what has been sent.

    Raises:
        trio.BrokenResourceError: the client left, or did not take a piece in time.
        Exception: the iterable failed, or is not as long as the response's Content-Length.
    """
    assert not isinstance(response.body, bytes)
    iterator = aiter(response.body)
    try:
        body = await responder.begin(response)
        if body.has_content:
            async for piece in iterator:
                await body.write(piece)
        await body.finish()
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
