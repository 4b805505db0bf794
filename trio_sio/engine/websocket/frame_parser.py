"""The messages in what a client's WebSocket sends.

Nearly every frame of a Socket.IO client is a whole message of some bytes, masked and nothing
else. Those are read here, which costs 1 µs in place of 4 (websockets) or 20 (trio-websocket, with
a task and a channel of its own), and so are large frames and fragments: what has come of them is
forgotten with the connection, while a library may keep it until its garbage is collected. All
others, control frames, compressed ones and whatever breaks the protocol, are the library's. Each
frame is read by one of the two, and so are all fragments of a message, so that they cannot come
into each other's way:

    piece = incoming.feed(data)
    while piece:
        ...  # the library reads it; what comes of it is added
        piece = incoming.go_on()

It pauses behind a few frames, so that others can have their turn: then `resume` comes before the
next `feed`.
"""

from collections.abc import Callable

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM

PROTOCOL_ERROR = 1002
INVALID_DATA = 1007
TOO_BIG = 1009

_WHOLE_TEXT = 0x81
_WHOLE_BINARY = 0x82
_SHORT_HEAD = 6
_LONG = 126  # bytes from which on the head is longer
_FIN = 0x80
_MASKED = 0x80
_OPCODE = 0x0F
_TEXT = 1
_BINARY = 2
_CONTINUATION = 0
_FIRST_CONTROL = 8
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


