"""Requests and answers by h11: all those that are not of the plainest form.

h11 reads a head and makes the answer. What it takes out of leniency, and proxies read in other
ways, is refused here first: lines that end with a bare line feed, folded fields, two statements of
a body's length. The body is not h11's: `connection` reads it, by one way for all requests.
"""

import re
from typing import NamedTuple

import h11

from trio_sio.engine.http import date
from trio_sio.engine.http.fast_path import phrase
from trio_sio.http import Response, sendable_fields
from trio_sio.logs.shown import words_of
from trio_sio.protocol.http.request_target import is_host, parse_target
from trio_sio.protocol.http.response_check import WITHOUT_BODY

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/([0-9])\.([0-9])\r\n")
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_EMPTY_LINES = re.compile(rb"(?:\r\n)+")
_LENGTH = re.compile(rb"[0-9]{1,20}")


class BadRequest(Exception):
    """What the client sent is no HTTP request.

    Attributes:
        status: of the answer.
        shown: what the log says of it, which quotes nothing of the request.
        option: the limit that it goes beyond, `""` if it is something else.
    """

    def __init__(self, text: str, status: int, option: str = "", shown: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.shown = shown or text
        self.option = option


class Head(NamedTuple):
    """The head of a request.

    Attributes:
        method: such as "GET".
        target: path and query, or "*".
        fields: names and values, as they came; Host is that of an absolute target.
        version: "1.0" or "1.1".
    """

    method: str
    target: str
    fields: list[tuple[str, str]]
    version: str


def find_head(data: bytes, limit: int) -> int:
    """Return where the head at the beginning of `data` ends, 0 if it has not come whole.

    Args:
        data: what has come, without empty lines before it.
        limit: bytes that a head may have (option `max_header_size`).

    Raises:
        BadRequest: this can become no head.
    """
    end = data.find(b"\r\n\r\n", 0, limit) + 4
    head = data[:end] if end > 3 else data
    if _BARE_LINE_FEED.search(head):
        raise BadRequest("a line of a request's head must end with CRLF", 400)
    if head[:1] <= b" " and head not in (b"", b"\r"):
        raise BadRequest("illegal request line", 400)
    if end > 3:
        return end
    if len(data) >= limit:
        raise head_too_large(limit)
    return 0


def head_too_large(limit: int) -> BadRequest:
    """Return what is wrong with a head of more than `limit` bytes."""
    text = f"a request's head may have {limit} bytes (max_header_size)"
    return BadRequest(text, 431, "max_header_size")


def count_empty_lines(data: bytes) -> int:
    """Return the bytes of the empty lines that `data` begins with, which mean nothing.

    Some clients send one behind a body (RFC 9112, 2.2).
    """
    found = _EMPTY_LINES.match(data)
    return found.end() if found else 0


class H11Exchange:
    """One request, and the answer to it. It never sees the request's body.

    Args:
        data: the request's head, from its first byte to its last.

    Attributes:
        head: what h11 has read.
        is_chunked: whether the body comes in chunks.
        announced: bytes of the body, 0 if it comes in chunks.
        unread: bytes of the body that nobody has read; 1 for chunks that are not all read.

    Raises:
        BadRequest: it is none, or not one that every reader understands in the same way.
    """

    def __init__(self, data: bytes) -> None:
        line = _REQUEST_LINE.match(data)
        if line is None:
            raise BadRequest("illegal request line", 400)
        method, target, major, minor = line.groups()
        if major != b"1":
            raise BadRequest("this server speaks HTTP/1.1", 505)
        if method == b"CONNECT":
            raise BadRequest("this server is no proxy: it does not know CONNECT", 501)
        # A later HTTP/1 is read as 1.1 (RFC 9110, 2.5).
        version = b"1.0" if minor == b"0" else b"1.1"
        fields = data[line.end() :]
        length = read_framing(fields, version)
        self.is_chunked = length is None
        self.announced = length or 0
        self.unread = 1 if length is None else length
        self._h11 = h11.Connection(h11.SERVER)
        self._h11.receive_data(b"%b %b HTTP/%b\r\n%b" % (method, target, version, fields))
        try:
            event = self._h11.next_event()
        except h11.RemoteProtocolError as error:
            words = words_of(error)
            raise BadRequest(str(error), error.error_status_hint, shown=words) from error
        assert isinstance(event, h11.Request)
        if not self.unread:  # h11 has to hear that it is over, or it takes no answer
            self._h11.next_event()
        self.head = _head(event)

    @property
    def is_answered(self) -> bool:
        """Whether the answer to the request has been made."""
        return self._h11.our_state is not h11.SEND_RESPONSE

    @property
    def closes(self) -> bool:
        """Whether the connection ends with the answer, once that has been made."""
        return bool(self.unread) or self._h11.our_state is not h11.DONE

    def go_on(self) -> bytes:
        """Return `100 Continue` if the client waits for it before it sends a body, else `b""`."""
        if not self._h11.they_are_waiting_for_100_continue:
            return b""
        interim = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
        return self._h11.send(interim) or b""

    def answer(self, response: Response) -> bytes:
        """Return the answer to the present request."""
        fields = sendable_fields(response)
        names = {name.lower() for name, _ in fields}
        # As Latin-1, as they came: a client's Origin is echoed, and may have such letters.
        headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in fields]
        if "date" not in names:
            headers.insert(0, (b"Date", date.now().encode()))
        if response.status not in WITHOUT_BODY and "content-length" not in names:
            headers.append((b"Content-Length", b"%d" % len(response.body)))
        if self.unread and "connection" not in names:
            # The body was never read: the rest of it cannot be told from the next request.
            headers.append((b"Connection", b"close"))
        reason = phrase(response.status).encode()
        head = h11.Response(status_code=response.status, headers=headers, reason=reason)
        data = self._h11.send(head) or b""
        if self.head.method != "HEAD":
            data += self._h11.send(h11.Data(data=response.body)) or b""
        return data + (self._h11.send(h11.EndOfMessage()) or b"")


