"""The messages in what a client's WebSocket sends.

Nearly every frame of a Socket.IO client is a whole message of some bytes, masked and nothing
else. Those are read here, which costs 1 µs in place of 4. All others, control frames, fragments,
compressed ones and whatever breaks the protocol, are the library's core's. Both see whole frames
only, or the core the beginning of one, so that they cannot come into each other's way.
"""

from typing import TYPE_CHECKING

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, Protocol

from trio_sio.abc import TransportClosed
from trio_sio.reasons import DisconnectReason

if TYPE_CHECKING:
    from trio_sio.engine.websocket.library import Control

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

MAX_FRAGMENTS = 4096
"""Fragments of one message. Browsers cut at 128 KiB and more, so 100 MB fit several times. The
core itself passes any number of empty ones."""

PROTOCOL_ERROR = 1002
INVALID_DATA = 1007
TOO_BIG = 1009

_WHOLE_TEXT = 0x81
_WHOLE_BINARY = 0x82
_MASKED = 0x80


class Incoming:
    """Makes messages of a client's bytes.

    Args:
        core: the library's side of the connection.
        max_size: bytes that a message may have.

    Attributes:
        control: where the core's own frames go.
    """

    __slots__ = (
        "_core",
        "_end",
        "_held",
        "_is_text",
        "_left",
        "_max_size",
        "_messages",
        "_parts",
        "control",
    )

    def __init__(self, core: Protocol, max_size: int) -> None:
        self.control: Control = lambda data: None
        self._core = core
        self._max_size = max_size
        self._messages: list[str | bytes] = []  # an empty deque takes 700 bytes
        self._end: TransportClosed | None = None
        self._held = b""  # the beginning of a header
        self._left = 0  # bytes that the core still has to get of a frame
        self._parts: list[bytes] = []
        self._is_text = False

    def next(self) -> str | bytes | None:
        """Return the next message, `None` if none is whole.

        Raises:
            TransportClosed: there will be no more.
        """
        if self._messages:
            return self._messages.pop(0)
        if self._end is not None:
            raise self._end
        return None

    def feed(self, data: bytes) -> None:
        """Take what the connection has brought."""
        if self._held:
            data, self._held = self._held + data, b""
        end = len(data)
        position = self._left
        if position:
            self._left = max(0, position - end)
            self._feed_core(data[:position])
        while position < end and self._end is None:
            head = _head(data, position)
            if head is None:
                self._held = data[position:]
                return
            start, length = head
            stop = start + length
            if stop > end or not self._is_simple(data, position, length):
                self._left = max(0, stop - end)
                self._feed_core(data[position:stop])
            else:
                payload = apply_mask(data[start:stop], data[start - 4 : start])
                if data[position] == _WHOLE_TEXT:
                    self._add_text(payload)
                else:
                    self._messages.append(payload)
            position = stop

    def _is_simple(self, data: bytes, position: int, length: int) -> bool:
        first = data[position]
        return (
            first in (_WHOLE_TEXT, _WHOLE_BINARY)
            and data[position + 1] >= _MASKED
            and not self._parts
            and length <= self._max_size
        )

    def _add_text(self, data: bytes) -> None:
        try:
            self._messages.append(data.decode())
        except UnicodeDecodeError:
            self._end = TransportClosed(DisconnectReason.TRANSPORT_ERROR, INVALID_DATA)

    # -- what the core reads ----------------------------------------------------------------

    def _feed_core(self, data: bytes) -> None:
        core = self._core
        core.receive_data(data)
        for frame in core.events_received():
            if self._end is None:
                self._take(frame)
        if core.parser_exc is not None:
            if self._end is None:
                self._end = _closed_by(core.parser_exc)
        elif core.writes:
            for answer in core.data_to_send():
                if answer:
                    self.control(answer)

    def _take(self, frame: Event) -> None:
        """Take one frame; it may make a message whole."""
        assert isinstance(frame, Frame)  # a core without a handshake makes nothing else
        opcode = frame.opcode
        if opcode is Opcode.CLOSE:
            self._end = TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
            return
        if opcode is Opcode.PING or opcode is Opcode.PONG:
            return
        if opcode is not Opcode.CONT:
            self._is_text = opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            data, self._parts = b"".join(self._parts), []
            if self._is_text:
                self._add_text(data)
            else:
                self._messages.append(data)
        elif len(self._parts) > MAX_FRAGMENTS:
            self._end = TransportClosed(DisconnectReason.TRANSPORT_ERROR, TOO_BIG)


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


def _closed_by(error: Exception) -> TransportClosed:
    """Return the end that an error of the core stands for."""
    if isinstance(error, EOFError):
        return TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
    code = INVALID_DATA if isinstance(error, UnicodeDecodeError) else PROTOCOL_ERROR
    if isinstance(error, PayloadTooBig):
        code = TOO_BIG
    return TransportClosed(DisconnectReason.TRANSPORT_ERROR, code)
