"""Any chunked body is read the same however it is cut; h11 agrees about what is accepted.

The first byte says how large the pieces are.
"""

from collections.abc import Hashable, Iterator

import h11

from fuzz import harness
from trio_sio.protocol.http.chunked import ChunkedBody
from trio_sio.protocol.http.errors import BodyError

NAME = "chunked"
LIMIT = 1000
"""Bytes of a body."""

_HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"


def fuzz(data: bytes) -> Hashable:
    """Read a body at once, and in pieces."""
    size, encoded = (data[0] if data else 0) or 1, data[1:]
    body, rest, end = _read([encoded])
    in_pieces = _read([encoded[at : at + size] for at in range(0, len(encoded), size)])
    if end in ("complete", "incomplete"):
        assert in_pieces == (body, rest, end)
    else:
        assert in_pieces[2] == end
    if end == "complete":
        assert encoded.endswith(rest)
        _ask_h11(encoded, body, rest)
    return (min(len(body), 5), min(len(rest), 2), end)


def _read(pieces: list[bytes]) -> tuple[bytes, bytes, str]:
    """Return the body, what comes behind it, and how that ended."""
    parser = ChunkedBody(max_size=300, max_trailers=3)
    body, rest = b"", b""
    for piece in pieces:
        if parser.is_complete:
            rest += piece
            continue
        try:
            rest = parser.receive(piece, LIMIT)
        except BodyError as error:
            return body, b"", f"{type(error).__name__} {error.status}"
        body += parser.take()
        assert len(body) <= LIMIT
    return body, rest, "complete" if parser.is_complete else "incomplete"


def _ask_h11(encoded: bytes, body: bytes, rest: bytes) -> None:
    judge = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    judge.receive_data(_HEAD + encoded)
    assert isinstance(judge.next_event(), h11.Request)
    pieces = [*_events(judge)]
    assert isinstance(pieces.pop(), h11.EndOfMessage)
    assert b"".join(one.data for one in pieces if isinstance(one, h11.Data)) == body
    assert judge.trailing_data[0] == rest


def _events(judge: h11.Connection) -> Iterator[object]:
    while True:
        event = judge.next_event()
        yield event
        if not isinstance(event, h11.Data):
            return


if __name__ == "__main__":
    harness.main(fuzz, NAME)
