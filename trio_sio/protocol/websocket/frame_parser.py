"""Parses a client's WebSocket frames into messages (RFC 6455, section 5), without I/O.

Nearly every frame of a Socket.IO client is a whole message of some bytes, masked and nothing
else. Those are parsed here, which costs 1 µs instead of 4 (websockets) or 20 (trio-websocket, with
a task and a channel of its own). So are large frames and fragments: what has come of them is freed
with the connection, while a library may keep it until its garbage is collected. Everything else
belongs to the library: control frames, compressed frames, and whatever breaks the protocol. Each
frame is parsed by one of the two, and so are all fragments of a message, so that the two never
have to agree about a message:

    piece = parser.feed(data)
    while piece:
        ...  # the library parses it; what comes of it is added to the parser
        piece = parser.go_on()

What the next byte is follows from three attributes:

| state  | attribute              | the next byte                       | until                 |
| ------ | ---------------------- | ----------------------------------- | --------------------- |
| HEADER | none of the others     | is of a frame's header              | that is complete      |
| OURS   | `_frame` is set        | is payload of a frame parsed here   | `_frame.missing` is 0 |
| PASSED | `_unpassed` is above 0 | is of a frame parsed by the library | `_unpassed` is 0      |
| PAUSED | `is_paused`            | waits, in one of the states above   | `resume` is called    |
| ENDED  | `end` is set           | is ignored                          |                       |

A quantum of frames after `feed`, and another one after each `resume`, is parsed before a pause, so
that a client that sends many at once shares the event loop with others. `resume` comes before the
next `feed`.

Between frames, a message in fragments may be incomplete: `_count` is above 0, and `_fragments` is
a list if it is parsed here, `None` if by the library. Its limits hold for both.
"""

from collections.abc import Callable
from typing import NamedTuple

from trio_sio.protocol.websocket.errors import (
    INVALID_DATA,
    PROTOCOL_ERROR,
    TOO_BIG,
    FrameError,
    WebSocketClosed,
)

_WHOLE_TEXT = 0x81
_SHORT_HEADER = 6
_LONG = 126  # bytes from which on the header is longer
_FIN = 0x80
_MASKED = 0x80
_OPCODE = 0x0F
_TEXT = 1
_BINARY = 2
_CONTINUATION = 0
_FIRST_CONTROL = 8
_MASK_SIZE = 4

Unmask = Callable[[bytes, bytes], bytes]
"""Applies a mask of four bytes, the second argument, to a payload."""


class FrameLimits(NamedTuple):
    """What a client may send, and how much is parsed at once.

    Attributes:
        max_size: bytes that a message may have.
        max_fragments: fragments that a message may have. Browsers cut at 128 KiB and more, so 4096
            are enough; the libraries themselves accept any number of empty ones.
        first_quantum: frames that are parsed after `feed` before a pause.
        quantum: frames that are parsed after each `resume`.
    """

    max_size: int
    max_fragments: int
    first_quantum: int
    quantum: int

    def too_big(self) -> FrameError:
        """Return the error for a message of more than `max_size` bytes."""
        sentence = f"a message of more than {self.max_size} bytes"
        return FrameError(TOO_BIG, sentence, "max_http_buffer_size", self.max_size)

    def too_many_fragments(self, seen: int) -> FrameError:
        """Return the error for a message of more than `max_fragments` fragments."""
        sentence = f"a message of more than {self.max_fragments} fragments"
        return FrameError(TOO_BIG, sentence, "max_fragments", self.max_fragments, seen)


