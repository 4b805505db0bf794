"""Finds a client's close frame among frames that nobody reads any more (RFC 6455, section 5.2).

byte 0          FIN | opcode
byte 1          MASK (0x80) | length, if below 126
2 or 8 bytes    the length, where byte 1 says 126 or 127
4 bytes         the mask, if there is one
the payload     which is skipped
"""

from trio_sio.protocol.websocket.frame import CLOSE

_LENGTH_BYTES = {126: 2, 127: 8}


class CloseSearch:
    """Is fed what comes from where a frame begins."""

    def __init__(self) -> None:
        self._head = b""
        self._skip = 0

    def feed(self, data: bytes) -> bool:
        """Return whether a close frame begins in these bytes; feed no more then."""
        start = 0
        while start < len(data):
            if self._skip:
                skipped = min(self._skip, len(data) - start)
                self._skip -= skipped
                start += skipped
                continue
            self._head += data[start : start + 1]
            start += 1
            if self._head[0] & 0x0F == CLOSE:
                return True
            self._end_head()
        return False

    def _end_head(self) -> None:
        """Skip the payload once all of its header is there."""
        head = self._head
        if len(head) < 2:
            return
        length = head[1] & 0x7F
        more = _LENGTH_BYTES.get(length, 0)
        if len(head) < 2 + more:
            return
        if more:
            length = int.from_bytes(head[2:], "big")
        self._skip = length + (4 if head[1] & 0x80 else 0)
        self._head = b""
