"""Reads requests from one connection: heads by the fast path or by h11, and bodies.

What a read brings behind the head or the body that was asked for is kept for the next one.
"""

import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from trio_sio.engine.http import h11
from trio_sio.engine.http.exchange import Exchange
from trio_sio.engine.http.fast_path import NO_FIELDS, read_head
from trio_sio.engine.http.h11 import BadRequest, count_empty_lines, find_head, head_too_large
from trio_sio.engine.http.responder import HungUp
from trio_sio.engine.http.timeouts import HTTPLimits, Phase, Timeouts
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.http import BodyTooLarge, BodyTooSlow
from trio_sio.protocol.http.chunked import ChunkedBody


class ReceiveBuffer:
    """The bytes of one connection, read as they are asked for.

    Args:
        read: returns the next bytes of the connection, `b""` at its end.

    Attributes:
        data: bytes that have been read and not been taken.
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
        """Add bytes that somebody else has read."""
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
            # If it is refused it is dropped: nobody can tell where the next request begins.
            data, self.data = self.data, b""
            self.data = body.receive(data, limit)
            if body.is_complete:
                return
            self.data = await self._read_body()

    async def fill_some(self) -> None:
        """Read on until there is something; raises as `fill`."""
        self.data += await self._read_body()

    def parse_chunks(self, body: ChunkedBody, limit: int) -> None:
        """Give what there is to `body`; raises as `ChunkedBody.receive`."""
        data, self.data = self.data, b""
        self.data = body.receive(data, limit)

    async def _read_body(self) -> bytes:
        data = await self._read()
        if not data:
            raise trio.BrokenResourceError("the client left in the middle of a body")
        return data

    async def next_head(self, limit: int, begin: Callable[[], None]) -> int:
        """Read on until `data` begins with a whole head; return where that ends.

        Returns 0 if the client sends no more. Empty lines before the head are dropped.

        Args:
            limit: bytes that a head may have, and so may the empty lines before it.
            begin: called when the first byte of the head is there.

        Raises:
            BadRequest: it is no head, or it does not end.
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


class RequestReader:
    """Reads the requests of one connection.

    Args:
        stream: the connection.
        timeouts: of the connection; a body has its own.
        limits: of each request.

    Attributes:
        buffer: what has been read and belongs to no request yet.
    """

    __slots__ = ("_fields", "_limits", "_stream", "_timeouts", "buffer")

    def __init__(self, stream: ByteStream, timeouts: Timeouts, limits: HTTPLimits) -> None:
        self.buffer = ReceiveBuffer(stream.read)
        self._stream = stream
        self._timeouts = timeouts
        self._limits = limits
        self._fields = NO_FIELDS  # of the request before, which the client repeats

    def next_plain(self) -> Exchange | None:
        """Return the request that the buffer begins with, if the fast path can read it.

        Raises:
            BadRequest: it has too many header fields.
        """
        found = read_head(self.buffer.data, self._fields, self._limits.max_header_size)
        if found is None:
            return None
        exchange, self._fields, end = found
        self.buffer.take(end)
        if len(exchange.fields) > self._limits.max_headers:
            raise self._too_many_headers(len(exchange.fields))
        return exchange

    async def next(self, begin: Callable[[], None]) -> Exchange | None:
        """Read on until there is a request; return `None` if the client sends no more.

        Args:
            begin: called when something of its head is there.

        Raises:
            BadRequest: it is none.
        """
        buffer = self.buffer
        end = await buffer.next_head(self._limits.max_header_size, begin)
        if not end:
            return None
        exchange = h11.read_head(buffer.data[:end])
        if len(exchange.fields) > self._limits.max_headers:
            raise self._too_many_headers(len(exchange.fields))
        buffer.take(end)  # not earlier: whoever refuses it looks there for its method
        return exchange

    def _too_many_headers(self, count: int) -> BadRequest:
        limit = self._limits.max_headers
        text = f"a request may have {limit} header fields (max_headers), not {count}"
        return BadRequest(text, 431, "max_headers")

    async def read_body(self, exchange: Exchange, limit: int) -> bytes:
        """Return the body of a request; what `Request.body` does, and raises."""
        if exchange.is_chunked:
            return await self._read_chunks(exchange, limit)
        if exchange.announced > limit:
            raise BodyTooLarge(exchange.announced, limit)
        buffer, size = self.buffer, exchange.unread
        if len(buffer.data) < size:
            await self._in_time(exchange, partial(buffer.fill, size))
        exchange.end_body()
        return buffer.take(size)

    async def read_piece(self, exchange: Exchange, limit: int | None) -> bytes:
        """Return the next bytes of a body, `b""` at its end; what `Request.stream` does."""
        if not exchange.unread:
            await trio.lowlevel.checkpoint()
            return b""
        if limit is None:
            limit = sys.maxsize
        if exchange.is_chunked:
            return await self._read_chunked_piece(exchange, limit)
        if exchange.announced > limit:
            raise BodyTooLarge(exchange.announced, limit)
        if not self.buffer.data:
            await self._in_time(exchange, self.buffer.fill_some)
        piece = self.buffer.take(exchange.unread)
        exchange.take_body(len(piece))
        return piece

    async def _read_chunked_piece(self, exchange: Exchange, limit: int) -> bytes:
        body = exchange.read_chunks(self._limits.max_header_size, self._limits.max_headers)
        piece = b""
        while not (piece or body.is_complete):
            if not self.buffer.data:
                await self._in_time(exchange, self.buffer.fill_some)
            self.buffer.parse_chunks(body, limit)
            piece = body.take()
        if body.is_complete:
            exchange.end_body()
        return piece

    async def _read_chunks(self, exchange: Exchange, limit: int) -> bytes:
        if not exchange.unread:
            return b""
        body = exchange.read_chunks(self._limits.max_header_size, self._limits.max_headers)
        await self._in_time(exchange, partial(self.buffer.fill_chunks, body, limit))
        exchange.end_body()
        return bytes(body.data)

    async def _in_time(self, exchange: Exchange, read: Callable[[], Awaitable[None]]) -> None:
        """Read a body; raises `BodyTooSlow` if that takes too long."""

        async def go_on_and_read() -> None:
            if interim := exchange.go_on():
                await self._stream.send_all(interim)
            await read()

        try:
            await self._timeouts.within(Phase.BODY, go_on_and_read, BodyTooSlow)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise HungUp("the client left in the middle of a body") from error

    def stop(self) -> bytes:
        """Read no further request; return what has been read and belongs to none."""
        self._fields = NO_FIELDS
        return self.buffer.take(len(self.buffer.data))