class PartialFrame:
    """Collects the payload of one frame, and unmasks it as it comes.

    Args:
        first: the frame's first byte.
        mask: its mask, four bytes.
        missing: bytes of its payload.
        unmask: applies the mask.

    Attributes:
        missing: bytes that are still to come.
        payload: those that have come.
    """

    __slots__ = ("_mask", "_unmask", "first", "missing", "payload")

    def __init__(self, first: int, mask: bytes, missing: int, unmask: Unmask) -> None:
        self.first = first
        self.missing = missing
        self.payload = bytearray()
        self._mask = mask
        self._unmask = unmask

    def take(self, data: bytes, position: int) -> int:
        """Take what there is from `position` on; return the position behind it."""
        piece = data[position : position + self.missing]
        self.payload += self._unmask(piece, self._mask)
        self.missing -= len(piece)
        turned = len(piece) % _MASK_SIZE
        self._mask = self._mask[turned:] + self._mask[:turned]
        return position + len(piece)


class FrameParser:
    """Parses what one client sends.

    Args:
        limits: what it may send.
        unmask: applies a mask to a payload.

    Attributes:
        limits: what the client may send.
        end: why there will be no more messages, `None` as long as there may be.
        is_paused: whether a quantum has been parsed, and there is more.
    """

    __slots__ = (
        "_announced",
        "_count",
        "_data",
        "_fragments",
        "_frame",
        "_is_final",
        "_is_text",
        "_messages",
        "_position",
        "_quantum",
        "_unmask",
        "_unpassed",
        "end",
        "is_paused",
        "limits",
    )

    def __init__(self, limits: FrameLimits, unmask: Unmask) -> None:
        self.limits = limits
        self.end: WebSocketClosed | None = None
        self.is_paused = False
        self._unmask = unmask
        self._messages: list[str | bytes] = []  # an empty deque takes 700 bytes
        self._data = b""  # not parsed yet, from `_position` on
        self._position = 0
        self._quantum = 0  # frames that may still be parsed before a pause
        self._frame: PartialFrame | None = None
        self._unpassed = 0  # bytes of a frame that the library has yet to get
        self._is_final = False  # that frame is the last of its message
        self._count = 0  # fragments of a message that is not complete
        self._announced = 0  # bytes of the same message, by its headers
        self._fragments: list[bytes | bytearray] | None = None
        self._is_text = False  # that message

    @property
    def is_idle(self) -> bool:
        """Whether no message waits for `next_message`, and none is incomplete."""
        return not (self._messages or self._data or self._unpassed or self._frame or self._count)

    @property
    def has_message(self) -> bool:
        """Whether `next_message` has one to return."""
        return bool(self._messages)

    @property
    def completes(self) -> bool:
        """Whether the piece that the library has just got ends a message."""
        return self._is_final and not self._unpassed

    def next_message(self) -> str | bytes | None:
        """Return the next message, `None` if none is complete.

        Raises:
            WebSocketClosed: there are no more.
        """
        if self._messages:
            return self._messages.pop(0)
        if self.end is not None:
            raise self.end
        return None

    def feed(self, data: bytes) -> bytes:
        """Parse what the connection has brought; return the first piece for the library.

        It is `b""` if there is none yet.
        """
        size = len(data) - _SHORT_HEADER
        if (  # one short text and nothing else: what a client sends, nearly always
            0 <= size < _LONG
            and data[0] == _WHOLE_TEXT
            and data[1] == _MASKED | size
            and size <= self.limits.max_size
            and not (self._data or self._unpassed or self._frame or self._count or self.end)
        ):
            self.add_text(self._unmask(data[_SHORT_HEADER:], data[2:_SHORT_HEADER]))
            return b""
        self._data = self._data[self._position :] + data if self._data else data
        self._position = 0
        self._quantum = self.limits.first_quantum
        return self.go_on()

    def resume(self) -> bytes:
        """Go on after a pause; as `go_on`."""
        self._quantum = self.limits.quantum
        self.is_paused = False
        return self.go_on()

    def go_on(self) -> bytes:
        """Parse what is behind the library's last piece; return the next one, `b""` for none."""
        data, position = self._data, self._position
        end = len(data)
        while position < end and self.end is None:
            if not self._quantum:
                self._position = position
                self.is_paused = True
                return b""
            self._quantum -= 1
            if self._unpassed:
                return self._pass(position, min(end, position + self._unpassed))
            if self._frame is not None:
                position = self._fill(self._frame, data, position)
                continue
            header = _parse_header(data, position)
            if header is None:
                self._position = position
                return b""
            start, length = header
            stop = start + length
            first = data[position]
            if not self._is_ours(first, data[position + 1]):
                self._unpassed = stop - position
                self._count_in(first, length)
                self._quantum += 1  # it is the piece that counts
            elif (
                stop <= end and first >= _FIN and length <= self.limits.max_size and not self._count
            ):
                self._take(first, self._unmask(data[start:stop], data[start - 4 : start]))
                position = stop
            else:
                self._count_in(first, length)
                if self.end is None:
                    self._frame = PartialFrame(first, data[start - 4 : start], length, self._unmask)
                    position = self._fill(self._frame, data, start)
        self._data = b""
        return b""

    def end_with(self, end: WebSocketClosed) -> None:
        """Expect no more messages, unless that has been so before."""
        self.end = self.end or end

    def clear(self) -> None:
        """Free what has been fed; nothing more will be asked for."""
        self._messages = []
        self._data = b""
        self._frame = self._fragments = None

    # -- what the library made of its pieces ---------------------------------------------------

    def add(self, message: str | bytes) -> None:
        """Add a message."""
        self._messages.append(message)

    def add_text(self, data: bytes | bytearray) -> None:
        """Add a text message, or end with an error if it is not UTF-8."""
        try:
            self._messages.append(data.decode())
        except UnicodeDecodeError:
            self.end = FrameError(INVALID_DATA, "a text message that is not UTF-8")

    # -- frames --------------------------------------------------------------------------------

    def _is_ours(self, first: int, second: int) -> bool:
        """Whether a frame is masked data, and no part of a message that the library has begun."""
        kind = first & ~_FIN  # with the reserved bits, which say that it is compressed
        if second < _MASKED:
            return False
        if kind == _CONTINUATION:
            return self._fragments is not None
        return kind in (_TEXT, _BINARY) and (not self._count or self._fragments is not None)

    def _fill(self, frame: PartialFrame, data: bytes, position: int) -> int:
        """Take what has come of a frame's payload; return the position behind it."""
        position = frame.take(data, position)
        if not frame.missing:
            self._frame = None
            self._take(frame.first, frame.payload)
        return position

    def _take(self, first: int, payload: bytes | bytearray) -> None:
        """Take a complete frame."""
        if first & _OPCODE != _CONTINUATION:
            self._is_text = first & _OPCODE == _TEXT
            if not first & _FIN:
                self._fragments = [payload]
                return
        else:
            assert self._fragments is not None
            self._fragments.append(payload)
            if not first & _FIN:
                return
            payload, self._fragments = b"".join(self._fragments), None
        if self._is_text:
            self.add_text(payload)
        else:
            self._messages.append(bytes(payload))

    def _pass(self, position: int, stop: int) -> bytes:
        """Return the library's next piece."""
        self._unpassed -= stop - position
        self._position = stop
        return self._data[position:stop]

    def _count_in(self, first: int, length: int) -> None:
        """Count a frame towards its message; see whether the message is complete or too large.

        A message over the limit ends here, by the header that makes it so: one library waits for
        the payload before it looks at the size.
        """
        opcode = first & _OPCODE
        self._is_final = False
        if opcode >= _FIRST_CONTROL:
            return
        if opcode != _CONTINUATION and self._fragments is not None:
            self.end = FrameError(PROTOCOL_ERROR, "a message that begins inside another one")
            return
        if opcode == _CONTINUATION:
            self._count += 1
            self._announced += length
        else:
            self._count, self._announced = 1, length
        if self._announced > self.limits.max_size:
            self.end = self.limits.too_big()
        elif self._count > self.limits.max_fragments:
            self.end = self.limits.too_many_fragments(self._count)
        elif first & _FIN:
            self._is_final = True
            self._count = self._announced = 0


def _parse_header(data: bytes, position: int) -> tuple[int, int] | None:
    """Return where a frame's payload begins and its length, `None` if the header is incomplete."""
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
