"""Any frames, however they are cut, are searched as the grammar of RFC 6455 reads them.

The first byte says where they are cut.
"""

from collections.abc import Hashable, Iterator

from fuzz import harness
from trio_sio.protocol.websocket.close_search import CloseSearch
from trio_sio.protocol.websocket.frame import CLOSE

NAME = "close_search"


def fuzz(data: bytes) -> Hashable:
    """Search at once, in two pieces, and byte by byte."""
    frames = data[1:]
    cut = data[0] if data else 0
    opcodes = [*_opcodes(frames)]
    expected = CLOSE in opcodes
    assert _search([frames]) == expected
    assert _search([frames[:cut], frames[cut:]]) == expected
    assert _search([bytes((byte,)) for byte in frames]) == expected
    return (len(opcodes), expected, frames[:1])


def _search(pieces: list[bytes]) -> bool:
    search = CloseSearch()
    return any(search.feed(piece) for piece in pieces)


def _opcodes(frames: bytes) -> Iterator[int]:
    """Yield the opcodes of the frames that have begun, up to a close frame."""
    while frames:
        opcode = frames[0] & 0x0F
        yield opcode
        if opcode == CLOSE or len(frames) < 2:
            return
        length, start = frames[1] & 0x7F, 2
        if length > 125:
            start = 4 if length == 126 else 10
            if len(frames) < start:
                return
            length = int.from_bytes(frames[2:start], "big")
        frames = frames[start + (4 if frames[1] & 0x80 else 0) + length :]


if __name__ == "__main__":
    harness.main(fuzz, NAME)