def read_framing(fields: bytes, version: bytes) -> int | None:
    """Return the bytes of a request's body, `None` if it comes in chunks.

    Stricter than h11, which lets `Transfer-Encoding` win over `Content-Length`, takes a length
    that comes twice, and joins lines that are folded: a proxy before this server that did
    otherwise would take another part of the connection for the next request.

    Args:
        fields: the lines of a head's fields, which h11 has yet to judge.
        version: b"1.0" or b"1.1".

    Raises:
        BadRequest: RFC 9112, 6.1 to 6.3, knows no length, or would have the connection closed.
    """
    codings: list[bytes] = []
    lengths: list[bytes] = []
    for line in fields.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            raise BadRequest("a field must not be folded into several lines", 400)
        name, _, value = line.partition(b":")
        match name.lower():
            case b"transfer-encoding":
                codings += [one.strip(b" \t").lower() for one in value.split(b",")]
            case b"content-length":
                lengths.append(value.strip(b" \t"))
    if codings:
        _check_codings(codings, has_length=bool(lengths), version=version)
        return None
    if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        raise BadRequest("Content-Length must be one number", 400)
    return int(lengths[0]) if lengths else 0


def _check_codings(codings: list[bytes], *, has_length: bool, version: bytes) -> None:
    if version == b"1.0":
        raise BadRequest("HTTP/1.0 has no Transfer-Encoding", 400)
    if has_length:
        raise BadRequest("a request must not have both Transfer-Encoding and Content-Length", 400)
    if codings[-1] != b"chunked" or codings.count(b"chunked") > 1:
        raise BadRequest("Transfer-Encoding must be 'chunked'", 400)
    if len(codings) > 1:
        raise BadRequest("the only Transfer-Encoding that this server knows is 'chunked'", 501)


def _head(event: h11.Request) -> Head:
    method, target = event.method.decode("ascii"), event.target.decode("ascii")
    fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items()]
    if any(name.lower() == "host" and not is_host(value) for name, value in fields):
        raise BadRequest("the field Host must be a host, perhaps with a port", 400)
    try:
        text, host = parse_target(method, target)
    except ValueError as error:
        raise BadRequest(str(error), 400) from error
    if host is not None:  # RFC 9112, 3.2.2: the field is ignored
        others = [(name, value) for name, value in fields if name.lower() != "host"]
        fields = [("Host", host), *others]
    return Head(method, text, fields, event.http_version.decode("ascii"))
