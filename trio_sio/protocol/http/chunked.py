"""Parses chunked bodies (RFC 9112, section 7.1), into which proxies turn the POSTs of clients.

The grammar is applied to the letter: where two readers of a connection disagree about the end of a
line, the rest of a body becomes a request. So only CRLF ends a line, only well-formed extensions
may stand beside the size of a chunk, and trailers have to be fields. h11, which tolerates more,
means the same by everything that is accepted here; it only refuses blanks before a semicolon.
Extensions and trailers are read and dropped; together they have the limit of a head.
"""

import re

from trio_sio.protocol.http.errors import BodyTooLarge, InvalidBody

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"'
_EXTENSION = rb"[ \t]*+;[ \t]*+%b(?:[ \t]*+=[ \t]*+(?:%b|%b))?+" % (_TOKEN, _TOKEN, _QUOTED)
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})((?:%b)*+)\r\n" % _EXTENSION)
_TRAILER_LINE = re.compile(rb"%b:[\t -~\x80-\xff]*+\r\n" % _TOKEN)
_CRLF = b"\r\n"
_BARE_SIZE = 15 + 2
"""Bytes of the longest line with a chunk's size and no extensions."""


class ChunkedBody:
    """The body of one request.

    Args:
        max_size: bytes that extensions and trailers may have together (option `max_header_size`).
        max_trailers: trailer fields that there may be (option `max_headers`).

    Attributes:
        data: of the chunks that have been received.
        is_complete: whether the last chunk and the trailers have been received.
    """

    __slots__ = (
        *("_left", "_max_size", "_max_trailers", "_next", "_rest", "_size", "_taken", "_trailers"),
        *("data", "is_complete"),
    )

    def __init__(self, max_size: int, max_trailers: int) -> None:
        self.data = bytearray()
        self.is_complete = False
        self._max_size = max_size
        self._max_trailers = max_trailers
        self._size = 0  # of extensions and trailers so far
        self._trailers = 0
        self._taken = 0  # bytes of data
        self._rest = b""  # the beginning of a line, or of what follows a chunk
        self._left = 0  # of a chunk's data
        self._next = self._read_size

    def take(self) -> bytes:
        """Return the data received since the last time, and keep it no longer."""
        data, self.data = bytes(self.data), bytearray()
        self._taken += len(data)
        return data

    def receive(self, data: bytes, limit: int) -> bytes:
        """Parse received bytes; return those after the body, `b""` until the body is complete.

        Args:
            data: the bytes.
            limit: bytes that the body may have, with those that were taken; no more are kept, even
                for a moment.

        Raises:
            BodyTooLarge: there are more, or will be, by the size of the present chunk.
            InvalidBody: it is malformed, or exceeds a limit of extensions and trailers.
        """
        data, self._rest = self._rest + data, b""
        at = 0
        while not self.is_complete:
            then = self._next(data, at, limit)
            if then < 0:
                self._rest = data[at:]
                return b""
            at = then
        return data[at:]

    # Each method parses one thing at `at` and returns where it ends, -1 if it is not complete.

    def _read_size(self, data: bytes, at: int, limit: int) -> int:
        found = _SIZE_LINE.match(data, at)
        if found is None:
            return self._fail_or_wait(data, at, "a chunk's size")
        size, extensions = int(found[1], 16), found[2]
        total = self._taken + len(self.data) + size
        if total > limit:
            self._rest = data[at:]  # its reader may allow more
            raise BodyTooLarge(total, limit)
        if extensions:
            self._spend(len(extensions))
        self._left = size
        self._next = self._read_data if size else self._read_trailer
        return found.end()

    def _read_data(self, data: bytes, at: int, limit: int) -> int:
        end = min(at + self._left, len(data))
        if end == at:
            return -1
        self.data += data[at:end]
        self._left -= end - at
        if not self._left:
            self._next = self._read_chunk_end
        return end

    def _read_chunk_end(self, data: bytes, at: int, limit: int) -> int:
        if data.startswith(_CRLF, at):
            self._next = self._read_size
            return at + 2
        if not _CRLF.startswith(data[at : at + 2]):
            raise InvalidBody("a chunk must end with CRLF")
        return -1

    def _read_trailer(self, data: bytes, at: int, limit: int) -> int:
        if data.startswith(_CRLF, at):
            self.is_complete = True
            return at + 2
        found = _TRAILER_LINE.match(data, at)
        if found is None:
            return self._fail_or_wait(data, at, "a trailer")
        self._spend(found.end() - at)
        self._trailers += 1
        if self._trailers > self._max_trailers:
            text = f"a body may have {self._max_trailers} trailers (max_headers)"
            raise InvalidBody(text, 431, "max_headers", self._max_trailers)
        return found.end()

    def _fail_or_wait(self, data: bytes, at: int, what: str) -> int:
        """Return -1 if the line at `at`, which is not well-formed so far, has not ended yet.

        Raises:
            InvalidBody: it has ended, or is too long.
        """
        end = data.find(b"\n", at)
        if end >= 0:
            raise InvalidBody(f"there must be a line with {what}, ended by CRLF")
        self._check_size(len(data) - at - _BARE_SIZE)
        return -1

    def _spend(self, size: int) -> None:
        self._check_size(size)
        self._size += size

    def _check_size(self, size: int) -> None:
        limit = self._max_size
        if self._size + size > limit:
            text = f"a body's extensions and trailers may have {limit} bytes (max_header_size)"
            raise InvalidBody(text, 431, "max_header_size", limit)
