"""One HTTP request and the response to it, whichever of the two readers has read the request.

`fast_path` reads what Socket.IO clients send all day, `h11` everything else. Both make an
`Exchange`, which alone decides what goes into the head of the response: `Date`, `Content-Length`,
and `Connection: close` where the connection cannot go on.
"""

import http
import time
from dataclasses import dataclass
from email.utils import formatdate

from trio_sio.http import NO_STORE, EngineResponse, Response, sendable_fields
from trio_sio.protocol.http.chunked import ChunkedBody
from trio_sio.protocol.http.field_list import elements
from trio_sio.protocol.http.response_check import WITHOUT_BODY

_PHRASES = {status.value: status.phrase for status in http.HTTPStatus}

_NO_CONTENT = WITHOUT_BODY | {205}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class DateClock:
    """The present date, as the field Date has it (RFC 9110, 6.6.1).

    It has no parts of a second, so it is formatted once in a second at most.
    """

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = (0, "")  # one value, so that servers in other threads see both halves of it

    def now(self) -> str:
        """Return such as "Sun, 06 Nov 1994 08:49:37 GMT"."""
        second = int(time.time())
        made, text = self._made
        if second != made:
            text = formatdate(second, usegmt=True)
            self._made = (second, text)
        return text


_clock = DateClock()


@dataclass(slots=True)
class Exchange:
    """A request whose head has been read.

    Attributes:
        method: such as "GET".
        target: path and query, or "*".
        fields: names and values of the header fields, in their order.
        announced: bytes of the body, 0 if it comes in chunks.
        unread: bytes of the body that nobody has read; 1 for chunks that are not all read.
        version: "1.0" or "1.1".
        is_fast: whether the fast path has read it, so that its names are in lower case.
        is_chunked: whether the body comes in chunks.
        awaits_continue: whether the client sends no body before it is told `100 Continue`.
        closes: whether the connection ends with the response.
        is_answered: whether the response has been rendered.
        is_measured: whether the response gets a Content-Length if it has none.
        sends_chunks: whether the body of the response goes in chunks.
        is_streaming: whether a response has been begun whose body has not been sent to its end.
        chunks: the body of the request, if it comes in chunks and has been begun to be read.
    """

    method: str
    target: str
    fields: list[tuple[str, str]]
    announced: int = 0
    unread: int = 0
    version: str = "1.1"
    is_fast: bool = False
    is_chunked: bool = False
    awaits_continue: bool = False
    closes: bool = False
    is_answered: bool = False
    is_measured: bool = True
    sends_chunks: bool = False
    is_streaming: bool = False
    chunks: ChunkedBody | None = None

    def take_body(self, size: int) -> None:
        """Note that so many bytes of the body have been read."""
        self.unread -= size

    def read_chunks(self, max_size: int, max_trailers: int) -> ChunkedBody:
        """Return the body that comes in chunks, as far as it has been read."""
        if self.chunks is None:
            self.chunks = ChunkedBody(max_size, max_trailers)
        return self.chunks

    def end_body(self) -> None:
        """Note that all of the body has been read."""
        self.unread = 0

    def end(self) -> None:
        """Note that the response was rendered elsewhere, and that the connection ends with it."""
        self.is_answered = self.closes = True

    def go_on(self) -> bytes:
        """Return `100 Continue` if the client waits for it, and nothing a second time."""
        if not self.awaits_continue:
            return b""
        self.awaits_continue = False
        return CONTINUE

    def render_head(self, response: Response) -> bytes:
        """Return the head of a response that is streamed.

        Its body goes in chunks unless the headers have the length; HTTP/1.0 knows no chunks, so the
        end of the connection is the end of the body there (RFC 9112, 6.3).
        """
        fields = sendable_fields(response)
        has_length = any(name.lower() == "content-length" for name, _ in fields)
        if not (has_length or self.method == "HEAD" or response.status in _NO_CONTENT):
            self.sends_chunks = self.version != "1.0"
            self.closes = self.closes or not self.sends_chunks
        if self.sends_chunks:
            fields = [*fields, ("Transfer-Encoding", "chunked")]
        self.is_measured = response.status == 205  # which says that its body is empty
        self.is_streaming = True
        return self.render(EngineResponse(response.status, fields))

    def end_streaming(self) -> None:
        """Note that all of the body has been sent."""
        self.is_streaming = False

    def render(self, response: Response) -> bytes:
        """Return the response as it goes onto the wire.

        Raises:
            ValueError: a field of the response would break the head.
        """
        status = response.status
        body: bytes = response.body  # type: ignore[assignment]  # `render_head` is for the others
        fields = sendable_fields(response) if status in WITHOUT_BODY else response.headers
        lines = "".join([f"\r\n{name}: {value}" for name, value in fields])
        breaks = len(fields)
        if lines.count("\r") != breaks or lines.count("\n") != breaks or "\0" in lines:
            raise ValueError(f"a header field would end the head: {response.headers!r}")
        if self.unread:  # the rest of the body cannot be told from the next request
            self.closes = True
        named = lines.lower()
        end = ""
        if "\r\nconnection:" in named:
            lines = self._settle_connection(lines, fields)
        elif self.closes:
            end = "\r\nConnection: close"
        head = f"HTTP/1.1 {status} {_PHRASES.get(status, '')}"
        if "\r\ndate:" not in named:
            head += f"\r\nDate: {_clock.now()}"
        head += lines
        if status in WITHOUT_BODY:
            body = b""
        elif self.is_measured and "\r\ncontent-length:" not in named:
            head += f"\r\nContent-Length: {len(body)}"
        if self.method == "HEAD":
            body = b""
        self.is_answered = True
        return f"{head}{end}\r\n\r\n".encode("latin-1") + body

    def _settle_connection(self, lines: str, fields: list[tuple[str, str]]) -> str:
        """Return the lines of a response that itself has the field Connection."""
        given = [value for name, value in fields if name.lower() == "connection"]
        options = [option.lower() for option in elements(given)]
        if "close" in options:
            self.closes = True
        elif self.closes:  # whatever the application says of it
            others = [one for one in fields if one[0].lower() != "connection"]
            kept = [option for option in options if option != "keep-alive"]
            settled = [*others, ("Connection", ", ".join(["close", *kept]))]
            lines = "".join([f"\r\n{name}: {value}" for name, value in settled])
        return lines


def render_refusal(status: int, sentence: str, method: str = "GET") -> bytes:
    """Return a response to what is no request, or one too many; the connection closes."""
    response = Response.text(status, sentence, [NO_STORE], close=True)
    return Exchange(method, "", []).render(response)
