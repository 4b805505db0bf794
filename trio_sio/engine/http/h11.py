"""Reads the heads of requests with h11: all those that the fast path leaves.

What h11 tolerates, and proxies may read in other ways, is refused here first: lines that end with
a bare line feed, folded fields, two statements of a body's length. h11 sees heads only: bodies are
read, and responses made, in the same way for all requests.
"""

import re

import h11

from trio_sio.engine.http.exchange import Exchange
from trio_sio.logs.shown import words_of
from trio_sio.protocol.http.field_list import has_element
from trio_sio.protocol.http.other_protocols import explain
from trio_sio.protocol.http.request_target import is_host, parse_target

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


def find_head(data: bytes, limit: int) -> int:
    """Return where the head at the beginning of `data` ends, 0 if it is not complete.

    Args:
        data: what has been received, without empty lines before it.
        limit: bytes that a head may have (option `max_header_size`).

    Raises:
        BadRequest: it cannot become a head.
    """
    end = data.find(b"\r\n\r\n", 0, limit) + 4
    head = data[:end] if end > 3 else data
    if head[:1] <= b" " and head not in (b"", b"\r"):
        raise BadRequest(_explained("illegal request line", head), 400)
    if _BARE_LINE_FEED.search(head):
        raise BadRequest("a line of a request's head must end with CRLF", 400)
    if end > 3:
        return end
    if len(data) >= limit:
        raise head_too_large(limit)
    return 0


def _explained(text: str, data: bytes) -> str:
    """Return the sentence about what does not begin as a request of ours does."""
    why = explain(data)
    return f"{text}: {why}" if why else text


def head_too_large(limit: int) -> BadRequest:
    """Return the error about a head of more than `limit` bytes."""
    text = f"a request's head may have {limit} bytes (max_header_size)"
    return BadRequest(text, 431, "max_header_size")


def count_empty_lines(data: bytes) -> int:
    """Return the bytes of the empty lines that `data` begins with, which are to be ignored.

    Some clients send one after a body (RFC 9112, 2.2).
    """
    found = _EMPTY_LINES.match(data)
    return found.end() if found else 0


def read_head(data: bytes) -> Exchange:
    """Return the request whose head this is.

    Args:
        data: the head, from its first byte to its last.

    Raises:
        BadRequest: it is no head, or not one that every reader understands in the same way.
    """
    line = _REQUEST_LINE.match(data)
    if line is None:
        raise BadRequest(_explained("illegal request line", data), 400)
    method, target, major, minor = line.groups()
    if major != b"1":
        raise BadRequest(_explained("this server speaks HTTP/1.1", data), 505)
    if method == b"CONNECT":
        raise BadRequest("this server is no proxy: it does not know CONNECT", 501)
    # A later HTTP/1 is read as 1.1 (RFC 9110, 2.5).
    version = b"1.0" if minor == b"0" else b"1.1"
    fields = data[line.end() :]
    length = read_framing(fields, version)
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(b"%b %b HTTP/%b\r\n%b" % (method, target, version, fields))
    try:
        event = reader.next_event()
    except h11.RemoteProtocolError as error:
        words = words_of(error)
        raise BadRequest(str(error), error.error_status_hint, shown=words) from error
    assert isinstance(event, h11.Request)
    return _exchange(event, length, reader.they_are_waiting_for_100_continue)


def read_framing(fields: bytes, version: bytes) -> int | None:
    """Return the bytes of a request's body, `None` if it comes in chunks.

    Stricter than h11, which lets `Transfer-Encoding` override `Content-Length`, accepts a length
    that comes twice, and joins folded lines: a proxy before this server that did otherwise would
    take another part of the connection for the next request.

    Args:
        fields: the lines of a head's fields, which h11 has not checked yet.
        version: b"1.0" or b"1.1".

    Raises:
        BadRequest: by RFC 9112, 6.1 to 6.3, there is no length, or the connection has to be closed.
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


def _exchange(event: h11.Request, length: int | None, awaits_continue: bool) -> Exchange:
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
    version = event.http_version.decode("ascii")
    options = [value for name, value in fields if name.lower() == "connection"]
    return Exchange(
        method,
        text,
        fields,
        announced=length or 0,
        unread=1 if length is None else length,
        version=version,
        is_chunked=length is None,
        awaits_continue=awaits_continue,
        closes=version == "1.0" or has_element(options, "close"),
    )
