"""Checks what a server has sent on one connection: responses, and frames behind a 101."""

import re

from trio_sio.protocol.http.chunked import ChunkedBody

_HEAD = re.compile(
    rb"HTTP/1\.1 ([1-5][0-9]{2}) [\t -~]*\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[\t -~]*\r\n)*)\r\n"
)
_LENGTH = re.compile(rb"(?im)^content-length: *([0-9]+)\r$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding: *chunked\r$")
_KNOWN_OPCODES = {0, 1, 2, 8, 9, 10}


def statuses(sent: bytes, *, is_whole: bool) -> list[int]:
    """Return the statuses of the responses on a connection.

    Args:
        sent: everything that the server has sent.
        is_whole: whether the server has sent all that it wanted to; or else the last response may
            be cut off.

    Raises:
        AssertionError: these are no responses of HTTP/1.1, nor frames of a WebSocket.
    """
    found = []
    while sent:
        head = _HEAD.match(sent)
        if head is None and not is_whole and b"\r\n\r\n" not in sent:
            break
        assert head is not None, f"no head of a response: {sent[:200]!r}"
        status, sent = int(head[1]), sent[head.end() :]
        found.append(status)
        if status == 101:
            _check_frames(sent, is_whole=is_whole)
            break
        sent = _behind_body(status, head[2], sent, is_whole=is_whole)
    return found


def _behind_body(status: int, fields: bytes, sent: bytes, *, is_whole: bool) -> bytes:
    if status < 200 or status in (204, 304) or _HEAD.match(sent):  # an answer to HEAD, too
        return sent
    if _CHUNKED.search(fields):
        body = ChunkedBody(0, 0)
        rest = body.receive(sent, len(sent))
        assert body.is_complete or not is_whole
        return rest
    length = _LENGTH.search(fields)
    assert length is not None, f"nothing says how long a body is: {fields!r}"
    size = int(length[1])
    assert len(sent) >= size or not sent or not is_whole, f"a body of {len(sent)} of {size} bytes"
    return sent[size:]


def _check_frames(sent: bytes, *, is_whole: bool) -> None:
    while sent:
        assert sent[0] & 0x70 == 0, "a reserved bit is set"
        assert sent[0] & 0x0F in _KNOWN_OPCODES
        assert len(sent) > 1 or not is_whole, "a frame that is cut off"
        if len(sent) < 2:
            return
        assert sent[1] < 0x80, "a server masks nothing"
        start, size = 2, sent[1]
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(sent[2:start], "big")
        assert len(sent) >= start + size or not is_whole, "a frame that is cut off"
        sent = sent[start + size :]
