r"""The header of a server's WebSocket frame (RFC 6455, section 5.2): unmasked and unfragmented.

    byte 0      FIN (0x80) | opcode
    byte 1      length, if below 126
    bytes 1-3   126, length as 16 bits, if below 65536
    bytes 1-9   127, length as 64 bits, otherwise

A server's frame carries no mask, so one frame serves every recipient of a broadcast; making it
once instead of once per client is worth more than any faster framing library.
"""

from collections.abc import Iterator

TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8

_FIN = 0x80

_SHORT = {
    opcode: tuple(bytes((_FIN | opcode, length)) for length in range(126))
    for opcode in (TEXT, BINARY, CLOSE)
}
"""The headers of short frames, which nearly all events fit: making one takes as long as the
rest of framing."""


def frame(opcode: int, payload: bytes) -> bytes:
    """Return the whole frame for `payload`, which is copied once."""
    length = len(payload)
    if length < 126:
        return _SHORT[opcode][length] + payload
    if length < 0x10000:
        return bytes((_FIN | opcode, 126)) + length.to_bytes(2, "big") + payload
    return bytes((_FIN | opcode, 127)) + length.to_bytes(8, "big") + payload


def payloads(frames: bytes) -> Iterator[tuple[int, memoryview]]:
    """Yield opcode and payload of each of our own frames."""
    view, start = memoryview(frames), 0
    while start < len(view):
        opcode, length = view[start] & 0x0F, view[start + 1]
        start += 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length = int.from_bytes(view[start : start + size], "big")
            start += size
        yield opcode, view[start : start + length]
        start += length


EMPTY_CLOSE = frame(CLOSE, b"")
"""How a Socket.IO 2.x server ends a WebSocket: a close frame without a status code."""


def unmask(payload: bytes, key: bytes) -> bytes:
    """Return a client's payload as it was before its mask of four bytes was applied.

    One exclusive-or of two large numbers costs what a hundred of single bytes would.
    """
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")