class FrameParser:
    """Makes messages of a client's bytes.

    Args:
        max_size: bytes that a message may have.
        max_fragments: fragments that a message may have. Browsers cut at 128 KiB and more, so 4096
            are enough; the libraries themselves pass any number of empty ones.
        unmask: applies a mask of four bytes to a payload.

    Attributes:
        end: why there will be no more messages, `None` as long as there may be.
        completes: whether the library's last piece is the end of a message.
        is_paused: whether it has taken its share, and there is more.
    """

    __slots__ = (
        "_data",
        "_final",
        "_fragments",
        "_is_text",
        "_left",
        "_max_fragments",
        "_max_size",
        "_messages",
        "_partial",
        "_parts",
        "_position",
        "_share",
        "_size",
        "_unmask",
        "completes",
        "end",
        "is_paused",
    )

    def __init__(
        self, max_size: int, max_fragments: int, unmask: Callable[[bytes, bytes], bytes]
    ) -> None:
        self.end: TransportClosed | None = None
        self.completes = False
        self._max_size = max_size
        self._max_fragments = max_fragments
        self._unmask = unmask
        self._messages: list[str | bytes] = []  # an empty deque takes 700 bytes
        self._data = b""  # what nobody has read yet, from `_position` on
        self._position = 0
        self._left = 0  # bytes that the library still has to get of a frame
        self._partial: Partial | None = None  # a frame of ours, of which some is here
        self._parts: list[bytes | bytearray] | None = None  # of a message of ours in fragments
        self._is_text = False
        self._final = False  # that frame is the last of its message
        self._fragments = 0  # of a message that is not whole
        self._size = 0  # of the same, as its headers say
        self._share = 0
        self.is_paused = False

    @property
    def is_clear(self) -> bool:
        """Whether no message waits for `next`, and none is half here."""
        return not (self._messages or self._data or self._left or self._partial or self._fragments)

    def next(self) -> str | bytes | None:
        """Return the next message, `None` if none is whole.

        Raises:
            TransportClosed: there will be no more.
        """
        if self._messages:
            return self._messages.pop(0)
        if self.end is not None:
            raise self.end
        return None

    def feed(self, data: bytes) -> bytes:
        """Take what the connection has brought; return the first piece that is the library's."""
        size = len(data) - _SHORT_HEAD
        if (  # one short text and nothing else: what a client sends, nearly always
            0 <= size < _LONG
            and data[0] == _WHOLE_TEXT
            and data[1] == _MASKED | size
            and size <= self._max_size
            and not (self._data or self._left or self._partial or self._fragments or self.end)
        ):
            self.add_text(self._unmask(data[_SHORT_HEAD:], data[2:_SHORT_HEAD]))
            return b""
        self._data = self._data[self._position :] + data if self._data else data
        self._position = 0
        self._share = FIRST_QUANTUM
        return self.go_on()

    def resume(self) -> bytes:
        """Go on after a pause; as `go_on`."""
        self._share = QUANTUM
        self.is_paused = False
        return self.go_on()

    def go_on(self) -> bytes:
        """Take what is behind that piece; return the next one, `b""` if there is none yet."""
        data, position = self._data, self._position
        end = len(data)
        while position < end and self.end is None:
            if not self._share:
                self._position = position
                self.is_paused = True
                return b""
            self._share -= 1
            if self._left:
                return self._piece(position, min(end, position + self._left))
            if self._partial is not None:
                position = self._go_on_with(self._partial, data, position)
                continue
            head = _head(data, position)
            if head is None:
                self._position = position
                return b""
            start, length = head
            stop = start + length
            first = data[position]
            if not self._is_ours(first, data[position + 1]):
                self._left = stop - position
                self._note(first, length)
                self._share += 1  # it is the piece that counts
            elif stop <= end and first >= _FIN and length <= self._max_size and not self._fragments:
                self._take(first, self._unmask(data[start:stop], data[start - 4 : start]))
                position = stop
            else:
                self._note(first, length)
                if self.end is None:
                    self._partial = Partial(first, data[start - 4 : start], length, self._unmask)
                    position = self._go_on_with(self._partial, data, start)
        self._data = b""
        return b""

    def _is_ours(self, first: int, second: int) -> bool:
        """Whether a frame is masked data, and of no message that the library has begun."""
        kind = first & ~_FIN  # with the reserved bits, which say that it is compressed
        if second < _MASKED:
            return False
        if kind == _CONTINUATION:
            return self._parts is not None
        return kind in (_TEXT, _BINARY) and (not self._fragments or self._parts is not None)

    def _go_on_with(self, partial: Partial, data: bytes, position: int) -> int:
        """Read of a frame of ours what is here; return the position behind it."""
        position = partial.take(data, position)
        if not partial.missing:
            self._partial = None
            self._take(partial.first, partial.payload)
        return position

    def _take(self, first: int, payload: bytes | bytearray) -> None:
        """Take a whole frame of ours."""
        if first & _OPCODE != _CONTINUATION:
            self._is_text = first & _OPCODE == _TEXT
            if not first & _FIN:
                self._parts = [payload]
                return
        elif self._parts is not None:
            self._parts.append(payload)
            if not first & _FIN:
                return
            payload, self._parts = b"".join(self._parts), None
        if self._is_text:
            self.add_text(payload)
        else:
            self._messages.append(bytes(payload))

    def _piece(self, position: int, stop: int) -> bytes:
        self._left -= stop - position
        self._position = stop
        self.completes = self._final and not self._left
        return self._data[position:stop]

    def _note(self, first: int, length: int) -> None:
        """Note what a frame is to its message.

        A message over the limit ends here, by the header that makes it so: one library waits for
        the payload before it looks at the size.
        """
        opcode = first & _OPCODE
        self._final = False
        if opcode >= _FIRST_CONTROL:
            return
        if opcode != _CONTINUATION and self._parts is not None:
            why = Explanation("a message that begins inside another one")
            self.end = TransportClosed(DisconnectReason.TRANSPORT_ERROR, PROTOCOL_ERROR, why)
            return
        if opcode == _CONTINUATION:
            self._fragments += 1
            self._size += length
        else:
            self._fragments, self._size = 1, length
        if self._size > self._max_size:
            self.end = TransportClosed(DisconnectReason.TRANSPORT_ERROR, TOO_BIG, self.too_big())
            return
        if self._fragments > self._max_fragments:
            limit = self._max_fragments
            text = f"a message of more than {limit} fragments"
            why = Explanation(text, "max_fragments", limit, self._fragments)
            self.end = TransportClosed(DisconnectReason.TRANSPORT_ERROR, TOO_BIG, why)
        elif first & _FIN:
            self._final = True
            self._fragments = 0

    def too_big(self) -> Explanation:
        """Say that a message is over the limit."""
        text = f"a message of more than {self._max_size} bytes"
        return Explanation(text, "max_http_buffer_size", self._max_size)

    def clear(self) -> None:
        """Forget everything; nothing more will be asked for."""
        self._messages = []
        self._data = b""
        self._partial = self._parts = None

    # -- what the library makes ---------------------------------------------------------------

    def add(self, message: str | bytes) -> None:
        """Take a message."""
        self._messages.append(message)

    def add_text(self, data: bytes | bytearray) -> None:
        """Take a text, if it is one."""
        try:
            self._messages.append(data.decode())
        except UnicodeDecodeError:
            why = Explanation("a text message that is not UTF-8")
            self.end = TransportClosed(DisconnectReason.TRANSPORT_ERROR, INVALID_DATA, why)


def _head(data: bytes, position: int) -> tuple[int, int] | None:
    """Return where a frame's payload begins and its length, `None` if the header is cut."""
    left = len(data) - position
    if left < 2:
        return None
    second = data[position + 1]
    start = position + (6 if second & _MASKED else 2)
    length = second & 0x7F
    if length == 126:
        start += 2
        length = int.from_bytes(data[position + 2 : position + 4], "big")
    elif length == 127:
        start += 8
        length = int.from_bytes(data[position + 2 : position + 10], "big")
    return (start, length) if start <= len(data) else None
