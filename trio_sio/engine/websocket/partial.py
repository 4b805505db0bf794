"""A frame whose payload is still coming."""

from collections.abc import Callable

_MASK_SIZE = 4


class Partial:
    """Collects the payload of one frame, unmasked as it comes.

    Args:
        first: the frame's first byte.
        mask: its mask, of four bytes.
        missing: bytes of its payload.
        unmask: applies a mask to a payload.

    Attributes:
        missing: bytes that are still to come.
        payload: those that have come.
    """

    __slots__ = ("_mask", "_unmask", "first", "missing", "payload")

    def __init__(
        self, first: int, mask: bytes, missing: int, unmask: Callable[[bytes, bytes], bytes]
    ) -> None:
        self.first = first
        self.missing = missing
        self.payload = bytearray()
        self._mask = mask
        self._unmask = unmask

    def take(self, data: bytes, position: int) -> int:
        """Take what is there, from `position` on; return the position behind it."""
        piece = data[position : position + self.missing]
        self.payload += self._unmask(piece, self._mask)
        self.missing -= len(piece)
        turned = len(piece) % _MASK_SIZE
        self._mask = self._mask[turned:] + self._mask[:turned]
        return position + len(piece)
