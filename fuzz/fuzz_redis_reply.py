"""Any bytes of Redis are replies, the same however they are cut, or raise InvalidReply.

The first byte says where they are cut.
"""

from collections.abc import Hashable

from fuzz import harness
from trio_sio.adapters.redis.link.resp import InvalidReply, NotYet, Reader

NAME = "redis_reply"
MAX_BYTES = 1000


def fuzz(data: bytes) -> Hashable:
    """Read replies at once, and in two pieces."""
    stream = data[1:]
    cut = data[0] if data else 0
    at_once = _read([stream])
    in_pieces = _read([stream[:cut], stream[cut:]])
    assert in_pieces == at_once
    replies, end = at_once
    return (tuple(reply.partition("(")[0][:3] for reply in replies[:3]), end)


def _read(pieces: list[bytes]) -> tuple[list[str], str]:
    """Return what was read, as text because NaN is not equal to itself, and how it ended."""
    reader = Reader(MAX_BYTES)
    replies: list[str] = []
    for piece in pieces:
        reader.feed(piece)
        while True:
            try:
                reply = reader.take()
            except InvalidReply as error:
                return replies, "too large" if "more than" in str(error) else "invalid"
            if isinstance(reply, NotYet):
                break
            replies.append(repr(reply))
    return replies, "open"


if __name__ == "__main__":
    harness.main(fuzz, NAME)
